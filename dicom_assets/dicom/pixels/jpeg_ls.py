"""JPEG-LS frames (PS3.5 8.2.3, ISO 14495-1)."""

from dicom_assets.dicom.pixels.codestream import read_jpeg
from dicom_assets.dicom.pixels.decoded import Decoded, Request, coded_values
from dicom_assets.dicom.pixels.truncated_frames import decode_into_two, ended, ends_early, equal_rows


def decode_jpeg_ls(data: bytes, request: Request) -> Decoded:
    """Decode a JPEG-LS frame, lossless or near-lossless, whatever its interleaving (ISO 14495-1 C.2.3).

    Parameters
    ----------
    data
        One codestream.
    request
        What is known of the frame.

    Raises
    ------
    PixelError
        When it is no JPEG-LS codestream.

    """
    import imagecodecs

    stream = read_jpeg(data)
    request.check(stream)
    if request.cut or ends_early(data):
        shape = (stream.rows, stream.columns, *((stream.components,) if stream.components > 1 else ()))
        dtype = "u1" if stream.precision <= 8 else "u2"
        # Behind some cuts CharLS looks for bits that are not there for seconds; at a marker it stops at once.
        marked = ended(data)
        # Of scans of one component each nothing is written until all are there.
        decodings = decode_into_two(lambda out: imagecodecs.jpegls_decode(marked, out=out), shape, dtype)
    else:
        decodings = [imagecodecs.jpegls_decode(data)]
    known_rows = equal_rows(decodings[0], decodings[-1])
    return Decoded(*coded_values(decodings[0], stream.precision, request.layout), known_rows=known_rows)

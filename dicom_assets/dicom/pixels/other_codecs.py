"""JPEG-LS, JPEG XL and deflated frames (PS3.5 8.2.3, 8.2.17, A.4.12)."""

import zlib

from dicom_assets.dicom.pixels.codestream import read_jpeg
from dicom_assets.dicom.pixels.decoded import Decoded, Request, coded_values
from dicom_assets.dicom.pixels.native import stored_values, unpack_frame, whole_rows
from dicom_assets.dicom.pixels.truncated_frames import decode_into_two, ends_early, equal_rows


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
        # Of scans of one component each nothing is written until all are there.
        decodings = decode_into_two(lambda out: imagecodecs.jpegls_decode(data, out=out), shape, dtype)
    else:
        decodings = [imagecodecs.jpegls_decode(data)]
    known_rows = equal_rows(decodings[0], decodings[-1])
    return Decoded(*coded_values(decodings[0], stream.precision, request.layout), known_rows=known_rows)


def decode_jpeg_xl(data: bytes, request: Request) -> Decoded:
    """Decode a JPEG XL frame; the decoder returns RGB for colour.

    Parameters
    ----------
    data
        One codestream.
    request
        What is known of the frame.

    """
    import imagecodecs

    samples = imagecodecs.jpegxl_decode(data)
    return Decoded(*coded_values(samples, samples.dtype.itemsize * 8, request.layout), rgb=True)


def decode_deflated_frame(data: bytes, request: Request) -> Decoded:
    """Inflate a frame of Deflated Image Frame Compression and read it as a native one.

    Parameters
    ----------
    data
        A raw deflate stream (RFC 1951).
    request
        What is known of the frame.

    """
    layout = request.layout
    inflated = zlib.decompressobj(-zlib.MAX_WBITS).decompress(data, (layout.frame_bits + 7) // 8)
    samples = stored_values(unpack_frame(inflated, layout), layout)
    return Decoded(samples, layout.bits_stored, known_rows=whole_rows(len(inflated), layout))

"""JPEG-LS, JPEG XL and deflated frames (PS3.5 8.2.3, 8.2.17, A.4.12)."""

import zlib

from dicom_assets.dicom.pixels.codestream import read_jpeg
from dicom_assets.dicom.pixels.decoded import Decoded, Request, coded_values
from dicom_assets.dicom.pixels.native import stored_values, unpack_frame


def decode_jpeg_ls(data: bytes, request: Request) -> Decoded:
    """Decode a JPEG-LS frame, lossless or near-lossless; interleaving is undone by the decoder.

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
    samples = imagecodecs.jpegls_decode(data)
    return Decoded(*coded_values(samples, stream.precision, request.layout))


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

    Raises
    ------
    PixelError
        When it holds less than half of the frame.

    """
    layout = request.layout
    inflated = zlib.decompressobj(-zlib.MAX_WBITS).decompress(data, (layout.frame_bits + 7) // 8)
    return Decoded(stored_values(unpack_frame(inflated, layout), layout), layout.bits_stored)

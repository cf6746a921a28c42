"""RLE, JPEG-LS, JPEG XL and deflated frames (PS3.5 8.2.2, 8.2.3, 8.2.17, A.4.12)."""

import zlib

import numpy as np

from dicom_assets.dicom.pixels.codestream import read_jpeg
from dicom_assets.dicom.pixels.cut_streams import (
    decode_into_two,
    ends_early,
    equal_rows,
    unpack_rle,
)
from dicom_assets.dicom.pixels.decoded import Decoded, Request
from dicom_assets.dicom.pixels.errors import PixelError
from dicom_assets.dicom.pixels.layout import PixelLayout
from dicom_assets.dicom.pixels.native import Samples, stored_values, unpack_frame, whole_rows


def decode_rle(data: bytes, request: Request) -> Decoded:
    """Decode an RLE frame: one segment per byte of a sample, most significant first (PS3.5 G).

    Parameters
    ----------
    data
        One frame, with its header of segment offsets.
    request
        What is known of the frame.

    Raises
    ------
    PixelError
        When samples are no whole bytes, or nothing is there.

    """
    import imagecodecs

    layout = request.layout
    if layout.bits_allocated % 8:
        raise PixelError(f"RLE of {layout.bits_allocated} bits allocated")
    if request.cut:
        return _decode_cut_rle(data, layout)
    dtype = np.dtype(f"<u{layout.bits_allocated // 8}")
    length = layout.pixels * layout.samples
    flat = np.frombuffer(imagecodecs.dicomrle_decode(data, dtype), dtype)
    if flat.size < length:
        return _decode_cut_rle(data, layout)
    # Segments are per sample, so planes come out one after another whatever Planar Configuration says.
    planes: Samples = flat[:length].reshape(layout.samples, layout.rows, layout.columns)
    samples = planes[0] if layout.samples == 1 else np.ascontiguousarray(planes.transpose(1, 2, 0))
    return Decoded(stored_values(samples, layout), layout.bits_stored)


def _decode_cut_rle(data: bytes, layout: PixelLayout) -> Decoded:
    """Decode what is there of an RLE frame: a row is when it is in all segments."""
    size = layout.bits_allocated // 8
    segments = unpack_rle(data, layout.samples * size, layout.pixels)
    known_rows = min(map(len, segments)) // layout.columns
    octets = [np.frombuffer(segment.ljust(layout.pixels, b"\0"), np.uint8) for segment in segments]
    # The most significant byte comes first.
    words = np.stack(octets).reshape(layout.samples, size, layout.pixels)[:, ::-1].transpose(0, 2, 1)
    planes = np.ascontiguousarray(words).view(f"<u{size}").reshape(layout.samples, layout.rows, layout.columns)
    samples = planes[0] if layout.samples == 1 else np.ascontiguousarray(planes.transpose(1, 2, 0))
    known = known_rows if known_rows < layout.rows else None
    return Decoded(stored_values(samples, layout), layout.bits_stored, known_rows=known)


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
    bits = min(stream.precision, request.layout.bits_stored)
    return Decoded(
        stored_values(decodings[0], request.layout), bits, known_rows=equal_rows(decodings[0], decodings[-1])
    )


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
    return Decoded(stored_values(samples, request.layout), request.layout.bits_stored, rgb=True)


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

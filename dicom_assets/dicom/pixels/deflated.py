"""Frames of Deflated Image Frame Compression (PS3.5 A.4.12)."""

import zlib

from dicom_assets.dicom.pixels.decoded import Decoded, Request
from dicom_assets.dicom.pixels.native import stored_values, unpack_frame, whole_rows


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

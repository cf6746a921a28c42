"""RLE frames (PS3.5 8.2.2, G): each byte of a sample is a segment of its own, the most significant first."""

import struct
from itertools import pairwise

import numpy as np
import numpy.typing as npt

from dicom_assets.dicom.pixels.decoded import Decoded, Request
from dicom_assets.dicom.pixels.errors import CutError, PixelError
from dicom_assets.dicom.pixels.layout import PixelLayout
from dicom_assets.dicom.pixels.native import Samples, stored_values, unpack_frame

_HEADER = struct.Struct("<16I")
"""How many segments there are, and where up to 15 of them begin (G.5)."""
_WIDTHS = frozenset({1, 2, 4, 8})


def decode_rle(data: bytes, request: Request) -> Decoded:
    """Decode an RLE frame.

    Segments are cut to what the frame needs: encoders pad them, and end them with a run that announces more than
    there is. Others read both, too. Of segments that are too short, the rows that all of them have are known.

    Parameters
    ----------
    data
        One frame, with its header of segment offsets.
    request
        What is known of the frame.

    Raises
    ------
    CutError
        When it ends within its header.
    PixelError
        When it holds fewer segments than the frame needs.

    """
    layout = request.layout
    if layout.bits_allocated == 1 and layout.samples == 1:
        bits, known_rows = _one_bit_samples(_segments(data)[:1], layout)
        return Decoded(bits, 1, known_rows=known_rows)
    width = layout.bits_allocated // 8
    if layout.bits_allocated % 8 or width not in _WIDTHS:
        raise PixelError(f"RLE of {layout.bits_allocated} bits allocated")
    words = _at_once(data, width)
    known_rows = None
    if words is None or words.size != layout.pixels * layout.samples:
        words, known_rows = _one_by_one(data, layout, width)
    # Segments are per sample, so planes come out one after another whatever Planar Configuration says.
    planes = words.astype(f"=u{width}", copy=False).reshape(layout.samples, layout.rows, layout.columns)
    samples = planes[0] if layout.samples == 1 else np.ascontiguousarray(planes.transpose(1, 2, 0))
    return Decoded(stored_values(samples, layout), layout.bits_stored, known_rows=known_rows)


def _at_once(data: bytes, width: int) -> Samples | None:
    """Return all words of a frame, ``None`` when its segments are not as long as one another or not as they should be.

    Fast, but what a segment has beyond the frame comes in front of the next one.
    """
    import imagecodecs

    word = np.dtype(f"<u{width}")
    try:
        return np.frombuffer(imagecodecs.dicomrle_decode(data, word), word)
    except (imagecodecs.DicomrleError, ValueError):
        return None


def _one_by_one(data: bytes, layout: PixelLayout, width: int) -> tuple[Samples, int | None]:
    """Return the words of a frame from what its segments have for them, and the rows that all of them have."""
    segments, needed = _segments(data), layout.samples * width
    if len(segments) < needed:
        raise PixelError(f"RLE frame of {len(segments)} segments, expected {needed}")
    planes = np.zeros((layout.samples, layout.pixels, width), np.uint8)
    shortest = layout.pixels
    for number, segment in enumerate(segments[:needed]):
        sample, byte = divmod(number, width)
        unpacked = _unpack(segment)[: layout.pixels]
        planes[sample, : unpacked.size, width - 1 - byte] = unpacked
        shortest = min(shortest, unpacked.size)
    return planes.view(f"<u{width}"), _known_rows(shortest, layout)


def _segments(data: bytes) -> list[bytes]:
    if len(data) < _HEADER.size:
        raise CutError("the RLE frame ends within its header")
    count, *offsets = _HEADER.unpack_from(data)
    if count > len(offsets):
        raise PixelError(f"RLE frame of {count} segments")
    bounds = [*offsets[:count], len(data)]
    return [data[begin:end] for begin, end in pairwise(bounds)]


def _known_rows(length: int, layout: PixelLayout) -> int | None:
    """Return how many rows so many bytes of every segment make, ``None`` for all of them."""
    return length // layout.columns if length < layout.pixels else None


def _one_bit_samples(segments: list[bytes], layout: PixelLayout) -> tuple[Samples, int | None]:
    """Return the samples of a frame of single bits, and the rows that are there.

    Each is padded to a byte (G.2; CP-2301 says that this holds for Bits Allocated of 1). Encoders from before that
    was clear packed eight into a byte, as native frames do (8.1.1); such a segment is an eighth as long.
    """
    unpacked = _unpack(segments[0]) if segments else np.empty(0, np.uint8)
    packed = (layout.pixels + 7) // 8
    if packed <= unpacked.size <= packed + 1 and unpacked.size < layout.pixels:
        return unpack_frame(unpacked.tobytes(), layout), None
    there = unpacked[: layout.pixels]
    bits = np.zeros(layout.pixels, np.uint8)
    bits[: there.size] = there & np.uint8(1)
    return bits.reshape(layout.rows, layout.columns), _known_rows(there.size, layout)


def _unpack(segment: bytes) -> npt.NDArray[np.uint8]:
    """Return the bytes of a segment."""
    import imagecodecs

    try:
        unpacked = imagecodecs.packbits_decode(segment)
    except imagecodecs.PackbitsError:
        unpacked = imagecodecs.packbits_decode(_with_whole_runs(segment))
    return np.frombuffer(unpacked, np.uint8)


def _with_whole_runs(segment: bytes) -> bytes:
    """Return a segment whose last run announces no more bytes than there are."""
    position = 0
    while position < len(segment):
        header = segment[position]
        following = position + 1 + (header + 1 if header < 128 else int(header > 128))
        if following > len(segment):
            literal = segment[position + 1 :]
            return segment[:position] + (bytes([len(literal) - 1]) + literal if literal else b"")
        position = following
    return segment

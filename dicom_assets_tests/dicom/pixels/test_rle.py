"""RLE frames as encoders write them: with padding, with a last run that is too long, and of single bits."""

import struct
from itertools import pairwise

import numpy as np
import pytest
from pydicom.pixels.encoders import RLELosslessEncoder

from dicom_assets.dicom.pixels.decoded import Request
from dicom_assets.dicom.pixels.errors import PixelError
from dicom_assets.dicom.pixels.layout import PixelLayout
from dicom_assets.dicom.pixels.rle import decode_rle
from dicom_assets.dicom.status import ThumbnailStatus
from dicom_assets_tests.support.dicom.images import encapsulated, image, thumbnail_of
from dicom_assets_tests.support.dicom.oracles import picture_of

RLE = "1.2.840.10008.1.2.5"
SEGMENTATION = "1.2.840.10008.5.1.4.1.1.66.4"
SURPLUS = {
    "a literal without bytes": b"\x05",
    "a literal of too few bytes": b"\x7f\x01\x02",
    "a whole literal": b"\x05\x01\x02\x03\x04\x05\x06",
    "a replicate without its byte": b"\xfe",
    "a whole replicate": b"\xfe\x07",
    "padding": b"\x00",
    "much padding": b"\x00" * 7,
    "no operation": b"\x80\x80",
}


def encode(array: np.ndarray) -> bytes:
    samples, bits = array.shape[2] if array.ndim == 3 else 1, array.dtype.itemsize * 8
    return RLELosslessEncoder.encode(
        array,
        rows=array.shape[0],
        columns=array.shape[1],
        samples_per_pixel=samples,
        bits_allocated=bits,
        bits_stored=bits,
        pixel_representation=0,
        photometric_interpretation="RGB" if samples == 3 else "MONOCHROME2",
        number_of_frames=1,
        planar_configuration=0,
    )


def test_of_single_bits_that_end_early_the_rows_that_are_there_are_shown():
    mask = (noise(64, 29) > 4).astype(np.uint8)
    (segment,) = segments_of(encode(mask))
    thumbnail = thumbnail_of(one_bit(mask, frame_of([segment[: len(segment) // 2]])))
    assert thumbnail.status is ThumbnailStatus.PARTIAL
    picture = picture_of(thumbnail)
    np.testing.assert_array_equal(picture[:20], mask[:20] * 255)
    assert not picture[50:].any()


WORDS = PixelLayout(16, 16, bits_allocated=16, bits_stored=16, high_bit=15)


def frame_of(segments: list[bytes]) -> bytes:
    """Return a frame of segments, with its header."""
    offsets = [64 + sum(map(len, segments[:number])) for number in range(len(segments))]
    return struct.pack("<16I", len(segments), *offsets, *[0] * (15 - len(segments))) + b"".join(segments)


def segments_of(frame: bytes) -> list[bytes]:
    count, *offsets = struct.unpack_from("<16I", frame)
    bounds = [*offsets[:count], len(frame)]
    return [frame[begin:end] for begin, end in pairwise(bounds)]


def layout_of(array: np.ndarray) -> PixelLayout:
    bits = array.dtype.itemsize * 8
    samples = array.shape[2] if array.ndim == 3 else 1
    photometric = "RGB" if samples == 3 else "MONOCHROME2"
    return PixelLayout(*array.shape[:2], samples, photometric, bits, bits, bits - 1)


def noise(*shape: int, dtype: type = np.uint8) -> np.ndarray:
    """Return an image of short runs and literals."""
    return np.random.default_rng(5).integers(0, 9, shape).astype(dtype)


@pytest.mark.parametrize("surplus", SURPLUS.values(), ids=SURPLUS)
@pytest.mark.parametrize("where", ["first", "last", "every"])
@pytest.mark.parametrize(
    "array", [noise(40, 33), noise(40, 33, dtype=np.uint16), noise(40, 33, 3)], ids=["8 bits", "16 bits", "RGB"]
)
def test_a_surplus_at_the_end_of_a_segment_changes_nothing(array, where, surplus):
    segments = segments_of(encode(array))
    chosen = {"first": [0], "last": [len(segments) - 1], "every": range(len(segments))}[where]
    frame = frame_of([part + surplus * (number in chosen) for number, part in enumerate(segments)])
    np.testing.assert_array_equal(decode_rle(frame, Request(layout_of(array))).samples, array)


def test_pydicom_reads_a_surplus_literal_as_we_do():
    array = noise(40, 33, dtype=np.uint16)
    first, last = segments_of(encode(array))
    dataset = encapsulated(image(array), [frame_of([first, last + b"\x7f\x01\x02\x00"])], RLE)
    with pytest.warns(UserWarning, match="non-conformant padding"):
        np.testing.assert_array_equal(dataset.pixel_array, array)
    assert thumbnail_of(dataset).status is ThumbnailStatus.OK


@pytest.mark.parametrize("bits", [16, 32, 64])
def test_wide_samples_come_out_in_the_machines_byte_order(bits):
    array = (noise(5, 7, dtype=np.dtype(f"u{bits // 8}")) << np.uint8(bits - 5)) + np.uint8(1)
    parts = array.astype(f">u{bits // 8}").view(np.uint8).reshape(-1, bits // 8).T
    frame = frame_of([bytes([len(part) - 1]) + part.tobytes() for part in parts])
    np.testing.assert_array_equal(decode_rle(frame, Request(layout_of(array))).samples, array)


def one_bit(mask: np.ndarray, frame: bytes):
    """Return a segmentation of one frame of single bits."""
    dataset = image(mask, SOPClassUID=SEGMENTATION, SegmentationType="BINARY")
    dataset.BitsAllocated, dataset.BitsStored, dataset.HighBit = 1, 1, 0
    return encapsulated(dataset, [frame], RLE)


def test_single_bits_are_a_byte_each():
    mask = (noise(37, 29) > 4).astype(np.uint8)
    thumbnail = thumbnail_of(one_bit(mask, encode(mask)))
    assert thumbnail.status is ThumbnailStatus.OK, thumbnail.error
    np.testing.assert_array_equal(picture_of(thumbnail), mask * 255)


def test_single_bits_that_an_encoder_packed_are_read_as_well():
    mask = (noise(37, 29) > 4).astype(np.uint8)
    packed = np.packbits(mask.ravel(), bitorder="little")
    frame = encode(packed.reshape(1, -1))
    np.testing.assert_array_equal(picture_of(thumbnail_of(one_bit(mask, frame))), mask * 255)


@pytest.mark.parametrize(
    ("frame", "reason"),
    [
        (b"\1\0\0\0", "ends within its header"),
        (struct.pack("<16I", 16, *[64] * 15), "of 16 segments"),
        (frame_of([b"\x81\x00"]), "of 1 segments, expected 2"),
    ],
)
def test_a_frame_without_its_segments_says_what_is_missing(frame, reason):
    with pytest.raises(PixelError, match=reason):
        decode_rle(frame, Request(WORDS))


@pytest.mark.parametrize(
    ("frame", "known_rows"),
    [
        (frame_of([b"\x81\x00", b"\x81\x00"]), 8),
        (frame_of([b"\x81\x00\x81\x00", b"\x81\x00"]), 8),
        (struct.pack("<16I", 2, 9000, 64, *[0] * 13), 0),
    ],
)
def test_of_segments_that_are_too_short_the_rows_that_all_have_are_known(frame, known_rows):
    assert decode_rle(frame, Request(WORDS)).known_rows == known_rows

import contextlib

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dicom_assets.dicom.header import read_header
from dicom_assets.dicom.pixels.errors import PixelError, TooLargeError
from dicom_assets.dicom.pixels.fragments import FrameIndex, read_frame
from dicom_assets.dicom.source import BytesSource
from dicom_assets_tests.support.dicom.images import CountingSource, encapsulated, file_bytes, image

JPEG = "1.2.840.10008.1.2.4.50"


def opened(frames: list[bytes], **more):
    """Return the header of a file with these frames, and what was read of the file."""
    dataset = image(np.zeros((len(frames), 4, 4), np.uint8), NumberOfFrames=len(frames))
    source = CountingSource(file_bytes(encapsulated(dataset, frames, JPEG, **more)))
    return read_header(source), source


def jpeg_like(count: int, length: int = 40) -> list[bytes]:
    return [
        b"\xff\xd8\xff" + bytes([number]) * (length - 3 + 2 * number) + b"\0" * (length % 2 + 1)
        for number in range(count)
    ]


def frame_of(header, number: int, count: int) -> bytes:
    return read_frame(header.body, FrameIndex(header, count).fragments(number))


@pytest.mark.parametrize(
    "more",
    [{}, {"table": False}, {"extended": True}, {"parts": 3}, {"parts": 3, "table": False}],
    ids=["basic table", "no table", "extended table", "fragments", "fragments without a table"],
)
def test_every_frame_is_found(more):
    frames = jpeg_like(5)
    header, _ = opened(frames, **more)
    for number, frame in enumerate(frames):
        assert frame_of(header, number, 5).rstrip(b"\0") == frame.rstrip(b"\0")


def test_a_single_frame_takes_all_fragments_whatever_they_begin_with():
    frame = b"\xff\xd8\xff" + bytes(range(1, 240)) * 3
    header, _ = opened([frame], parts=4, table=False)
    assert frame_of(header, 0, 1).rstrip(b"\0") == frame


@pytest.mark.parametrize("more", [{}, {"extended": True}])
def test_with_a_table_one_frame_is_read_and_no_other(more):
    frames = jpeg_like(9, length=200_000)
    header, source = opened(frames, **more)
    before = source.bytes_read
    frame_of(header, 4, 9)
    assert source.bytes_read - before < 200_000 * 1.1


def test_without_a_table_only_the_headers_of_fragments_are_read():
    frames = jpeg_like(9, length=200_000)
    header, source = opened(frames, table=False)
    before = source.bytes_read
    frame_of(header, 4, 9)
    assert source.bytes_read - before < 200_000 * 1.5


def test_a_table_that_points_nowhere_is_not_believed():
    header, source = opened(jpeg_like(3))
    data = bytearray(source.data)
    start = header.pixel.offset + 8
    data[start + 4 : start + 8] = (77).to_bytes(4, "little")
    broken = read_header(BytesSource(bytes(data)))
    assert frame_of(broken, 1, 3).startswith(b"\xff\xd8\xff\x01")


def test_the_last_fragment_may_be_cut_off_by_the_end_of_the_file():
    header, source = opened(jpeg_like(1, length=1000))
    cut = read_header(BytesSource(source.data[: header.pixel.offset + 8 + 4 + 8 + 500]))
    assert 400 < len(frame_of(cut, 0, 1)) <= 500


def test_a_frame_that_is_not_there_is_named():
    header, _ = opened(jpeg_like(2))
    with pytest.raises(PixelError, match="frame 4 of 7 is not in the file"):
        frame_of(header, 3, 7)


def test_lengths_of_frames_are_known_with_and_without_a_table():
    frames = jpeg_like(4)
    for table in (True, False):
        header, _ = opened(frames, table=table)
        lengths = FrameIndex(header, 4).lengths()
        assert lengths == sorted(lengths)
        assert len(lengths) == 4


@settings(max_examples=60)
@given(st.binary(max_size=200), st.integers(0, 5))
def test_no_bytes_in_place_of_fragments_do_more_than_a_pixel_error(junk, frame):
    header, source = opened(jpeg_like(2))
    broken = read_header(BytesSource(source.data[: header.pixel.offset] + junk))
    if broken.pixel is None:
        return
    with contextlib.suppress(PixelError):
        assert isinstance(frame_of(broken, frame, 6), bytes)


@pytest.mark.timeout(120)
def test_a_file_of_empty_items_is_not_walked_for_ever():
    header, source = opened(jpeg_like(2), table=False)
    head = source.data[: header.pixel.offset + 8]
    junk = read_header(BytesSource(head + b"\xfe\xff\x00\xe0\0\0\0\0" * 1_200_000))
    with pytest.raises(TooLargeError, match="fragments"):
        FrameIndex(junk, 2).fragments(1)

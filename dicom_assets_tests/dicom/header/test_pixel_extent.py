"""Where pixel data ends, and whether it is whole: told without reading it."""

import struct

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dicom_assets.dicom.header import read_header
from dicom_assets.dicom.header.issues import IssueCode
from dicom_assets.dicom.header.pixel_extent import SEQUENCE_DELIMITER, encapsulated_extent, native_extent
from dicom_assets.dicom.inflate import RAW, InflatedSource
from dicom_assets.dicom.source import BytesSource
from dicom_assets.dicom.status import HeaderStatus
from dicom_assets_tests.dicom.test_inflate import deflated
from dicom_assets_tests.support.dicom import encoding as e
from dicom_assets_tests.support.dicom.images import CountingSource, encapsulated, file_bytes, image

JPEG = "1.2.840.10008.1.2.4.50"
FRAGMENTS = [bytes([number]) * 500 for number in range(1, 6)]
FRONT = b"header, "
ITEMS = e.item() + b"".join(map(e.item, FRAGMENTS))
WHOLE = FRONT + ITEMS + SEQUENCE_DELIMITER
TRAILING = e.explicit(0x7FE10010, "LO", b"GROUP ") + e.explicit(0xFFFCFFFC, "OB", bytes(200))


def extent(content, **more):
    return encapsulated_extent(BytesSource(content), len(FRONT), **more)


def inflated(content):
    return InflatedSource(BytesSource(deflated(content)), 0, RAW)


@pytest.mark.parametrize("trailing", [b"", bytes(2), bytes(3000), TRAILING, TRAILING + bytes(100), b"\1" * 40])
@pytest.mark.parametrize("source_of", [BytesSource, inflated])
def test_the_end_is_behind_the_delimiter(trailing, source_of):
    found = encapsulated_extent(source_of(WHOLE + trailing), len(FRONT))
    assert (found.end, found.whole, found.delimited) == (len(WHOLE), True, True)


def test_a_delimiter_in_what_follows_is_not_taken_for_the_end():
    sequence = e.open_sequence(0x7FE10020, e.open_item(e.explicit(0x00080100, "SH", b"A ")))
    assert extent(WHOLE + sequence).end == len(WHOLE)
    behind = e.explicit(0x7FE10010, "OB", SEQUENCE_DELIMITER + bytes(4))
    assert extent(WHOLE + behind).end == len(WHOLE)


@pytest.mark.parametrize("source_of", [BytesSource, inflated])
@given(st.integers(len(FRONT), len(WHOLE) - 9))
def test_wherever_it_is_cut_it_is_not_whole(source_of, end):
    found = encapsulated_extent(source_of(WHOLE[:end]), len(FRONT), frames=5)
    assert found.end is None
    assert not found.whole


@pytest.mark.parametrize("missing", range(1, 9))
def test_without_its_delimiter_it_is_whole_but_not_delimited(missing):
    found = extent(WHOLE[:-missing], frames=5)
    assert (found.end, found.whole, found.delimited) == (None, True, False)


def test_a_frame_that_an_offset_table_names_is_missed():
    table = e.item(struct.pack("<2I", 0, 508))
    whole = FRONT + table + e.item(FRAGMENTS[0]) + e.item(FRAGMENTS[1])
    assert extent(whole + SEQUENCE_DELIMITER).whole
    assert extent(whole).whole
    assert not extent(whole[:-508]).whole, "though all of its items are"
    extended = FRONT + e.item() + e.item(FRAGMENTS[0])
    assert not extent(extended, last_frame=508).whole


def test_a_whole_file_costs_one_small_read():
    source = CountingSource(FRONT + e.item() + e.item(bytes(1 << 20)) * 50 + SEQUENCE_DELIMITER)
    assert encapsulated_extent(source, len(FRONT)).whole
    assert len(source.reads) == 1
    assert source.bytes_read <= 4096


def test_a_cut_file_with_a_table_costs_a_few_reads():
    frames = [bytes(10_000)] * 500
    table = e.item(struct.pack("<500I", *(10_008 * number for number in range(500))))
    content = FRONT + table + b"".join(map(e.item, frames))
    source = CountingSource(content[:-10])
    assert not encapsulated_extent(source, len(FRONT), frames=500).whole
    assert len(source.reads) < 8


def test_native_pixel_data_ends_with_its_length():
    for source in (BytesSource(bytes(100)), inflated(bytes(100))):
        assert native_extent(source, 60, 40).end == 100
        assert not native_extent(source, 60, 41).whole


# In the header


def encapsulated_file(frames=3):
    dataset = image(np.zeros((frames, 8, 8), np.uint8), NumberOfFrames=frames, PatientID="ID-1")
    return file_bytes(encapsulated(dataset, FRAGMENTS[:frames], JPEG, table=False))


def codes(content):
    header = read_header(BytesSource(content))
    assert header.first("00100020") == "ID-1"
    return header.status, [issue.code for issue in header.issues]


def test_a_header_says_that_encapsulated_pixel_data_is_cut():
    content = encapsulated_file()
    assert codes(content) == (HeaderStatus.OK, [])
    assert codes(content[:-100]) == (HeaderStatus.ISSUES, [IssueCode.PIXEL_DATA_CUT])
    assert codes(content[: -8 - 508]) == (HeaderStatus.ISSUES, [IssueCode.PIXEL_DATA_CUT])


def test_a_header_says_that_the_delimiter_is_missing():
    assert codes(encapsulated_file()[:-8]) == (HeaderStatus.ISSUES, [IssueCode.MISSING_DELIMITER])


def test_a_header_says_that_deflated_pixel_data_is_cut():
    elements = e.explicit(0x00100020, "LO", b"ID-1") + e.explicit(0x7FE00010, "OW", bytes(range(256)) * 400)
    content = e.meta(e.DEFLATED) + deflated(elements)
    assert codes(content) == (HeaderStatus.OK, [])
    assert codes(content[:-20]) == (HeaderStatus.ISSUES, [IssueCode.PIXEL_DATA_CUT])

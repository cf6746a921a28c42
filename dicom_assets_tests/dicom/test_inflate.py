"""Deflated data sets are inflated as far as they are read, and no further."""

import gzip
import random
import tracemalloc
import zlib

import pytest

from dicom_assets.dicom.header import read_header
from dicom_assets.dicom.inflate import GZIP, InflatedSource
from dicom_assets.dicom.source import BytesSource
from dicom_assets_tests.support.dicom import encoding as e
from dicom_assets_tests.support.dicom.images import CountingSource

CONTENT = random.Random(1).randbytes(1000) * 500


def deflated(content):
    compressor = zlib.compressobj(wbits=-15)
    return compressor.compress(content) + compressor.flush()


def test_reads_like_the_inflated_bytes():
    source = InflatedSource(BytesSource(b"meta" + deflated(CONTENT)), 4)
    rng = random.Random(2)
    for _ in range(50):
        offset, length = rng.randrange(len(CONTENT) + 100), rng.randrange(200_000)
        assert source.read(offset, length) == CONTENT[offset : offset + length]
    assert source.size == len(CONTENT)
    assert not source.corrupt


@pytest.mark.parametrize("end", [10, 100, 1000])
def test_a_cut_stream_ends_early(end):
    source = InflatedSource(BytesSource(deflated(CONTENT)[:end]), 0)
    found = source.read(0, len(CONTENT))
    assert CONTENT.startswith(found)
    assert len(found) < len(CONTENT)
    assert source.size == len(found)


def test_a_header_inflates_its_pixels_once_to_see_that_they_are_whole():
    pixels = random.Random(3).randbytes(4 << 20)
    data_set = e.HEAD + e.explicit(0x7FE00010, "OB", pixels)
    content = e.meta(e.DEFLATED) + deflated(data_set)
    source = CountingSource(content)
    tracemalloc.start()
    header = read_header(source)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert source.bytes_read < len(content) + 300_000
    assert peak < 2 << 20
    assert header.body.read(header.pixel.offset, header.pixel.length) == pixels


def test_what_is_behind_the_damage_is_not_there_the_second_time_either():
    source = InflatedSource(BytesSource(deflated(CONTENT)[:1000]), 0)
    found = source.read(0, len(CONTENT))
    assert source.corrupt
    assert source.read(0, len(CONTENT)) == found


def test_more_than_the_limit_is_not_inflated():
    source = InflatedSource(BytesSource(deflated(bytes(4 << 20))), 0, most=1 << 20)
    assert source.size <= (1 << 20) + (64 << 10)
    assert source.too_long


def test_members_of_a_gzip_file_follow_each_other():
    members = b"".join(gzip.compress(CONTENT[start : start + 99_999]) for start in range(0, len(CONTENT), 99_999))
    source = InflatedSource(BytesSource(members + bytes(1000)), 0, GZIP)
    assert source.read(0, len(CONTENT) + 1) == CONTENT
    assert source.read(5, 10) == CONTENT[5:15]
    assert source.size == len(CONTENT)
    assert not source.corrupt


def test_a_gzip_file_whose_checksum_is_wrong_is_damaged():
    content = bytearray(gzip.compress(CONTENT))
    content[-6] ^= 1
    source = InflatedSource(BytesSource(bytes(content)), 0, GZIP)
    assert source.size >= len(CONTENT) - (64 << 10)
    assert source.corrupt


def test_memory_does_not_follow_the_inflated_size():
    source = InflatedSource(BytesSource(deflated(bytes(64 << 20))), 0)
    tracemalloc.start()
    assert source.size == 64 << 20
    assert source.read((64 << 20) - 5, 10) == bytes(5)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 4 << 20

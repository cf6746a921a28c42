"""Deflated data sets are inflated as far as they are read, and no further."""

import random
import tracemalloc
import zlib

import pytest

from dicom_assets.dicom.inflate import InflatedSource
from dicom_assets.dicom.read import read_header
from dicom_assets.dicom.source import BytesSource
from dicom_assets_tests.dicom import encoding as e

CONTENT = random.Random(1).randbytes(1000) * 500


def deflated(content):
    compressor = zlib.compressobj(wbits=-15)
    return compressor.compress(content) + compressor.flush()


class Watched(BytesSource):
    """A source that knows how far it was read."""

    furthest = 0

    def read(self, offset, length):
        Watched.furthest = max(Watched.furthest, offset + length)
        return super().read(offset, length)


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


def test_a_header_does_not_inflate_its_pixels():
    pixels = random.Random(3).randbytes(4 << 20)
    data_set = e.HEAD + e.explicit(0x7FE00010, "OB", pixels)
    content = e.meta(e.DEFLATED) + deflated(data_set)
    Watched.furthest = 0
    header = read_header(Watched(content))
    assert Watched.furthest < 300_000
    assert header.body.read(header.pixel.offset, header.pixel.length) == pixels


def test_memory_does_not_follow_the_inflated_size():
    source = InflatedSource(BytesSource(deflated(bytes(64 << 20))), 0)
    tracemalloc.start()
    assert source.size == 64 << 20
    assert source.read((64 << 20) - 5, 10) == bytes(5)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 4 << 20

"""A buffer that moves forward over a file."""

import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dicom_assets.dicom.inflate import InflatedSource
from dicom_assets.dicom.read_ahead import ITEM_STEP, ReadAheadBuffer, ReadLimitError
from dicom_assets.dicom.source import BytesSource

CONTENT = bytes(range(251)) * 100


class Counting:
    """A source that keeps what was asked of it."""

    def __init__(self, data):
        self.size = len(data)
        self.reads = []
        self._source = BytesSource(data)

    def read(self, offset, length):
        self.reads.append((offset, length))
        return self._source.read(offset, length)


def inflated():
    deflater = zlib.compressobj(wbits=-15)
    return InflatedSource(BytesSource(deflater.compress(CONTENT) + deflater.flush()), 0)


@given(
    ranges=st.lists(st.tuples(st.integers(0, 8000), st.integers(0, 3000))),
    step=st.integers(1, 5000),
    largest=st.integers(1, 5000),
    is_inflated=st.booleans(),
)
def test_what_is_read_is_what_stands_there(ranges, step, largest, is_inflated):
    source = inflated() if is_inflated else BytesSource(CONTENT)
    buffer = ReadAheadBuffer(source, step, largest_step=max(step, largest))
    position = 0
    for ahead, count in ranges:
        position += ahead
        expected = CONTENT[position : position + count]
        assert buffer.peek(position, count) == expected
        assert buffer.read(position, count) == expected


@pytest.mark.parametrize("make", [lambda: BytesSource(CONTENT), inflated])
def test_the_end_is_told(make):
    buffer = ReadAheadBuffer(make(), 100)
    assert buffer.ensure(25_000, 100)
    assert not buffer.ensure(25_050, 51)
    assert buffer.reaches(25_100)
    assert not buffer.reaches(25_101)


def test_steps_grow_while_they_are_used_up_and_begin_anew_behind_what_is_skipped():
    source = Counting(CONTENT)
    buffer = ReadAheadBuffer(source, 100)
    for position in range(0, 1500, 50):
        buffer.read(position, 60)
    buffer.read(20_000, 8)
    lengths = [length for _, length in source.reads]
    assert lengths[:4] == [100, 200, 400, 800]
    assert source.reads[-1] == (20_000, 100)


def test_steps_over_items_do_not_grow():
    source = Counting(bytes(100_000))
    buffer = ReadAheadBuffer(source, ITEM_STEP, base=10, largest_step=ITEM_STEP)
    for position in range(10, 60_000, 3000):
        buffer.read(position, 12)
    assert {length for _, length in source.reads} == {ITEM_STEP}


def test_no_more_is_read_than_the_limit():
    buffer = ReadAheadBuffer(BytesSource(CONTENT), 100, most=1000)
    with pytest.raises(ReadLimitError):
        buffer.read(200, 2000)


def test_it_can_be_sent_back():
    buffer = ReadAheadBuffer(BytesSource(CONTENT), 100)
    buffer.read(5000, 10)
    buffer.back_to(300)
    assert buffer.read(300, 10) == CONTENT[300:310]

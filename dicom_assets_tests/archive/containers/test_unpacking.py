"""What packed content unpacks to is the same in whatever order it is read, and little more is unpacked than needed."""

import gzip
import random
import zlib
from functools import partial

import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from dicom_assets.archive.containers import unpacking
from dicom_assets.archive.containers.faults import Fault
from dicom_assets.archive.containers.unpacking import Inflater, Unpacked, Zstandard
from dicom_assets.dicom.inflate import GZIP, RAW
from dicom_assets.dicom.source import BytesSource, StorageError

_NOISE = random.Random(1)
CONTENT = b"".join(_NOISE.choice((_NOISE.randbytes(700), bytes(900))) for _ in range(400))


def raw(content):
    deflater = zlib.compressobj(6, wbits=-15)
    return deflater.compress(content) + deflater.flush()


def several(content):
    half = len(content) // 2
    return gzip.compress(content[:half]) + gzip.compress(content[half:]) + bytes(512)


FORMS = {
    "raw": (raw, partial(Inflater, form=RAW)),
    "gzip": (gzip.compress, partial(Inflater, form=GZIP)),
    "several gzip members": (several, partial(Inflater, form=GZIP)),
    "zstd": (lambda content: pa.Codec("zstd").compress(content, asbytes=True), Zstandard),
}


@pytest.fixture
def small_steps(monkeypatch):
    """Let every mechanism come into play within a few hundred kilobytes."""
    for name, value in (
        ("_FED", 5000),
        ("_PIECE", 3000),
        ("_WINDOW", 20_000),
        ("_FIRST_STRIDE", 10_000),
        ("_CHECKPOINTS", 8),
    ):
        monkeypatch.setattr(unpacking, name, value)


class Counted(BytesSource):
    read_so_far = 0

    def read(self, offset, length):
        data = super().read(offset, length)
        Counted.read_so_far += len(data)
        return data


@pytest.mark.parametrize("form", FORMS)
@settings(deadline=None, max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_any_range_may_be_read_in_any_order(form, small_steps, data):
    pack, start = FORMS[form]
    length = data.draw(st.sampled_from([None, len(CONTENT)]))
    opened = Unpacked(BytesSource(pack(CONTENT)), start, length, first=100)
    object.__setattr__(opened, "_stride", 10_000)
    ranges = st.tuples(st.integers(-10, len(CONTENT) + 10), st.integers(-1, 60_000))
    for offset, count in data.draw(st.lists(ranges, min_size=1, max_size=12)):
        expected = CONTENT[offset : offset + count] if offset >= 0 and count > 0 else b""
        assert opened.read(offset, count) == expected


def test_a_step_back_costs_what_lies_between_two_checkpoints(small_steps):
    packed = gzip.compress(CONTENT)
    opened = Unpacked(Counted(packed), FORMS["gzip"][1], first=100)
    object.__setattr__(opened, "_stride", 10_000)
    opened.read(0, len(CONTENT))
    Counted.read_so_far = 0
    for place in range(len(CONTENT) - 1000, 0, -30_000):
        assert opened.read(place, 500) == CONTENT[place : place + 500]
        assert Counted.read_so_far < len(packed) // 3
        Counted.read_so_far = 0
    assert len(opened._checkpoints) <= 8


def test_the_head_of_a_large_member_costs_a_small_part_of_it():
    packed = raw(random.Random(2).randbytes(1 << 20))
    opened = Unpacked(Counted(packed), FORMS["raw"][1], 1 << 20, first=1 << 14)
    Counted.read_so_far = 0
    opened.read(0, 4096)
    assert Counted.read_so_far == 1 << 14
    opened = Unpacked(Counted(packed), FORMS["raw"][1], 1 << 20, first=1 << 14)
    Counted.read_so_far = 0
    opened.read(0, 1 << 16)
    assert Counted.read_so_far < (1 << 16) + 2000


@pytest.mark.parametrize("form", FORMS)
def test_damage_ends_the_content(form, small_steps):
    pack, start = FORMS[form]
    opened = Unpacked(BytesSource(pack(CONTENT)[: len(pack(CONTENT)) // 3]), start, len(CONTENT))
    told = opened.read(0, len(CONTENT))
    assert CONTENT.startswith(told)
    assert len(told) < len(CONTENT)
    assert opened.damage.fault is Fault.DAMAGED
    assert opened.size == len(told)
    assert opened.read(len(told), 10) == b""


@pytest.mark.parametrize("form", ["gzip", "zstd"])
def test_what_unpacks_to_more_than_is_allowed_ends_there(form, monkeypatch):
    monkeypatch.setattr("dicom_assets.dicom.inflate.ANY_RATIO_BYTES", 1 << 20)
    pack, start = FORMS[form]
    opened = Unpacked(BytesSource(pack(bytes(8 << 20))), start)
    assert len(opened.read(0, 8 << 20)) < 2 << 20
    assert opened.damage.fault is Fault.RATIO


class Failing(BytesSource):
    fails = False

    def read(self, offset, length):
        if Failing.fails and offset:
            raise StorageError(5, "Input/output error")
        return super().read(offset, length)


@pytest.mark.parametrize("form", FORMS)
def test_a_fault_of_the_storage_is_none_of_the_content_and_passes(form, small_steps):
    pack, start = FORMS[form]
    opened = Unpacked(Failing(pack(CONTENT)), start, first=100)
    Failing.fails = True
    try:
        with pytest.raises(StorageError):
            opened.read(0, len(CONTENT))
    finally:
        Failing.fails = False
    assert opened.damage is None
    assert opened.read(0, len(CONTENT)) == CONTENT

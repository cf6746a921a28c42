"""Every source clamps what is asked of it: no number in a file makes reading fail, or give bytes from elsewhere."""

import zlib

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from dicom_assets.archive.bucket import BucketArchive
from dicom_assets.archive.local import LocalArchive
from dicom_assets.dicom.inflate import InflatedSource
from dicom_assets.dicom.source import BytesSource, HeadCachedSource, clamp

CONTENT = bytes(range(256)) * 2
HUGE = 1 << 70

ranges = (
    st.integers(-HUGE, HUGE) | st.integers(-600, 600),
    st.integers(-HUGE, HUGE) | st.integers(-600, 600),
)


def expected(offset, length):
    return CONTENT[offset : offset + length] if offset >= 0 and length > 0 else b""


@given(*ranges, st.integers(0, HUGE))
def test_a_range_is_clamped_to_the_file(offset, length, size):
    begin, count = clamp(offset, length, size)
    assert 0 <= begin <= size
    assert 0 <= count <= size - begin
    if offset >= 0 and length >= 0 and offset + length <= size:
        assert (begin, count) == (offset, length)


def deflated(content):
    compressor = zlib.compressobj(wbits=-15)
    return compressor.compress(content) + compressor.flush()


@pytest.fixture(scope="module", params=["bytes", "folder", "bucket", "inflated", "head", "head of a folder"])
def source(request, tmp_path_factory):
    root = tmp_path_factory.mktemp("archive")
    path = root / "x"
    path.write_bytes(CONTENT)
    match request.param:
        case "bytes":
            yield BytesSource(CONTENT)
        case "folder":
            with LocalArchive(str(root), 0).open(str(path)) as opened:
                yield opened
        case "bucket":
            with BucketArchive(f"file://{root}", 0).open(f"file://{root}/x") as opened:
                yield opened
        case "inflated":
            yield InflatedSource(BytesSource(deflated(CONTENT)), 0)
        case "head":
            yield HeadCachedSource(BytesSource(CONTENT), CONTENT[:100])
        case _:
            with LocalArchive(str(root), 0).open(str(path)) as opened:
                yield HeadCachedSource(opened, CONTENT[:100])


@settings(deadline=None)
@example(600, 12)
@example(512, 1)
@example(50, -60)
@example(0, HUGE)
@example(HUGE, 8)
@example(-3, 10)
@given(*ranges)
def test_any_range_may_be_read(source, offset, length):
    assert source.read(offset, length) == expected(offset, length)

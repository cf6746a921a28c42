"""What an object store is asked for: a ZIP is listed by its end, and a header costs one request."""

import random

import obstore
import pytest
from obstore.store import MemoryStore

from dicom_assets.archive.bucket import BucketArchive
from dicom_assets.archive.containers.archive import ContainerArchive
from dicom_assets.archive.versions import Listed
from dicom_assets_tests.support.containers import tar_of, tgz_of, zip_of

_NOISE = random.Random(1)
SLICES = {f"series/{number:04d}.dcm": _NOISE.randbytes(9_000) + bytes(9_000) for number in range(2000)}
LARGE = {"head first.dcm": bytes(3000) + _NOISE.randbytes(2 << 20)}


@pytest.fixture(scope="module")
def store():
    store = MemoryStore()
    for name, packed in (("x.zip", zip_of(SLICES)), ("large.zip", zip_of(LARGE)), ("x.tar", tar_of(SLICES))):
        obstore.put(store, f"{name}/{name}", packed)
    obstore.put(store, "x.tgz/x.tgz", tgz_of(dict(list(SLICES.items())[:200])))
    return store


@pytest.fixture
def archive(store):
    bucket = BucketArchive("s3://bucket", 1)
    bucket.__dict__["_opened"] = store
    return ContainerArchive(bucket)


@pytest.fixture
def asked(monkeypatch):
    """Lengths of the ranges that are asked for."""
    lengths, real = [], obstore.get

    def get(store, key, *, options):
        lengths.append(options["range"][1] - options["range"][0])
        return real(store, key, options=options)

    monkeypatch.setattr(obstore, "get", get)
    monkeypatch.setattr(obstore, "head", lambda *_: pytest.fail("the listing told it"))
    return lengths


def read(archive, row, length):
    with archive.open(row["path"], Listed(row["size"], row["source_version"])) as source:
        assert len(source.read(0, length)) == min(length, row["size"])


def test_a_zip_of_2000_members_lists_in_two_requests(archive, asked):
    assert archive.list("x.zip").num_rows == 2001
    assert len(asked) == 2
    assert sum(asked) < 200_000, "its directory and no more"


def test_a_header_costs_one_request_and_so_does_a_whole_member(archive, asked):
    (row,) = [row for row in archive.list("large.zip").to_pylist() if "!/" in row["path"]]
    for length, most in ((4096, 17 << 10), (64 << 10, 67 << 10), (row["size"], 3 << 20)):
        asked.clear()
        read(archive, row, length)
        assert sum(asked) <= most
        assert len(asked) == 1 + (length > 1 << 20) * 2, "more than a megabyte comes by the megabyte"
    members = [row for row in archive.list("x.zip").to_pylist() if "!/" in row["path"]]
    asked.clear()
    for row in members[:10]:
        read(archive, row, row["size"])
    assert len(asked) == 10


def test_a_tar_is_scanned_once_by_the_megabyte(archive, asked):
    members = [row for row in archive.list("x.tar").to_pylist() if "!/" in row["path"]]
    assert len(asked) < 45
    asked.clear()
    for row in members[:10]:
        read(archive, row, 64 << 10)
    assert len(asked) == 10


def test_a_compressed_tar_is_unpacked_once_for_all_its_members(archive, asked):
    members = [row for row in archive.list("x.tgz").to_pylist() if "!/" in row["path"]]
    asked.clear()
    for row in members:
        read(archive, row, row["size"])
    assert len(asked) <= 5

"""Listing and reading, on a file system and through the object store interface."""

import os
import pickle
from datetime import UTC, datetime

import pytest

from dicom_assets.archive.base import ArchiveError
from dicom_assets.archive.bucket import BucketArchive
from dicom_assets.archive.listing import LISTING_SCHEMA
from dicom_assets.archive.local import LocalArchive
from dicom_assets.archive.opening import SourceConfigError, open_archive
from dicom_assets.archive.prefixes import ROOT_PREFIX, PrefixError

FILES = {
    "top.dcm": b"t",
    "a/one.dcm": b"11",
    "a/deep/er/two.dcm": b"222",
    "b/_SUCCESS": b"",
    "b/.hidden": b"4444",
    "b c%20d/é #1.dcm": b"5",
}


@pytest.fixture
def root(tmp_path):
    for name, content in FILES.items():
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
        os.utime(path, ns=(1_700_000_000_123_456_789,) * 2)
    return tmp_path


@pytest.fixture(params=["folder", "bucket"])
def archive(request, root):
    """The same files, as a folder and through the interface of object stores."""
    return LocalArchive(str(root), 1) if request.param == "folder" else BucketArchive(f"file://{root}", 1)


def test_prefixes_are_sorted_with_the_root_first(archive):
    assert list(archive.prefixes()) == [ROOT_PREFIX, "a", "b", "b c%2520d"]


def test_every_file_is_in_one_listing_and_can_be_read(archive):
    found = {}
    for prefix in archive.prefixes():
        listing = archive.list(prefix)
        assert listing.schema.equals(LISTING_SCHEMA)
        for row in listing.to_pylist():
            with archive.open(row["path"]) as source:
                found[row["relative_path"]] = source.read(0, 100)
                assert (row["size"], source.size) == (len(FILES[row["relative_path"]]),) * 2
                assert source.read(1, 1) == FILES[row["relative_path"]][1:2], "ranges end with the file"
    assert found == FILES


def test_an_archive_travels_to_workers(archive):
    list(archive.prefixes())
    assert pickle.loads(pickle.dumps(archive)).list("a").equals(archive.list("a"))


def test_a_missing_file_is_a_file_not_found(archive):
    with pytest.raises(FileNotFoundError), archive.open(archive.list("a")["path"][0].as_py() + ".gone") as source:
        source.read(0, 1)


def test_a_prefix_that_is_gone_is_empty(archive):
    assert archive.list("gone").num_rows == 0


def test_a_key_that_is_no_prefix_is_refused(archive):
    with pytest.raises(PrefixError):
        archive.list("a/deep")


def test_a_root_that_is_gone_is_no_empty_archive(root):
    archive = LocalArchive(str(root / "unmounted"), 1)
    with pytest.raises(ArchiveError, match="cannot list the archive root"):
        archive.check()
    with pytest.raises(ArchiveError):
        list(archive.prefixes())
    with pytest.raises(ArchiveError):
        archive.list("a")


def test_depth_decides_what_a_prefix_is(root):
    assert list(LocalArchive(str(root), 0).prefixes()) == [ROOT_PREFIX]
    assert LocalArchive(str(root), 0).list(ROOT_PREFIX).num_rows == len(FILES)
    deep = LocalArchive(str(root), 2)
    assert list(deep.prefixes()) == [ROOT_PREFIX, "a/deep"]
    assert deep.list(ROOT_PREFIX).num_rows == len(FILES) - 1


def test_times_and_fingerprints_follow_the_file(root):
    archive = LocalArchive(str(root), 1)
    (before,) = archive.list(ROOT_PREFIX).to_pylist()
    assert before["modified_at"] == datetime(2023, 11, 14, 22, 13, 20, 123456, tzinfo=UTC)
    os.utime(root / "top.dcm", ns=(0, 0))
    (touched,) = archive.list(ROOT_PREFIX).to_pylist()
    assert touched["fingerprint"] != before["fingerprint"], "an older time is a change too"


def test_a_name_that_is_no_utf8_is_a_uri_and_can_be_read(root):
    (root / "a" / os.fsdecode(b"caf\xe9.dcm")).write_bytes(b"latin")
    archive = LocalArchive(str(root), 1)
    (odd,) = [row for row in archive.list("a").to_pylist() if row["path"].startswith("file://")]
    assert odd["path"].endswith("/a/caf%E9.dcm")
    assert odd["relative_path"] == "a/caf\ufffd.dcm"
    with archive.open(odd["path"]) as source:
        assert source.read(0, 10) == b"latin"


def test_a_link_to_a_folder_of_the_archive_is_not_followed_for_that_is_listed_in_its_place(root):
    (root / "a" / "loop").symlink_to(root / "a")
    (root / "a" / "other").symlink_to(root / "b")
    (root / "a" / "dangling.dcm").symlink_to(root / "nowhere")
    names = LocalArchive(str(root), 1).list("a")["relative_path"].to_pylist()
    assert names == ["a/dangling.dcm", "a/deep/er/two.dcm", "a/one.dcm"]


def test_what_is_no_file_is_left_out(root):
    os.mkfifo(root / "a" / "pipe")
    assert LocalArchive(str(root), 1).list("a").num_rows == 2


@pytest.mark.parametrize(
    ("source", "depth", "message"),
    [("", 1, "DICOM_ASSETS_SOURCE"), ("/data", -1, "0 or more")],
)
def test_what_cannot_be_meant_is_refused(source, depth, message):
    with pytest.raises(SourceConfigError, match=message):
        open_archive(source, depth)

"""What object stores do and folders do not: slow answers, folder markers, refusals that fill a page."""

import threading

import obstore
import pytest
from obstore.exceptions import GenericError

from dicom_assets.archive.base import ArchiveError
from dicom_assets.archive.bucket import BucketArchive
from dicom_assets.archive.listing import ListingError
from dicom_assets.archive.prefixes import ROOT_PREFIX

SECRET = "not-to-be-shown"


@pytest.fixture
def root(tmp_path):
    for name in ("x/a/1.dcm", "x/b/2.dcm", "x/3.dcm", "y/c/4.dcm", "z/5.dcm"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_bytes(b"0")
    return tmp_path


@pytest.fixture
def archive(root):
    return BucketArchive(f"file://{root}", 2)


def test_upper_folders_are_listed_in_order_and_whole(archive):
    assert list(archive.prefixes()) == [ROOT_PREFIX, "x/a", "x/b", "y/c"]
    assert archive.list(ROOT_PREFIX)["relative_path"].to_pylist() == ["x/3.dcm", "z/5.dcm"]


def test_the_folders_of_a_level_are_asked_for_side_by_side(archive, monkeypatch):
    real, together = obstore.list_with_delimiter, threading.Barrier(3, timeout=10)

    def slow(store, folder=None):
        if folder is not None:
            together.wait()  # breaks unless all three are under way
        return real(store, folder)

    monkeypatch.setattr(obstore, "list_with_delimiter", slow)
    assert len(list(archive.prefixes())) == 4
    assert archive.list(ROOT_PREFIX).num_rows == 2


def test_one_upper_folder_that_cannot_be_listed_is_an_error(archive, monkeypatch):
    real = obstore.list_with_delimiter

    def refusing(store, folder=None):
        if folder == "y":
            raise GenericError("Generic S3 error: Error performing GET: non-2xx status code: 503 Slow Down")
        return real(store, folder)

    monkeypatch.setattr(obstore, "list_with_delimiter", refusing)
    with pytest.raises(ArchiveError, match="HTTP 503"):
        list(archive.prefixes())
    with pytest.raises(ListingError, match="HTTP 503"):
        archive.list(ROOT_PREFIX)


def test_folder_markers_are_no_files(root, archive, monkeypatch):
    (root / "x" / "a" / "empty").touch()
    (root / "x" / "a" / "marker").touch()
    (root / "w").mkdir()
    (root / "w" / "marker").touch()
    real = obstore.head

    def head(store, key):
        if key.endswith("marker"):  # its key has a slash at the end, which the listing does not show
            raise FileNotFoundError
        return real(store, key)

    monkeypatch.setattr(obstore, "head", head)
    assert archive.list("x/a")["relative_path"].to_pylist() == ["x/a/1.dcm", "x/a/empty"]
    assert archive.list(ROOT_PREFIX).num_rows == 2
    (root / "x" / "3.dcm").unlink()
    (root / "z" / "5.dcm").unlink()
    assert ROOT_PREFIX not in list(archive.prefixes()), "it would be a partition without files"


def test_options_of_the_connection_go_with_those_of_the_store():
    options = {
        "aws_endpoint_url": "http://127.0.0.1:1",
        "aws_allow_http": "true",
        "timeout": "5s",
        "aws_region": "somewhere",
        "aws_access_key_id": "someone",
        "aws_secret_access_key": SECRET,
    }
    archive = BucketArchive("s3://bucket/folder", 1, options)
    assert SECRET not in repr(archive)
    with pytest.raises(
        ArchiveError, match="cannot list the archive root s3://bucket/folder: connection refused"
    ) as told:
        archive.check()
    assert SECRET not in str(told.value)
    with pytest.raises(ArchiveError, match="plain HTTP"):
        BucketArchive("s3://bucket/folder", 1, options | {"aws_allow_http": "false"}).check()

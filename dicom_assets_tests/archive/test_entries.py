"""Whatever is wrong with an entry of a folder costs that entry."""

import os
import pickle
import shutil
import tempfile
from datetime import UTC, datetime
from pathlib import Path

import pytest

from dicom_assets.archive.base import ArchiveError
from dicom_assets.archive.found_files import instant
from dicom_assets.archive.listing import UNKNOWN, ListingError
from dicom_assets.archive.local import LocalArchive
from dicom_assets.archive.prefixes import ROOT_PREFIX
from dicom_assets.archive.reading import NotAFileError
from dicom_assets_tests.support.denied import denied


@pytest.fixture
def root(tmp_path):
    for name in ("a/one", "a/deep/two", "b/three"):
        path = tmp_path / "root" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(name.encode())
    return tmp_path / "root"


@pytest.fixture
def archive(root):
    return LocalArchive(str(root), 1)


def names(archive, prefix="a"):
    return archive.list(prefix)["relative_path"].to_pylist()


def partly_listed(archive, prefix):
    """Return the names that a listing has that is not whole, and why."""
    with pytest.raises(ListingError) as told:
        archive.list(prefix)
    return told.value.listed["relative_path"].to_pylist(), str(told.value)


def _self(folder):
    (folder / "bad").symlink_to("bad")


def _pair(folder):
    (folder / "bad").symlink_to("worse")
    (folder / "worse").symlink_to("bad")


def _through_a_file(folder):
    (folder / "bad").symlink_to("one/x")


def _overlong(folder):
    (folder / "bad").symlink_to("x" * 300)


@pytest.mark.parametrize(
    ("make", "reason"),
    [
        (_self, "Too many levels of symbolic links"),
        (_pair, "Too many levels of symbolic links"),
        (_through_a_file, "Not a directory"),
        (_overlong, "File name too long"),
    ],
)
def test_a_link_that_leads_nowhere_is_a_row_and_says_why_when_it_is_opened(archive, root, make, reason):
    make(root / "a")
    assert "a/bad" in names(archive)
    assert {"a/one", "a/deep/two"} <= set(names(archive))
    path = str(root / "a" / "bad")
    with pytest.raises(NotAFileError) as told, archive.open(path):
        pass
    assert told.value.strerror == reason


@pytest.mark.parametrize("make", [_self, _through_a_file, _overlong])
def test_a_bad_link_above_the_prefix_depth_does_not_hide_the_prefixes(archive, root, make):
    (root / "one").touch()
    make(root)
    assert list(archive.prefixes()) == [ROOT_PREFIX, "a", "b"]
    assert names(archive, ROOT_PREFIX) == ["bad", "one"]


def test_a_folder_that_cannot_be_listed_is_told_and_the_rest_of_its_prefix_is_listed(archive, root):
    with denied(root / "a" / "deep"):
        found, why = partly_listed(archive, "a")
        assert found == ["a/one"]
        assert why == f"cannot list {root}/a/deep: Permission denied"
        assert names(archive, "b") == ["b/three"]
        assert list(archive.prefixes()) == ["a", "b"]


def test_a_prefix_that_cannot_be_listed_is_not_an_empty_one(archive, root):
    with denied(root / "a"):
        assert partly_listed(archive, "a") == ([], f"cannot list {root}/a: Permission denied")
        assert list(archive.prefixes()) == ["a", "b"]


def test_a_folder_above_the_prefix_depth_that_cannot_be_listed_does_not_hide_the_others(root):
    (root / "b" / "deep").mkdir()
    (root / "top").touch()
    deep = LocalArchive(str(root), 2)
    with denied(root / "a"):
        prefixes = deep.prefixes()
        assert list(prefixes) == [ROOT_PREFIX, "b/deep"]
        assert prefixes.unlisted == [f"cannot list {root}/a: Permission denied"]
        found, why = partly_listed(deep, ROOT_PREFIX)
        assert found == ["b/three", "top"]
        assert "Permission denied" in why
        assert partly_listed(deep, "a/deep")[1] == f"cannot list {root}/a/deep: Permission denied"


def test_files_of_a_folder_that_shows_only_names_are_rows_of_which_nothing_is_known(archive, root):
    with denied(root / "a" / "deep", 0o444):
        (row,) = [row for row in archive.list("a").to_pylist() if row["relative_path"] == "a/deep/two"]
        assert (row["size"], row["modified_at"], row["fingerprint"]) == (None, None, UNKNOWN)
        with pytest.raises(PermissionError), archive.open(row["path"]):
            pass


def test_a_root_that_cannot_be_listed_is_an_error_of_the_archive(archive, root):
    with denied(root), pytest.raises(ArchiveError, match="cannot list the archive root"):
        archive.prefixes()
    with denied(root), pytest.raises(ArchiveError, match="cannot list the archive root"):
        LocalArchive(str(root), 0).list(ROOT_PREFIX)


def test_a_listing_error_travels():
    assert str(pickle.loads(pickle.dumps(ListingError("cannot list")))) == "cannot list"


@pytest.mark.parametrize("name", ["a", "a/deep"])
def test_a_folder_that_became_a_file_is_gone(root, name):
    archive = LocalArchive(str(root), name.count("/") + 1)
    shutil.rmtree(root / name)
    (root / name).touch()
    assert archive.list(name).num_rows == 0


def test_a_path_of_any_length_is_listed_and_read(archive, root):
    before = Path.cwd()
    os.chdir(root / "a")
    try:
        for level in range(40):
            Path(f"{level:0200d}").mkdir()
            os.chdir(f"{level:0200d}")
        Path("deepest").write_bytes(b"found")
    finally:
        os.chdir(before)
    (row,) = [row for row in archive.list("a").to_pylist() if row["relative_path"].endswith("/deepest")]
    assert len(row["path"]) > 8000
    assert row["size"] == 5
    with archive.open(row["path"]) as source:
        assert source.read(0, 10) == b"found"


def test_names_with_control_characters_and_no_utf8_are_listed_and_read(root):
    odd = [b"line\nbreak", b"\x1b[31mred", b"tab\t\x7f", b"latin \xe9", b"\xff\xfe"]
    for name in odd:
        folder = root / os.fsdecode(name)
        folder.mkdir()
        (folder / os.fsdecode(name)).write_bytes(name)
    archive = LocalArchive(str(root), 1)
    found = []
    for prefix in archive.prefixes():
        for row in archive.list(prefix).to_pylist():
            with archive.open(row["path"]) as source:
                found.append(source.read(0, 100))
    assert sorted(found) == sorted([*odd, b"a/one", b"a/deep/two", b"b/three"])


@pytest.mark.parametrize(
    ("seconds", "time"),
    [
        (-1, datetime(1969, 12, 31, 23, 59, 59, tzinfo=UTC)),
        (-62_135_596_800, datetime(1, 1, 1, tzinfo=UTC)),
        (-62_135_596_801, None),
        (253_402_300_799, datetime(9999, 12, 31, 23, 59, 59, tzinfo=UTC)),
        (253_402_300_800, None),
        (2**63 - 1, None),
        (-(2**63), None),
    ],
)
def test_a_time_that_no_calendar_has_is_null(seconds, time):
    assert instant(seconds * 10**9) == time


@pytest.mark.skipif(not os.access("/dev/shm", os.W_OK), reason="no file system at hand that keeps such times")
@pytest.mark.parametrize("year", [-300, 1900, 12_000])
def test_a_file_with_a_time_out_of_any_calendar_is_a_row(year):
    seconds = int((year - 1970) * 365.2425 * 86_400)
    with tempfile.TemporaryDirectory(dir="/dev/shm") as folder:
        (Path(folder) / "odd").touch()
        os.utime(Path(folder) / "odd", (seconds, seconds))
        if (Path(folder) / "odd").stat().st_mtime != seconds:
            pytest.skip("the file system does not keep such times")
        (row,) = LocalArchive(folder, 1).list(ROOT_PREFIX).to_pylist()
    assert row["fingerprint"] == f"0-{seconds * 10**9}"
    assert (row["modified_at"] is None) == (year != 1900)


def test_a_file_that_is_removed_while_its_folder_is_listed_is_left_out(archive, root, monkeypatch):
    original = os.scandir

    class Removing:
        def __init__(self, folder):
            self.entries = original(folder)

        def __enter__(self):
            return self

        def __exit__(self, *_):
            self.entries.close()

        def __iter__(self):
            for entry in self.entries:
                if entry.name == "one":
                    (root / "a" / "one").unlink()
                yield entry

    monkeypatch.setattr(os, "scandir", Removing)
    assert names(archive) == ["a/deep/two"]


def test_a_listing_that_breaks_off_says_so(archive, root, monkeypatch):
    original = os.scandir

    class Breaking:
        def __init__(self, folder):
            self.entries = original(folder)

        def __enter__(self):
            return self

        def __exit__(self, *_):
            self.entries.close()

        def __iter__(self):
            yield next(iter(self.entries))
            raise OSError(5, "Input/output error")

    monkeypatch.setattr(os, "scandir", Breaking)
    found, why = partly_listed(archive, "b")
    assert found == ["b/three"]
    assert why == f"cannot list {root}/b: Input/output error"

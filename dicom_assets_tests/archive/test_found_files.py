"""Files of a prefix are the same rows whether they are made at once or one by one."""

import os
import stat
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dicom_assets.archive import found_files
from dicom_assets.archive.file_systems import InodeNumbers
from dicom_assets.archive.found_files import _at_once, _row, listing_of
from dicom_assets.archive.listing import LISTING_SCHEMA, to_table
from dicom_assets.archive.local import LocalArchive
from dicom_assets.archive.prefixes import ROOT_PREFIX
from dicom_assets.archive.walk import Found

NAMES = st.text(st.characters(codec="ascii", exclude_characters="/\0"), min_size=1, max_size=8)
TIMES = st.integers(0, (1 << 63) - 1) | st.integers(1_500_000_000_000_000_000, 1_800_000_000_000_000_000)
NUMBERS = st.integers(0, (1 << 64) - 1)
SIZES = st.integers(0, (1 << 63) - 1)


def status(size=10, modified=5_000, changed=6_000, inode=7, device=1, mode=stat.S_IFREG):
    fields = [mode, inode, device, 1, 0, 0, size, 0, modified // 10**9, changed // 10**9]
    seconds = [0.0, modified / 1e9, changed / 1e9]
    return os.stat_result([*fields, *seconds, 0, modified, changed])


def found(name, **told):
    return Found(f"/archive/a/{name}", f"a/{name}", status(**told))


def one_by_one(files):
    inodes = InodeNumbers()
    return to_table("a", (_row(file, inodes) for file in files))


@pytest.fixture(params=[True, False], ids=["inodes kept", "inodes made up"])
def kept(request, monkeypatch):
    monkeypatch.setattr(InodeNumbers, "kept", lambda *_: request.param)
    return request.param


def test_rows_are_those_that_each_file_gives_by_itself(kept):
    @given(st.dictionaries(NAMES, st.tuples(SIZES, TIMES, TIMES, NUMBERS), min_size=1, max_size=20))
    def same(told):
        files = [
            found(name, size=size, modified=modified, changed=changed, inode=inode)
            for name, (size, modified, changed, inode) in told.items()
        ]
        at_once = _at_once("a", files)
        assert at_once is not None
        assert at_once.equals(one_by_one(files))
        assert all(version.count("-") == 2 + kept for version in at_once["source_version"].to_pylist())

    same()


ODD = {
    "nothing is told": Found("/archive/a/x", "a/x", None),
    "another device": found("x", device=2),
    "a name that is no ASCII": found("é"),
    "a name that is no text": found("\udcff"),
    "modified before 1970": found("x", modified=-1),
    "changed before 1970": found("x", changed=-1),
    "modified after 2262": found("x", modified=1 << 63),
    "changed after 2262": found("x", changed=1 << 63),
}


@pytest.mark.parametrize("name", ODD)
def test_a_file_out_of_the_ordinary_has_all_made_one_by_one(name, kept):
    files = [found("b"), ODD[name], found("a")]
    assert _at_once("a", files) is None
    assert listing_of("a", files).equals(one_by_one(files))


def test_no_file_is_an_empty_listing():
    assert listing_of("a", []).equals(LISTING_SCHEMA.empty_table())


@pytest.mark.parametrize("order", [1, -1])
def test_a_link_that_is_not_followed_is_on_the_file_system_of_its_folder(order, monkeypatch):
    asked = []
    monkeypatch.setattr(found_files, "InodeNumbers", lambda: _Asked(asked))
    files = [found("a", mode=stat.S_IFLNK), found("b")][::order]
    listing_of("a", files)
    assert asked == ["/archive/a"]


class _Asked:
    def __init__(self, asked):
        self._asked = asked

    def kept(self, path, _device):
        self._asked.append(path)
        return True


def test_files_of_a_disk_are_made_at_once(tmp_path, monkeypatch):
    """Else the fast way would be tested alone, and never taken."""
    monkeypatch.setattr(found_files, "_row", lambda *_: pytest.fail("one by one"))
    for name in ("b", "a"):
        Path(tmp_path, name).write_bytes(b"1")
    listed = LocalArchive(str(tmp_path), 0).list(ROOT_PREFIX)
    assert [Path(path).name for path in listed["path"].to_pylist()] == ["a", "b"]

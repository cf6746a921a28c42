"""Prefixes that are cut through names of folders: on a file system, and through the interface of object stores."""

import obstore
import pyarrow as pa
import pytest
from obstore.store import MemoryStore

from dicom_assets.archive import bucket_listing, folder_names
from dicom_assets.archive.bucket import BucketArchive
from dicom_assets.archive.listing import ListingError
from dicom_assets.archive.local import LocalArchive
from dicom_assets.archive.opening import SourceConfigError, open_archive
from dicom_assets.archive.prefixes import PrefixCut
from dicom_assets_tests.support.denied import deny
from dicom_assets_tests.support.made_up import write

FILES = (
    "top",
    "abd",
    "abc/1",
    "abc-1/deep/er/2",
    "abcd/3",
    "abd/4",
    "ab/5",
    "a*b/6",
    ".h/7",
    "..h/8",
    "\u00e9t\u00e9/9",
    "e\u0301/10",
    "zz/11",
)
KEYS = {
    1: {".", "a*", "%2E*", "\u00e9*", "e*", "z*"},
    2: {".", "ab*", "a%2A*", ".h*", "..*", "\u00e9t*", "e\u0301*", "zz*"},
    3: {".", "abc*", "abd*", "ab", "a%2Ab*", ".h", "..h*", "\u00e9t\u00e9*", "e\u0301", "zz"},
}


@pytest.fixture
def root(tmp_path):
    for name in FILES:
        if name != "abd":
            write(tmp_path / name, when=1_700_000_000)
    return tmp_path


def in_memory(names, chars, depth=1):
    store, archive = MemoryStore(), BucketArchive("memory://archive", depth, chars=chars)
    archive.__dict__["_opened"] = store
    for name in names:
        obstore.put(store, name, b"x")
    return archive


@pytest.fixture(params=["folder", "bucket in order", "bucket in any order"])
def cut_after(request, root):
    """Return a function that gives the archive, cut after some characters."""
    return {
        "folder": lambda chars: LocalArchive(str(root), 1, chars=chars),
        "bucket in order": lambda chars: in_memory(FILES, chars),
        "bucket in any order": lambda chars: BucketArchive(f"file://{root}", 1, chars=chars),
    }[request.param]


def relative(listing):
    return listing["relative_path"].to_pylist()


@pytest.mark.parametrize("chars", KEYS)
def test_each_file_is_in_the_listing_of_its_prefix_and_in_no_other(cut_after, chars):
    archive, whole = cut_after(chars), cut_after(0)
    keys = list(archive.prefixes())
    assert set(keys) == KEYS[chars]
    assert keys == [".", *sorted(keys[1:])]
    listings = [archive.list(key) for key in keys]
    assert all(listing.num_rows for listing in listings)
    for key, listing in zip(keys, listings, strict=True):
        assert {archive.cut.key(name.split("/")[:-1]) for name in relative(listing)} == {key}
        assert relative(listing) == sorted(relative(listing)) or key == "."
    uncut = pa.concat_tables([whole.list(key) for key in whole.prefixes()])
    same = pa.concat_tables(listings).sort_by("path").drop_columns("prefix")
    assert same.drop_columns("modified_at").equals(uncut.sort_by("path").drop_columns(["prefix", "modified_at"]))


def test_a_cut_below_the_first_directory(root):
    for name in ("2024/pat1/x", "2024/pat2/x", "2024/other/x", "2025/pat1/x", "2024/loose"):
        write(root / name)
    for archive in (LocalArchive(str(root), 2, chars=3), BucketArchive(f"file://{root}", 2, chars=3)):
        assert [key for key in archive.prefixes() if key.startswith("202")] == ["2024/oth*", "2024/pat*", "2025/pat*"]
        assert relative(archive.list("2024/pat*")) == ["2024/pat1/x", "2024/pat2/x"]
        assert "2024/loose" in relative(archive.list("."))
        assert archive.list("1999/pat*").num_rows == 0


def test_a_prefix_without_folders_is_empty_and_has_none(root):
    archive = LocalArchive(str(root), 1, chars=3)
    assert archive.list("xyz*").num_rows == 0
    assert archive.folder("xyz*") is None
    assert archive.folder("abc*") == LocalArchive(str(root), 1).folder("abc")


def test_a_folder_of_many_is_listed_once_for_all_its_prefixes(root, monkeypatch):
    listed = []
    original = folder_names._list
    monkeypatch.setattr(folder_names, "_RACY_SECONDS", -1.0)
    monkeypatch.setattr(folder_names, "_list", lambda *given: listed.append(given) or original(*given))
    archive = LocalArchive(str(root), 1, chars=2)
    for _ in range(2):
        for key in archive.prefixes():
            archive.list(key)
    assert len(listed) == 1


def test_the_prefixes_of_more_folders_than_are_remembered_list_each_once(tmp_path, monkeypatch):
    for number in range(20):
        write(tmp_path / f"{number:02}" / "pat" / "x")
    listed = []
    original = folder_names._list
    monkeypatch.setattr(folder_names, "_list", lambda *given: listed.append(given) or original(*given))
    assert len(list(LocalArchive(str(tmp_path), 2, chars=1).prefixes())) == 20
    assert len(listed) == 20


def test_what_comes_and_goes_is_seen_at_once(root):
    archive = LocalArchive(str(root), 1, chars=2)
    assert relative(archive.list("zz*")) == ["zz/11"]
    write(root / "zzz" / "12")
    assert relative(archive.list("zz*")) == ["zz/11", "zzz/12"]
    (root / "zzz" / "12").unlink()
    (root / "zzz").rmdir()
    assert relative(archive.list("zz*")) == ["zz/11"]


def test_what_changes_within_one_tick_of_the_clock_is_seen(root, monkeypatch):
    archive = LocalArchive(str(root), 1, chars=2)
    frozen = root.stat()
    monkeypatch.setattr(folder_names.os, "fstat", lambda _: frozen)
    assert relative(archive.list("zz*")) == ["zz/11"]
    write(root / "zzz" / "12")
    assert relative(archive.list("zz*")) == ["zz/11", "zzz/12"]


def test_a_folder_that_cannot_be_listed_costs_its_own_files_only(root, monkeypatch):
    deny(monkeypatch, root / "abcd")
    archive = LocalArchive(str(root), 1, chars=3)
    assert "abc*" in list(archive.prefixes())
    with pytest.raises(ListingError, match="abcd") as failed:
        archive.list("abc*")
    assert relative(failed.value.listed) == ["abc-1/deep/er/2", "abc/1"]


def test_a_folder_of_folders_that_cannot_be_listed_hides_nothing(root, monkeypatch):
    write(root / "2024" / "pat1" / "x")
    archive = LocalArchive(str(root), 2, chars=3)
    deny(monkeypatch, root / "2024")
    present = archive.prefixes()
    assert ["2024" in reason for reason in present.unlisted] == [True]
    with pytest.raises(ListingError, match="2024"):
        archive.list("2024/pat*")
    assert archive.folder("2024/pat*") is not None, "what cannot be told is not gone"


def test_links_to_folders_count_by_their_own_names(root, tmp_path_factory):
    elsewhere = tmp_path_factory.mktemp("elsewhere")
    write(elsewhere / "13")
    (root / "abz").symlink_to(elsewhere)
    (root / "loop").symlink_to(root / "zz")
    archive = LocalArchive(str(root), 1, outside=True, chars=3)
    keys = set(archive.prefixes())
    assert keys - KEYS[3] == {"abz*"}, "what is listed in its own place is no prefix"
    assert relative(archive.list("abz*")) == ["abz/13"]


def test_of_a_bucket_in_order_no_more_is_listed_than_the_prefix_and_a_page(monkeypatch):
    names = [f"p{number:05}/x" for number in range(6000)]
    archive = in_memory(names, 3)
    pages = []
    original = obstore.list

    def counted(*given, **options):
        for page in original(*given, **options):
            pages.append(page)
            yield page

    monkeypatch.setattr(bucket_listing.obstore, "list", counted)
    assert relative(archive.list("p04*")) == names[4000:5000]
    assert len(pages) == 2
    assert pages[0][0]["path"] == names[4000]


@pytest.mark.parametrize(
    ("cut", "message"),
    [(PrefixCut(1, -1), "prefix chars is -1"), (PrefixCut(0, 2), "depth of 0 has none"), (PrefixCut(-1), "0 or more")],
)
def test_a_cut_that_cannot_be_is_refused(cut, message):
    with pytest.raises(SourceConfigError, match=message):
        open_archive("/data", cut)

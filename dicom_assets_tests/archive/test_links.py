"""Where links lead: once to each folder, never out of the archive or into the lake unless asked."""

import os

import pytest

from dicom_assets.archive.local import LocalArchive
from dicom_assets.archive.prefixes import ROOT_PREFIX
from dicom_assets.archive.reading import NotAFileError


@pytest.fixture
def root(tmp_path):
    for name in ("root/a/one", "root/b/two", "elsewhere/x/three", "elsewhere/x/sub/four"):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(name)
    return tmp_path / "root"


@pytest.fixture
def elsewhere(tmp_path):
    return tmp_path / "elsewhere"


def opened(root, **options):
    return LocalArchive(str(root), 1, **options)


def listed(archive):
    return [name for prefix in archive.prefixes() for name in archive.list(prefix)["relative_path"].to_pylist()]


def paired_links(folder, levels):
    """Make folders that hold two links each to the next: twice as many ways lead to each as to the one before."""
    for level in range(levels):
        (folder / f"{level:02d}").mkdir(parents=True)
        for name in ("left", "right"):
            (folder / f"{level:02d}" / name).symlink_to(folder / f"{level + 1:02d}")
    (folder / f"{levels:02d}").mkdir()
    (folder / f"{levels:02d}" / "file").touch()


@pytest.mark.parametrize("outside", [False, True])
def test_a_file_is_listed_once_however_many_linked_folders_lead_to_it(root, outside):
    paired_links(root / "c", 16)
    assert listed(opened(root, outside=outside)) == ["a/one", "b/two", "c/16/file"]


def test_a_file_outside_is_listed_once_however_many_linked_folders_lead_to_it(root, elsewhere):
    paired_links(elsewhere / "pairs", 16)
    (root / "a" / "in").symlink_to(elsewhere / "pairs" / "00")
    found = [name for name in listed(opened(root, outside=True)) if name.endswith("/file")]
    assert found == ["a/in" + "/left" * 16 + "/file"]


def test_prefixes_that_link_to_each_other_are_listed_in_their_own_places(root):
    (root / "a" / "to b").symlink_to(root / "b")
    (root / "b" / "to a").symlink_to("../a")
    (root / "c").symlink_to("a")
    archive = opened(root)
    assert list(archive.prefixes()) == ["a", "b"]
    assert listed(archive) == ["a/one", "b/two"]
    assert archive.list("c").num_rows == 0, "a prefix that became a link is gone"


def test_a_link_to_a_folder_elsewhere_is_a_row_that_says_so_unless_it_is_to_be_followed(root, elsewhere):
    (root / "a" / "out").symlink_to(elsewhere)
    (root / "out").symlink_to(elsewhere)
    archive = opened(root)
    assert list(archive.prefixes()) == [ROOT_PREFIX, "a", "b"]
    assert listed(archive) == ["out", "a/one", "a/out", "b/two"]
    with pytest.raises(NotAFileError, match="leads out of the archive"), archive.open(str(root / "a" / "out")):
        pass
    followed = opened(root, outside=True)
    assert list(followed.prefixes()) == ["a", "b", "out"]
    assert followed.list("out")["relative_path"].to_pylist() == ["out/x/sub/four", "out/x/three"]
    assert followed.list("a")["relative_path"].to_pylist() == ["a/one", "a/out/x/sub/four", "a/out/x/three"]


def test_a_link_to_a_file_elsewhere_is_a_row_that_is_read_only_when_asked(root, elsewhere):
    (root / "a" / "out").symlink_to(elsewhere / "x" / "three")
    path = str(root / "a" / "out")
    before = {row["path"]: row for row in opened(root).list("a").to_pylist()}[path]
    with pytest.raises(NotAFileError, match="leads out of the archive"), opened(root).open(path):
        pass
    followed = opened(root, outside=True)
    after = {row["path"]: row for row in followed.list("a").to_pylist()}[path]
    with followed.open(path) as source:
        assert source.read(0, 99) == b"elsewhere/x/three"
    assert after["size"] == 17
    assert after["fingerprint"] != before["fingerprint"], "so that the file is read once links are followed"


def test_links_to_files_of_the_archive_are_files_of_their_own_names(root):
    """As git-annex has them; its own folder is not listed, or each file would be there twice."""
    store = root / ".git" / "annex" / "objects" / "f7" / "KEY"
    store.mkdir(parents=True)
    (store / "KEY").write_bytes(b"annexed")
    (root / "a" / "slice.dcm").symlink_to("../.git/annex/objects/f7/KEY/KEY")
    archive = opened(root)
    assert listed(archive) == ["a/one", "a/slice.dcm", "b/two"]
    with archive.open(str(root / "a" / "slice.dcm")) as source:
        assert source.read(0, 99) == b"annexed"
    assert archive.list(".git").num_rows == 0


def test_a_folder_that_holds_the_archive_is_followed_around_it(root, tmp_path, elsewhere):
    (root / "a" / "up").symlink_to(tmp_path)
    found = opened(root, outside=True).list("a")["relative_path"].to_pylist()
    assert found == ["a/one"], "it is above its own link"
    (elsewhere / "x" / "back").symlink_to(root / "b")
    (elsewhere / "x" / "self").symlink_to(elsewhere)
    (root / "b" / "out").symlink_to(elsewhere)
    found = opened(root, outside=True).list("b")["relative_path"].to_pylist()
    assert found == ["b/out/x/sub/four", "b/out/x/three", "b/two"]


def test_of_links_to_overlapping_folders_the_choice_does_not_depend_on_the_disk(root, elsewhere, monkeypatch):
    (root / "a" / "1").symlink_to(elsewhere / "x" / "sub")
    (root / "a" / "2").symlink_to(elsewhere / "x")
    archive = opened(root, outside=True)
    found = archive.list("a")["relative_path"].to_pylist()
    assert found == ["a/1/four", "a/2/three", "a/one"]
    original = os.scandir

    class Backwards:
        def __init__(self, folder):
            with original(folder) as entries:
                self.entries = sorted(entries, key=lambda entry: entry.name, reverse=True)

        def __enter__(self):
            return iter(self.entries)

        def __exit__(self, *_):
            pass

    monkeypatch.setattr(os, "scandir", Backwards)
    assert archive.list("a")["relative_path"].to_pylist() == found


@pytest.mark.parametrize("outside", [False, True])
def test_the_lake_is_never_entered(root, tmp_path, outside):
    lake = tmp_path / "lake"
    (lake / "dicom").mkdir(parents=True)
    (lake / "dicom" / "part-0.parquet").touch()
    (root / "a" / "tables").symlink_to(lake / "dicom")
    (root / "a" / "part").symlink_to(lake / "dicom" / "part-0.parquet")
    archive = opened(root, outside=outside, lake=str(lake))
    assert listed(archive) == ["a/one", "a/part", "a/tables", "b/two"]
    with pytest.raises(NotAFileError, match="into the lake"), archive.open(str(root / "a" / "part")):
        pass
    inside = root / "lake"
    (inside / "dicom").mkdir(parents=True)
    (inside / "dicom" / "part-0.parquet").touch()
    assert not [name for name in listed(opened(root, outside=outside, lake=str(inside))) if name.startswith("lake")]


def test_the_lake_is_not_entered_by_way_of_a_folder_that_holds_it(root, elsewhere):
    (elsewhere / "lake").mkdir()
    (elsewhere / "lake" / "part-0.parquet").touch()
    (root / "a" / "out").symlink_to(elsewhere)
    archive = opened(root, outside=True, lake=str(elsewhere / "lake"))
    assert listed(archive) == ["a/one", "a/out/x/sub/four", "a/out/x/three", "b/two"]


def test_an_archive_in_the_folder_of_a_lake_is_listed(root, tmp_path):
    assert listed(opened(root, lake=str(tmp_path))) == ["a/one", "b/two"]


def test_an_archive_whose_root_is_a_link_is_listed(root, tmp_path):
    (tmp_path / "link").symlink_to(root)
    (root / "a" / "within").symlink_to(tmp_path / "link" / "b" / "two")
    archive = opened(tmp_path / "link")
    assert listed(archive) == ["a/one", "a/within", "b/two"]
    with archive.open(str(tmp_path / "link" / "a" / "within")) as source:
        assert source.read(0, 99) == b"root/b/two"


def test_links_to_what_is_no_file_are_left_out(root):
    (root / "a" / "null").symlink_to("/dev/null")
    assert listed(opened(root, outside=True)) == ["a/one", "b/two"]


def test_a_link_that_is_not_followed_says_nothing_of_the_file_system_it_stands_on(root):
    """The first file of a device tells whether inode numbers count there; that of a link is told by its folder."""
    before = opened(root).list("a")["source_version"].to_pylist()
    (root / "a" / "0").symlink_to("/proc/self/nowhere")
    after = opened(root).list("a").to_pylist()
    assert [row["source_version"] for row in after if row["relative_path"] != "a/0"] == before
    assert len({row["source_version"].count("-") for row in after}) == 1

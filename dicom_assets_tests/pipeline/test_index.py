"""The index follows the archive, in each mode."""

import pytest

from dicom_assets.archive.listing import UNKNOWN
from dicom_assets.archive.walk import Walk
from dicom_assets.pipeline.deletions import DeletionGuard, MassDeletionError
from dicom_assets.pipeline.difference import UpdateMode
from dicom_assets.pipeline.index import IndexStep
from dicom_assets.tables import FILE_INDEX
from dicom_assets_tests.support.denied import deny
from dicom_assets_tests.support.made_up import index, write


def held(lake):
    rows = lake.snapshot(FILE_INDEX).keys(["relative_path", "removed_at"]).to_pylist()
    return {row["relative_path"]: row["removed_at"] for row in rows}


def test_rows_of_removed_files_go(lake, archive, source):
    index(lake, archive, ["a", "b"])
    (source / "a" / "1").unlink()
    outcome = index(lake, archive, ["a", "b"])
    assert list(held(lake)) == ["a/2", "b/1"]
    assert outcome.removed == {"a": 1}


def test_append_keeps_them_and_tells_since_when(lake, archive, source):
    index(lake, archive, ["a"])
    (source / "a" / "1").unlink()
    assert index(lake, archive, ["a"], UpdateMode.APPEND).committed
    flagged = held(lake)
    assert flagged["a/1"] is not None
    assert flagged["a/2"] is None
    assert not index(lake, archive, ["a"], UpdateMode.APPEND).committed, "flagged once"
    write(source / "a" / "1")
    index(lake, archive, ["a"], UpdateMode.APPEND)
    assert held(lake) == {"a/1": None, "a/2": None}, "it came back"


def test_sync_after_append_drops_the_kept_rows(lake, archive, source):
    index(lake, archive, ["a"])
    (source / "a" / "1").unlink()
    index(lake, archive, ["a"], UpdateMode.APPEND)
    index(lake, archive, ["a"])
    assert list(held(lake)) == ["a/2"]


def test_overwrite_makes_all_anew_in_one_version_and_the_old_one_stays(lake, archive):
    before = index(lake, archive, ["a", "b"]).version
    outcome = index(lake, archive, ["a"], UpdateMode.OVERWRITE)
    assert outcome.version == before + 1
    assert outcome.changed == {"a": 2}
    assert sorted(held(lake)) == ["a/1", "a/2", "b/1"]
    assert lake.location(FILE_INDEX).open(before).version() == before


def test_mass_deletion_is_refused_until_allowed(lake, archive, source):
    for number in range(300):
        write(source / "a" / f"{number:03d}")
    index(lake, archive, ["a"])
    for number in range(151):
        (source / "a" / f"{number:03d}").unlink()
    guard = DeletionGuard(share=0.5, files=100)
    assert index(lake, archive, ["a"], guard=guard).removed == {"a": 151}, "half of 302 is not more than half"
    for number in range(151, 280):
        (source / "a" / f"{number:03d}").unlink()
    with pytest.raises(MassDeletionError, match="129 of 151 files"):
        index(lake, archive, ["a"], guard=guard)
    assert len(held(lake)) == 151
    index(lake, archive, ["a"], guard=None)
    assert len(held(lake)) == 22


MODES = list(UpdateMode)


@pytest.mark.parametrize("mode", MODES)
def test_nothing_is_removed_of_a_prefix_that_cannot_be_listed_and_the_others_go_on(
    lake, archive, source, monkeypatch, mode
):
    index(lake, archive, ["a", "b"])
    write(source / "b" / "2")
    (source / "b" / "1").unlink()
    deny(monkeypatch, source / "a")
    outcome = index(lake, archive, ["a", "b"], mode, DeletionGuard())
    found = held(lake)
    assert (found["a/1"], found["a/2"]) == (None, None)
    assert found["b/2"] is None
    assert outcome.added == {"b": 1}
    assert outcome.rows("a") == 2
    assert "a" not in outcome.changed


@pytest.mark.parametrize("mode", MODES)
def test_what_was_listed_of_a_prefix_that_is_not_whole_is_added_and_changed_and_nothing_removed(
    lake, archive, source, monkeypatch, mode
):
    for name in ("deep/1", "deep/2", "gone"):
        write(source / "a" / name)
    index(lake, archive, ["a"])
    write(source / "a" / "1", "changed")
    write(source / "a" / "new")
    (source / "a" / "gone").unlink()
    deny(monkeypatch, source / "a" / "deep")
    outcome = index(lake, archive, ["a"], mode, DeletionGuard())
    assert held(lake) == dict.fromkeys(("a/1", "a/2", "a/deep/1", "a/deep/2", "a/gone", "a/new"))
    assert outcome.added == {"a": 1}
    assert outcome.removed == {}
    assert outcome.rows("a") == 6
    monkeypatch.undo()
    assert index(lake, archive, ["a"]).removed == {"a": 1}, "once the prefix is listed whole"


def test_kept_rows_of_removed_files_outlive_a_prefix_that_is_not_whole(lake, archive, source, monkeypatch):
    index(lake, archive, ["a"])
    (source / "a" / "1").unlink()
    index(lake, archive, ["a"], UpdateMode.APPEND)
    before = held(lake)
    deny(monkeypatch, source / "a")
    index(lake, archive, ["a"])
    assert held(lake) == before


def test_a_step_tells_which_prefixes_were_not_listed_whole(lake, archive, source, monkeypatch):
    index(lake, archive, ["a", "b"])
    deny(monkeypatch, source / "a")
    listings = IndexStep(lake, archive, ["a", "b"]).plan().listings
    assert listings.unlisted == {"a": f"cannot list {source}/a: Permission denied"}
    assert not listings.failed(["a", "b"])


def test_a_known_file_of_which_the_storage_tells_nothing_keeps_its_row(lake, archive, source, monkeypatch):
    index(lake, archive, ["a"])
    before = lake.snapshot(FILE_INDEX).keys(["fingerprint"]).to_pylist()
    write(source / "a" / "new")

    def silent(*place, original=Walk.files):
        return (found._replace(status=None) for found in original(*place))

    monkeypatch.setattr(Walk, "files", silent)
    assert index(lake, archive, ["a"]).added == {"a": 1}
    rows = lake.snapshot(FILE_INDEX).keys(["fingerprint"]).to_pylist()
    assert [row for row in rows if row["fingerprint"] != UNKNOWN] == before
    assert not index(lake, archive, ["a"]).committed
    monkeypatch.undo()
    assert index(lake, archive, ["a"]).changed == {"a": 1}, "once the storage tells"

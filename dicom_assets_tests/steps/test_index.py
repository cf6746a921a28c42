"""The index follows the archive, in each mode."""

import pytest

from dicom_assets.reconcile import UpdateMode
from dicom_assets.steps.deletions import DeletionGuard, MassDeletionError
from dicom_assets.tables import FILE_INDEX
from dicom_assets_tests.steps.made_up import index, write


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

"""One atomic commit, ordered by prefix."""

from dataclasses import replace
from pathlib import Path

import pytest
from deltalake import DeltaTable

from dicom_assets.delta.commit import Change, CommitConflictError, commit
from dicom_assets.delta.files import write_batches
from dicom_assets.delta.lake import Lake
from dicom_assets.delta.location import LakeNotHereError, TableLocation
from dicom_assets.delta.rewrite import rewrites
from dicom_assets.tables import FILE_INDEX
from dicom_assets_tests.support.rows import append, index_rows, paths


def _replacement(lake: Lake, prefix: str, drop: str) -> Change:
    """Return the change that takes one path out of a prefix."""
    snapshot = lake.snapshot(FILE_INDEX, [prefix])
    keys = snapshot.keys([])
    obsolete = keys.filter([path == drop for path in keys["path"].to_pylist()])
    made = rewrites(snapshot, obsolete)
    return Change([add for r in made for add in r.run()], [r.file for r in made], snapshot.writes)


def test_adds_and_removes_are_one_version(lake):
    before = append(lake, index_rows("a", ["1", "2", "3"]))
    version = commit(lake.location(FILE_INDEX), _replacement(lake, "a", "/archive/a/2"))
    assert version == before + 1
    assert paths(lake) == ["/archive/a/1", "/archive/a/3"]


def test_removing_the_last_row_of_a_file_writes_none(lake):
    append(lake, index_rows("a", ["1"]))
    change = _replacement(lake, "a", "/archive/a/1")
    assert change.adds == []
    commit(lake.location(FILE_INDEX), change)
    assert paths(lake) == []


def test_only_the_files_that_hold_a_row_are_rewritten(lake):
    append(lake, index_rows("a", ["1"]))
    append(lake, index_rows("a", ["2", "3"]))
    append(lake, index_rows("a", ["4"]))
    change = _replacement(lake, "a", "/archive/a/3")
    assert len(change.removes) == 1
    assert len(change.adds) == 1


def test_the_second_of_two_runs_on_one_prefix_loses(lake):
    append(lake, index_rows("a", ["1"]))
    location = lake.location(FILE_INDEX)
    snapshot = lake.snapshot(FILE_INDEX, ["a"])
    adds = [write_batches(location.filesystem(), FILE_INDEX, index_rows("a", [name]).to_batches()) for name in "23"]
    commit(location, Change(adds[0], (), snapshot.writes))
    with pytest.raises(CommitConflictError):
        commit(location, Change(adds[1], (), snapshot.writes))
    assert paths(lake) == ["/archive/a/1", "/archive/a/2"]


def test_runs_on_different_prefixes_both_win_even_when_both_remove(lake):
    append(lake, index_rows("a", ["1", "2"]))
    append(lake, index_rows("b", ["1", "2"]))
    changes = [_replacement(lake, prefix, f"/archive/{prefix}/1") for prefix in "ab"]
    for change in changes:
        commit(lake.location(FILE_INDEX), change)
    assert paths(lake) == ["/archive/a/2", "/archive/b/2"]


def test_a_file_that_was_compacted_away_is_a_conflict(lake):
    append(lake, index_rows("a", ["1"]))
    append(lake, index_rows("a", ["2"]))
    change = _replacement(lake, "a", "/archive/a/1")
    DeltaTable(lake.location(FILE_INDEX).uri).optimize.compact()
    with pytest.raises(CommitConflictError):
        commit(lake.location(FILE_INDEX), change)
    assert paths(lake) == ["/archive/a/1", "/archive/a/2"]


def test_metadata_stands_in_the_history(lake):
    append(lake, index_rows("a", ["1"]), {"dagster/run_id": "some-run"})
    assert DeltaTable(lake.location(FILE_INDEX).uri).history(1)[0]["dagster/run_id"] == "some-run"


def test_data_files_that_are_not_there_are_not_committed(lake):
    """As workers write them whose lake is a folder of their own."""
    before = append(lake, index_rows("a", ["1", "2"]))
    change = _replacement(lake, "a", "/archive/a/2")
    for add in change.adds:
        Path(lake.location(FILE_INDEX).uri, add.path).unlink()
    with pytest.raises(LakeNotHereError, match="Nothing was committed"):
        commit(lake.location(FILE_INDEX), change)
    assert lake.location(FILE_INDEX).open().version() == before
    assert paths(lake) == ["/archive/a/1", "/archive/a/2"]


def test_a_worker_without_the_lake_says_so_before_it_writes_a_file_anew(lake, tmp_path):
    append(lake, index_rows("a", ["1", "2"]))
    snapshot = lake.snapshot(FILE_INDEX, ["a"])
    (rewrite,) = rewrites(snapshot, snapshot.keys([]).slice(0, 1))
    with pytest.raises(LakeNotHereError, match="has no table at"):
        replace(rewrite, location=TableLocation(str(tmp_path / "elsewhere"))).run()
    assert not (tmp_path / "elsewhere").exists()

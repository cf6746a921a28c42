"""Checkpoints of young tables."""

import logging
from pathlib import Path

import pytest
from deltalake import DeltaTable
from deltalake.exceptions import DeltaError

from dicom_assets.delta.checkpoint import is_due
from dicom_assets.tables import FILE_INDEX
from dicom_assets_tests.support.rows import append, index_rows, paths


def test_a_reader_never_has_more_than_a_fifth_of_the_commits_to_parse():
    last = 0
    for version in range(500):
        last = version if is_due(version) else last
        assert version - last <= max(10, version // 5)


def test_all_checkpoints_together_stay_in_proportion():
    """Each is as large as all that was committed before it; delta-rs itself writes every hundredth."""
    written = sum(version for version in range(1000) if is_due(version) or (version + 1) % 100 == 0)
    assert written < 10 * 1000


@pytest.mark.parametrize("version", [500, 599, 1_000, 9_999, 123_459])
def test_old_tables_are_left_to_delta_rs(version):
    assert not is_due(version)


def _checkpoints(folder: str) -> list[str]:
    return sorted(path.name for path in Path(folder, "_delta_log").glob("*.checkpoint.parquet"))


def test_the_tenth_commit_of_a_table_writes_one(lake):
    for number in range(10):
        append(lake, index_rows("a", [str(number)]))
    location = lake.location(FILE_INDEX)
    assert location.open().version() == 10, "the first commit creates it"
    assert _checkpoints(location.uri) == ["00000000000000000009.checkpoint.parquet"]
    for commit in Path(location.uri, "_delta_log").glob("0000000000000000000?.json"):
        commit.unlink()
    assert DeltaTable(location.uri).version() == 10, "it stands for all before it"
    assert paths(lake) == [f"/archive/a/{number}" for number in range(10)]


@pytest.mark.parametrize("fault", [DeltaError("no space left on device"), OSError(28, "No space left on device")])
def test_a_checkpoint_that_cannot_be_written_takes_no_commit_back(lake, monkeypatch, caplog, fault):
    def full(_: DeltaTable) -> None:
        raise fault

    monkeypatch.setattr(DeltaTable, "create_checkpoint", full)
    with caplog.at_level(logging.WARNING):
        for number in range(10):
            append(lake, index_rows("a", [str(number)]))
    assert "no checkpoint of version 9" in caplog.text
    assert _checkpoints(lake.location(FILE_INDEX).uri) == []
    assert len(paths(lake)) == 10

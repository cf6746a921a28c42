"""Maintenance changes no row, and takes nothing that anyone needs."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pyarrow as pa
import pytest
from deltalake import DeltaTable

from dicom_assets.delta.commit import Change, commit
from dicom_assets.delta.files import write_batches
from dicom_assets.delta.maintenance import MaintenanceOptions, RetentionError, compact, maintain, vacuum
from dicom_assets.delta.rewrite import rewrites
from dicom_assets.tables import FILE_INDEX
from dicom_assets_tests.support.rows import append, index_rows, paths
from dicom_assets_tests.support.storage import data_files, grow_old

DAY = timedelta(days=1)
EAGER = MaintenanceOptions(small_files=2)


def fill(lake, prefix="2024/01", files=9):
    for number in range(files):
        append(lake, index_rows(prefix, [f"{number}-{row}" for row in range(3)]))
    return lake.location(FILE_INDEX)


def test_compaction_keeps_rows_layout_and_statistics(lake):
    location = fill(lake)
    before = paths(lake)
    assert compact(location, MaintenanceOptions()) == (9, 1, 0)
    assert paths(lake) == before
    (file,) = lake.snapshot(FILE_INDEX).files
    assert file.path.startswith("prefix=2024%2F01/")
    (action,) = pa.table(location.open().get_add_actions(flatten=True)).to_pylist()
    assert action["num_records"] == 27
    assert (action["min.path"], action["max.path"]) == ("/archive/2024/01/0-0", "/archive/2024/01/8-2")
    with_statistics = {name.removeprefix("min.") for name in action if name.startswith("min.")}
    assert with_statistics == set(FILE_INDEX.statistics_columns)


def test_only_prefixes_with_many_small_files_are_compacted(lake):
    fill(lake, "a", files=7)
    location = fill(lake, "b", files=8)
    assert compact(location, MaintenanceOptions()) == (8, 1, 0)
    assert len(lake.snapshot(FILE_INDEX).of_prefix("a")) == 7


def test_a_writer_of_a_compacted_prefix_still_commits(lake):
    location = fill(lake)
    snapshot = lake.snapshot(FILE_INDEX, ["2024/01"])
    rows = index_rows("2024/01", ["new"])
    adds = write_batches(location.filesystem(), FILE_INDEX, rows.to_batches())
    compact(location, EAGER)
    commit(location, Change(adds, (), snapshot.writes))
    assert len(paths(lake)) == 28


def test_a_compaction_that_a_writer_overtakes_leaves_the_prefix(lake, monkeypatch):
    location = fill(lake)
    keys = lake.snapshot(FILE_INDEX, ["2024/01"]).keys([])
    gone = keys.slice(0, 1)
    snapshot, overtaken = lake.snapshot(FILE_INDEX, ["2024/01"]), location.open()
    made = rewrites(snapshot, gone)
    commit(location, Change([add for r in made for add in r.run()], [r.file for r in made], snapshot.writes))
    monkeypatch.setattr(type(location), "open", lambda _: overtaken)
    assert compact(location, EAGER) == (0, 0, 1)
    monkeypatch.undo()
    assert paths(lake) == sorted(keys["path"].to_pylist()[1:])


def test_vacuum_takes_old_orphans_and_leaves_young_ones(lake):
    location = fill(lake, files=1)
    rows = index_rows("2024/01", ["lost"])
    (young,) = write_batches(location.filesystem(), FILE_INDEX, rows.to_batches())
    (old,) = write_batches(location.filesystem(), FILE_INDEX, rows.to_batches())
    grow_old(location, [old.path])
    before = paths(lake)
    assert len(vacuum(location, 7 * DAY)) == 1
    assert young.path in data_files(location)
    assert old.path not in data_files(location)
    assert paths(lake) == before


def test_vacuum_waits_for_the_oldest_run_under_way(lake):
    location = fill(lake, files=1)
    (staged,) = write_batches(location.filesystem(), FILE_INDEX, index_rows("2024/01", ["slow"]).to_batches())
    grow_old(location, [staged.path], days=9)
    assert vacuum(location, 7 * DAY, busy_since=datetime.now(UTC) - 10 * DAY) == []
    commit(location, Change([staged], (), lake.snapshot(FILE_INDEX, ["2024/01"]).writes))
    assert "/archive/2024/01/slow" in paths(lake)


def test_live_files_are_never_taken_however_old(lake):
    location = fill(lake)
    grow_old(location, data_files(location))
    before = paths(lake)
    assert vacuum(location, DAY) == []
    assert paths(lake) == before


def test_versions_within_the_retention_stay_readable_after_maintenance(lake):
    location = fill(lake)
    version, before = location.open().version(), paths(lake)
    grow_old(location, data_files(location), days=60)
    done = maintain(location, EAGER)
    assert (done.merged, done.written, done.skipped, done.deleted) == (9, 1, 0, 0)
    done = maintain(location, EAGER)
    assert done.deleted == 0, "files that left a minute ago stay, though they were written long ago"
    then = DeltaTable(location.uri, version=version)
    assert sorted(pa.table(then.scan())["path"].to_pylist()) == before


def test_a_checkpoint_is_written(lake):
    location = fill(lake, files=2)
    maintain(location, MaintenanceOptions())
    assert (Path(location.uri) / "_delta_log" / "_last_checkpoint").exists()


@pytest.mark.parametrize("retention", [timedelta(0), timedelta(hours=23)])
def test_a_retention_that_endangers_running_writes_is_refused(lake, retention):
    location = fill(lake, files=1)
    with pytest.raises(RetentionError):
        MaintenanceOptions(retention=retention)
    with pytest.raises(RetentionError):
        vacuum(location, retention)

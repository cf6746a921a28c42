"""Where rows come from, on real lakes: every answer is exactly right, whatever happened to data files and log since."""

import os
import shutil
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pydicom
import pytest
from deltalake import CommitProperties, DeltaTable, write_deltalake

from dicom_assets.archive.local import LocalArchive
from dicom_assets.delta.lake import Lake
from dicom_assets.delta.maintenance import MaintenanceOptions, compact, maintain
from dicom_assets.delta.user_tables import UserTable
from dicom_assets.extract.model import DEFAULT_MODEL, OBJECT_CATALOG
from dicom_assets.pipeline.difference import UpdateMode
from dicom_assets.pipeline.move import move_source
from dicom_assets.pipeline.update import update_catalog
from dicom_assets.query.database import Catalog
from dicom_assets.query.errors import LineageError, NoCatalogError
from dicom_assets.tables import FILE_INDEX
from dicom_assets_tests.support.scratch import IN_PROCESS
from dicom_assets_tests.support.whole import TABLES_OF_FILES, contents, put

TABLES = TABLES_OF_FILES
ROLLUPS = [table.name for table in DEFAULT_MODEL.rollups]
FIRST, SECOND, THIRD = (f"{number}{number}{number}{number}0000-run" for number in (1, 2, 3))
EAGER = MaintenanceOptions(small_files=2)


@pytest.fixture
def lake(tmp_path):
    return Lake(str(tmp_path / "lake"))


@pytest.fixture
def source(tmp_path):
    for number in range(4):
        put(tmp_path / "source" / "ab"[number % 2] / f"{number}.dcm", number)
    return tmp_path / "source"


@pytest.fixture
def update(lake, source):
    def bring_up_to_date(run_id, place=source, **options):
        metadata = None if run_id is None else {"dagster/run_id": run_id}
        return update_catalog(LocalArchive(str(place), 1), lake, engine=IN_PROCESS, metadata=metadata, **options)

    return bring_up_to_date


def origins(lake, path):
    """Return run and version of the rows of one file, by table."""
    (file,) = Catalog(lake).lineage(str(path)).files
    return {row.table: (row.made.run_id, row.made.version) for row in file.rows}


def everywhere(run_id, version):
    return dict.fromkeys(TABLES, (run_id, version))


def two_runs(update, source):
    """Make four files in one run, and change one of them in another."""
    update(FIRST)
    put(source / "a" / "0.dcm", 10)
    update(SECOND)


def assert_two_runs(lake, source):
    assert origins(lake, source / "a" / "0.dcm") == everywhere(SECOND, 2)
    for name in ("a/2.dcm", "b/1.dcm", "b/3.dcm"):
        assert origins(lake, source / name) == everywhere(FIRST, 1), name


def compact_all(lake):
    for table in map(DEFAULT_MODEL.table, TABLES):
        assert compact(lake.location(table), EAGER)[0], table.name


def grow_old(lake):
    """Make the logs, with a checkpoint, look as if all that is in them were of the month before."""
    for table in DEFAULT_MODEL.tables:
        lake.location(table).open().create_checkpoint()
        for entry in Path(lake.location(table).uri, "_delta_log").iterdir():
            os.utime(entry, (time.time() - 40 * 86_400,) * 2)


def forget(lake):
    """Maintain all tables, and delete every data file that is not live; returns the oldest commit in the logs."""
    for table in DEFAULT_MODEL.tables:
        location = lake.location(table)
        maintain(location, MaintenanceOptions(small_files=1000))
        location.open().vacuum(0, dry_run=False, enforce_retention_duration=False, full=True)
    (oldest,) = {
        min(int(entry.stem) for entry in Path(lake.location(table).uri, "_delta_log").glob("*[0-9].json"))
        for table in DEFAULT_MODEL.tables
    }
    return oldest


def test_rows_come_from_the_run_that_made_them_though_others_rewrote_their_file(lake, source, update):
    two_runs(update, source)
    assert_two_runs(lake, source)
    (file,) = Catalog(lake).lineage(str(source / "a" / "0.dcm")).files
    stored = {row["path"]: row for row in contents(lake)["file_metadata"]}[file.path]
    assert [row.fingerprint for row in file.rows] == [stored["fingerprint"]] * 5
    versions = {row.table: row.extractor_version for row in file.rows}
    assert versions == {
        FILE_INDEX.name: None,
        **{extractor.table.name: extractor.version for extractor in DEFAULT_MODEL.extractors},
        OBJECT_CATALOG.name: versions[OBJECT_CATALOG.name],
    }
    assert versions["dicom_headers"] in versions[OBJECT_CATALOG.name]
    assert (file.missing, file.held_by) == ((), ())
    for row in file.rows:
        told = DeltaTable(f"{lake.root}/dicom/{row.table}").history(1)[0]
        assert row.made.committed_at.timestamp() == pytest.approx(told["timestamp"] / 1000)
        assert row.made.made_at <= row.made.committed_at


def test_compaction_changes_no_answer(lake, source, update):
    two_runs(update, source)
    put(source / "a" / "4.dcm", 4)
    update(THIRD)
    compact_all(lake)
    assert_two_runs(lake, source)
    assert origins(lake, source / "a" / "4.dcm") == everywhere(THIRD, 3)


def test_a_shortened_log_and_a_vacuum_leave_the_run_and_say_what_is_not_known(lake, source, update):
    two_runs(update, source)
    before = {name: origins(lake, source / name) for name in ("a/0.dcm", "a/2.dcm")}
    for number in (5, 6):
        put(source / "b" / f"{number}.dcm", number)
        update(f"between-{number}")
    grow_old(lake)
    put(source / "a" / "4.dcm", 4)
    update(THIRD)
    compact_all(lake)
    oldest = forget(lake)
    assert oldest > 2
    assert origins(lake, source / "a" / "4.dcm") == everywhere(THIRD, 5), "the log still tells of it"
    for name, known in before.items():
        (file,) = Catalog(lake).lineage(str(source / name)).files
        assert {row.table: row.made.run_id for row in file.rows} == {table: run for table, (run, _) in known.items()}
        assert {(row.made.version, row.made.committed_at, row.made.not_after) for row in file.rows} == {
            (None, None, oldest - 1)
        }
        assert all(row.made.made_at for row in file.rows)
        assert f"unknown, {oldest - 1} or before" in str(Catalog(lake).lineage(str(source / name)))
    left = Catalog(lake).lineage_of_run(FIRST)
    assert [(table.table, table.commits, table.rows) for table in left.tables] == [
        (name, (), {"a": 1, "b": 2}) for name in (*TABLES, *ROLLUPS)
    ]


def test_a_moved_archive_keeps_its_origins_and_is_found_under_its_new_paths(lake, source, update, tmp_path):
    two_runs(update, source)
    there = tmp_path / "elsewhere"
    source.rename(there)
    move_source(lake, LocalArchive(str(there), 1), DEFAULT_MODEL.tables, IN_PROCESS)
    assert_two_runs(lake, there)
    with pytest.raises(LineageError):
        origins(lake, source / "a" / "0.dcm")
    put(there / "a" / "0.dcm", 11)
    update(THIRD, place=there)
    # The index states the move before and after: two versions more.
    assert origins(lake, there / "a" / "0.dcm") == {**everywhere(THIRD, 4), FILE_INDEX.name: (THIRD, 6)}


def test_a_removed_file_that_is_kept_says_who_found_it_gone(lake, source, update):
    update(FIRST)
    (source / "a" / "0.dcm").unlink()
    update(SECOND, mode=UpdateMode.APPEND)
    found = origins(lake, source / "a" / "0.dcm")
    assert {name: run for name, (run, _) in found.items()} == {
        **dict.fromkeys(TABLES, FIRST),
        FILE_INDEX.name: SECOND,
        OBJECT_CATALOG.name: SECOND,
    }
    (file,) = Catalog(lake).lineage("a/0.dcm").files
    assert next(row.status for row in file.rows) == "removed"
    update(THIRD)
    with pytest.raises(LineageError, match=r"no file a/0\.dcm"):
        Catalog(lake).lineage("a/0.dcm")
    told = Catalog(lake).lineage_of_run(THIRD)
    assert {(table.table, table.commits[0].rows_removed) for table in told.tables} == {(name, 1) for name in TABLES}


def test_a_version_that_was_only_looked_at_again_keeps_its_origin(lake, source, update):
    update(FIRST)
    for path in source.rglob("*.dcm"):
        path.chmod(0o600)
    update(SECOND)
    assert lake.location(FILE_INDEX).open().version() == 2, "the index notes what the file system says"
    for name in ("a/0.dcm", "b/1.dcm"):
        assert origins(lake, source / name) == everywhere(FIRST, 1)


def test_made_anew_is_made_by_that_run(lake, source, update):
    update(FIRST)
    update(SECOND, mode=UpdateMode.OVERWRITE)
    assert origins(lake, source / "a" / "0.dcm") == everywhere(SECOND, 2)


def test_two_runs_at_once_each_own_what_they_made(lake, source, update):
    update(FIRST, prefixes=[])
    with ThreadPoolExecutor(4) as pool:
        runs = {f"{prefix}-{number}-run": prefix for prefix in "ab" for number in range(2)}
        list(pool.map(lambda run: update(run, prefixes=[runs[run]]), runs))
    for name in ("a/0.dcm", "a/2.dcm", "b/1.dcm", "b/3.dcm"):
        for table, (run, version) in origins(lake, source / name).items():
            assert runs[run] == name[0], "of two runs over one prefix, one made it"
            told = {commit["version"]: commit for commit in DeltaTable(f"{lake.root}/dicom/{table}").history()}
            assert told[version]["dagster/run_id"] == run


def test_without_dagster_each_update_has_an_id_of_its_own(lake, source, update):
    one = update(None)
    put(source / "b" / "5.dcm", 5)
    other = update(None)
    assert one.run_id != other.run_id
    assert origins(lake, source / "a" / "0.dcm") == everywhere(one.run_id, 1)
    assert origins(lake, source / "b" / "5.dcm") == everywhere(other.run_id, 2)


@pytest.fixture
def older(lake, source, update):
    """A lake of a release whose rows did not say who made them: two commits, of one file of each prefix each."""
    update(FIRST)
    for table in map(DEFAULT_MODEL.table, TABLES_OF_FILES):
        location, snapshot = lake.location(table), lake.snapshot(table)
        names = [name for name in table.schema.names if name not in {"run_id", "made_at"}]
        silent = pa.Table.from_batches(batch for _, batch in snapshot.rows(names))
        first = pc.match_substring_regex(silent["path"], r"/[12]\.dcm$")
        shutil.rmtree(location.uri)
        for run, part in ((FIRST, silent.filter(first)), (SECOND, silent.filter(pc.invert(first)))):
            write_deltalake(
                location.uri,
                part,
                partition_by=["prefix"],
                mode="append",
                name=table.name,
                commit_properties=CommitProperties(custom_metadata={"dagster/run_id": run}),
            )
        location.open().alter.set_table_properties(dict(snapshot.properties), raise_if_not_exists=False)
    return lake


def test_rows_of_older_releases_are_told_by_the_log(older, source):
    assert origins(older, source / "a" / "2.dcm") == everywhere(FIRST, 0)
    assert origins(older, source / "a" / "0.dcm") == everywhere(SECOND, 1)
    compact_all(older)
    (file,) = Catalog(older).lineage(str(source / "a" / "0.dcm")).files
    assert {(row.made.run_id, row.made.version, row.made.not_after) for row in file.rows} == {(None, None, 3)}


def test_rows_of_older_releases_stay_and_new_ones_say_who_made_them(older, source, update):
    put(source / "a" / "4.dcm", 4)
    update(THIRD)
    assert origins(older, source / "a" / "2.dcm") == everywhere(FIRST, 0), "no row was made anew"
    assert origins(older, source / "a" / "0.dcm") == everywhere(SECOND, 1)
    assert {run for run, _ in origins(older, source / "a" / "4.dcm").values()} == {THIRD}
    compact_all(older)
    assert {run for run, _ in origins(older, source / "a" / "4.dcm").values()} == {THIRD}
    (file,) = Catalog(older).lineage(str(source / "a" / "0.dcm")).files
    assert {(row.made.run_id, row.made.version) for row in file.rows} == {(None, None)}


def test_users_write_paths_in_many_ways(lake, source, update, tmp_path, monkeypatch):
    put(source / "a" / os.fsdecode(b"b\xe9d.dcm"), 8)
    update(FIRST)
    path = str(source / "a" / "0.dcm")
    (tmp_path / "link").symlink_to(source)
    monkeypatch.chdir(source / "a")
    for spelling in (path, f"file://{path}", "0.dcm", "./0.dcm", "../a/0.dcm", "a/0.dcm", f"{tmp_path}/link/a/0.dcm"):
        (file,) = Catalog(lake).lineage(spelling).files
        assert file.path == path, spelling
    (file,) = Catalog(lake).lineage(os.fsdecode(b"b\xe9d.dcm")).files
    assert file.path == f"file://{source}/a/b%E9d.dcm"
    with pytest.raises(LineageError, match=r"no file a/00\.dcm; did you mean .*/a/0\.dcm\?"):
        Catalog(lake).lineage("a/00.dcm")
    with pytest.raises(NoCatalogError):
        Catalog(Lake(str(tmp_path / "nothing"))).lineage(path)


def test_an_instance_is_all_its_files_and_a_series_is_counted(lake, source, update, tmp_path):
    shutil.copy(source / "a" / "0.dcm", source / "b" / "copy.dcm")
    update(FIRST)
    copies = Catalog(lake).lineage("1.2.3.0")
    assert (copies.level, copies.count) == ("SOPInstanceUID", 2)
    assert [Path(file.path).name for file in copies.files] == ["0.dcm", "copy.dcm"]
    for name in ("a/0.dcm", "a/2.dcm", "b/1.dcm"):
        image = pydicom.dcmread(source / name)
        image.StudyInstanceUID, image.SeriesInstanceUID = "1.5", "1.5.1"
        image.save_as(source / name)
    update(SECOND, prefixes=["a"])
    update(THIRD, prefixes=["b"])
    for uid, level, rollup in (("1.5.1", "SeriesInstanceUID", "series"), ("1.5", "StudyInstanceUID", "studies")):
        found = Catalog(lake).lineage(uid)
        assert (found.level, found.count, found.files) == (level, 3, ())
        assert [(group.table, group.made.run_id, group.made.version, group.rows) for group in found.groups] == [
            *((name, run, version, rows) for name in TABLES for run, version, rows in ((SECOND, 2, 2), (THIRD, 3, 1))),
            *((rollup, run, version, 1) for run, version in ((SECOND, 2), (THIRD, 3))),
        ]
    with pytest.raises(LineageError, match=r"no study, series or instance 1\.9"):
        Catalog(lake).lineage("1.9")


def test_a_run_and_what_is_left_of_it(lake, source, update):
    two_runs(update, source)
    for asked in (FIRST, FIRST[:8]):
        told = Catalog(lake).lineage_of_run(asked, paths=True)
        assert told.run_id == FIRST
        assert [table.table for table in told.tables] == [*TABLES, *ROLLUPS]
        for table in told.tables:
            assert [(commit.version, commit.rows_made, commit.rows_removed) for commit in table.commits] == [(1, 4, 0)]
            assert table.rows == {"a": 1, "b": 2}
            if table.table in TABLES:
                assert list(table.paths) == [str(source / name) for name in ("a/2.dcm", "b/1.dcm", "b/3.dcm")]
        assert told.tables[-2].paths == ("1.2.5.1", "1.2.5.2", "1.2.5.3")
    for unknown in ("99999999", "' OR 1=1 --"):
        with pytest.raises(LineageError, match="no table has a row or a commit"):
            Catalog(lake).lineage_of_run(unknown)
    with pytest.raises(LineageError, match="6 characters or more"):
        Catalog(lake).lineage_of_run("1")


def test_tables_of_users_that_hold_a_file(lake, source, update):
    update(FIRST)
    rows = Catalog(lake).sql("SELECT prefix, path, SOPInstanceUID, Modality FROM object_catalog").to_arrow_table()
    cohort = UserTable(Catalog(lake).location("cohort"), "prefix")
    cohort.replace(rows.filter(pc.equal(rows["prefix"], "a")), ["a"], {"dagster/run_id": SECOND})
    cohort.replace(rows.filter(pc.equal(rows["prefix"], "b")), ["b"], {"dagster/run_id": THIRD})
    UserTable(Catalog(lake).location("labels")).replace(
        pa.table({"SOPInstanceUID": ["1.2.3.0", "1.2.3.0"], "label": ["x", "y"]}), None, {"dagster/run_id": THIRD}
    )
    UserTable(Catalog(lake).location("counts")).replace(pa.table({"n": [1]}))

    def held(path):
        (file,) = Catalog(lake).lineage(path).files
        return {(h.table, h.column, h.rows, h.made.run_id, h.made.version) for h in file.held_by}

    assert held("a/0.dcm") == {("cohort", "path", 1, SECOND, 1), ("labels", "SOPInstanceUID", 2, THIRD, 1)}
    assert held("b/1.dcm") == {("cohort", "path", 1, THIRD, 2)}
    told = Catalog(lake).lineage_of_run(THIRD)
    assert [(table.table, [commit.version for commit in table.commits]) for table in told.tables] == [
        ("cohort", [2]), ("labels", [1])
    ]  # fmt: skip


def test_as_of_a_time_before(lake, source, update):
    update(FIRST)
    (file,) = Catalog(lake).lineage("a/0.dcm").files
    then = max(row.made.committed_at for row in file.rows)
    time.sleep(0.05)
    put(source / "a" / "0.dcm", 10)
    update(SECOND)
    (before,) = Catalog(lake, as_of=then).lineage("a/0.dcm").files
    assert {(row.made.run_id, row.made.version) for row in before.rows} == {(FIRST, 1)}
    assert origins(lake, source / "a" / "0.dcm") == everywhere(SECOND, 2)

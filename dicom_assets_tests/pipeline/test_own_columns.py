"""Columns of one's own in a catalog: added, kept, changed and removed without the archive."""

import shutil
from collections import Counter

import duckdb
import polars as pl
import pyarrow as pa
import pytest
from deltalake import DeltaTable

from dicom_assets.archive.local import LocalArchive
from dicom_assets.archive.opening import open_archive
from dicom_assets.checks import check_catalog
from dicom_assets.delta.lake import Lake
from dicom_assets.delta.location import STATISTICS
from dicom_assets.delta.maintenance import MaintenanceOptions, compact
from dicom_assets.extract.headers import DICOM_HEADERS, HeaderExtractor
from dicom_assets.extract.model import DEFAULT_EXTRACTORS, DEFAULT_MODEL, OBJECT_CATALOG
from dicom_assets.extract.pixel_hashes import PixelHashExtractor
from dicom_assets.pipeline import change_columns as changing
from dicom_assets.pipeline import refill
from dicom_assets.pipeline.change_columns import change_columns
from dicom_assets.pipeline.difference import UpdateMode
from dicom_assets.pipeline.move import move_source
from dicom_assets.pipeline.own_columns import COLUMNS, OwnColumnError, saved_columns, stored_model
from dicom_assets.pipeline.update import update_catalog
from dicom_assets.query.opening import open_catalog
from dicom_assets.spark.datasource import read_table
from dicom_assets_tests.support.corpus import PYDICOM_FILES, copy_files
from dicom_assets_tests.support.scratch import IN_PROCESS, ON_SPARK
from dicom_assets_tests.support.whole import put

FILES = {
    "ct": ("CT_small.dcm", "JPEG2000.dcm", "README.txt"),
    "mr": ("MR_small.dcm", "MR_truncated.dcm"),
    "rt": ("rtplan.dcm", "rtplan_truncated.dcm"),
}
ADDED = ("Weight=PatientWeight:number", "Physicians=OperatorsName:list", 'Product=(0009,"GEMS_IDEN_01",01)')
VOLATILE = ("run_id", "made_at", "indexed_at", "removed_at")


class ListedOnly(LocalArchive):
    """An archive whose files are listed, and must not be read."""

    def open(self, *_):
        raise AssertionError("a file of the archive was opened")


@pytest.fixture(scope="module")
def built(tmp_path_factory):
    root = tmp_path_factory.mktemp("built")
    copy_files(root / "source", FILES)
    update_catalog(str(root / "source"), str(root / "lake"), engine=IN_PROCESS)
    update_catalog(str(root / "source"), str(root / "wide"), columns=ADDED, engine=IN_PROCESS)
    return root


@pytest.fixture
def lake(built, tmp_path):
    shutil.copytree(built / "lake", tmp_path / "lake")
    return Lake(str(tmp_path / "lake"))


@pytest.fixture
def wide(built):
    return Lake(str(built / "wide"))


@pytest.fixture
def listed(built):
    return ListedOnly(str(built / "source"), 1)


def rows(lake, table="object_catalog", *, without=VOLATILE):
    query = f"SELECT * EXCLUDE ({', '.join(name for name in without)}) FROM {table} ORDER BY path"
    return open_catalog(lake.root).sql(query).to_arrow_table().to_pylist()


def header_rows(lake):
    return rows(lake, "dicom_headers", without=("run_id", "made_at"))


def failed(lake):
    return [outcome.check.name for outcome in check_catalog(lake) if not outcome.passed]


def versions(lake):
    return {table.name: lake.location(table).open().version() for table in DEFAULT_MODEL.tables}


def same(lake, other):
    assert header_rows(lake) == header_rows(other)
    assert rows(lake) == rows(other)


def test_columns_are_filled_from_the_stored_headers_while_the_archive_is_away(lake, wide, built):
    away = built / "away"
    (built / "source").rename(away)
    try:
        done = change_columns(lake, IN_PROCESS, add=ADDED)
    finally:
        away.rename(built / "source")
    assert done.rows == 7
    assert saved_columns(lake) == done.columns
    same(lake, wide)
    weights = open_catalog(lake.root).sql("SELECT Weight, Physicians, Product FROM object_catalog WHERE Weight > 0")
    assert len(weights.fetchall()) >= 2


def test_a_run_with_new_columns_opens_no_file_either(lake, wide, listed):
    done = update_catalog(listed, lake, columns=ADDED, engine=IN_PROCESS)
    (outcomes,) = done.outcomes
    changed = {name: outcome.made for name, outcome in outcomes.items() if outcome.committed}
    assert changed == {"dicom_headers": 7, "object_catalog": 7}
    assert not any(outcomes["dicom_headers"].effort.bytes_read.values())
    same(lake, wide)
    assert not update_catalog(listed, lake, columns=ADDED, engine=IN_PROCESS).committed


def test_on_spark_it_is_the_same(spark, lake, wide):
    change_columns(lake, ON_SPARK, add=ADDED)
    same(lake, wide)


def test_a_run_without_them_keeps_them(lake, wide, listed):
    change_columns(lake, IN_PROCESS, add=ADDED)
    assert not update_catalog(listed, lake, engine=IN_PROCESS).committed
    same(lake, wide)
    update_catalog(listed, lake, columns=["PatientSize"], engine=IN_PROCESS)
    assert [one.name for one in saved_columns(lake)] == ["Weight", "Physicians", "Product", "PatientSize"]
    assert [row["Weight"] for row in rows(lake)] == [row["Weight"] for row in rows(wide)]


def test_new_files_get_them_from_runs_that_do_not_name_them(lake, tmp_path, built):
    source = tmp_path / "source"
    shutil.copytree(built / "source", source)
    move_source(lake, open_archive(str(source), 1), DEFAULT_MODEL.tables, IN_PROCESS)
    change_columns(lake, IN_PROCESS, add=ADDED)
    shutil.copy(PYDICOM_FILES / "CT_small.dcm", source / "ct" / "new.dcm")
    update_catalog(str(source), lake, engine=IN_PROCESS)
    query = "SELECT DISTINCT Weight, Product FROM object_catalog WHERE file_name IN ('new.dcm', 'CT_small.dcm')"
    assert len(open_catalog(lake.root).sql(query).fetchall()) == 1


def test_a_move_keeps_them(lake, wide, built, tmp_path):
    change_columns(lake, IN_PROCESS, add=ADDED)
    shutil.copytree(built / "source", tmp_path / "there")
    tables = stored_model(lake, DEFAULT_MODEL).tables
    assert move_source(lake, open_archive(str(tmp_path / "there"), 1), tables, IN_PROCESS)
    assert [row["Weight"] for row in rows(lake)] == [row["Weight"] for row in rows(wide)]


def test_the_same_name_for_another_attribute_fills_anew(lake, listed):
    change_columns(lake, IN_PROCESS, add=["a=PatientWeight:number"])
    before = [row["a"] for row in rows(lake)]
    update_catalog(listed, lake, columns=["a=SliceThickness:number"], engine=IN_PROCESS)
    after = [row["a"] for row in rows(lake)]
    assert after != before
    assert after == [row["SliceThickness"] for row in rows(lake)]


def test_another_type_is_refused_before_anything_is_changed(lake, listed):
    change_columns(lake, IN_PROCESS, add=["Weight=PatientWeight:number"])
    before = versions(lake)
    for attempt in (
        lambda: change_columns(lake, IN_PROCESS, add=["Weight=PatientWeight:text"]),
        lambda: update_catalog(listed, lake, columns=["weight=PatientWeight"], engine=IN_PROCESS),
    ):
        with pytest.raises(OwnColumnError, match="--remove Weight"):
            attempt()
    with pytest.raises(OwnColumnError, match="PatientID already"):
        change_columns(lake, IN_PROCESS, add=["patientid=PatientWeight"])
    with pytest.raises(OwnColumnError, match="no column 'Height'"):
        change_columns(lake, IN_PROCESS, remove=["Height"])
    with pytest.raises(OwnColumnError, match="no column 'PatientID'"):
        change_columns(lake, IN_PROCESS, remove=["PatientID"])
    assert versions(lake) == before


def test_there_is_nothing_to_add_to_without_a_catalog(tmp_path):
    with pytest.raises(OwnColumnError, match="there is no catalog"):
        change_columns(Lake(str(tmp_path)), IN_PROCESS, add=ADDED)


def test_a_removed_column_is_gone_from_the_tables_and_from_their_files(lake, built):
    plain = Lake(str(built / "lake"))
    change_columns(lake, IN_PROCESS, add=ADDED)
    done = change_columns(lake, IN_PROCESS, remove=["Weight", "Physicians", "Product"])
    assert (done.rows, done.columns) == (7, ())
    same(lake, plain)
    for table in (DICOM_HEADERS, OBJECT_CATALOG):
        location = lake.location(table)
        assert not {"Weight", "Product"} & {field.name for field in location.open().schema().fields}
        for path in location.open().file_uris():
            assert not {"Weight", "Product"} & set(pa.parquet.read_schema(path).names)
        assert "Weight" not in location.open().metadata().configuration[STATISTICS]
    assert failed(lake) == failed(plain)


def test_one_of_several_is_removed_and_comes_back_with_another_type(lake, wide):
    change_columns(lake, IN_PROCESS, add=ADDED)
    change_columns(lake, IN_PROCESS, remove=["Weight"], add=["Weight=PatientWeight:text"])
    assert {one.name: one.type for one in saved_columns(lake)} == {
        "Physicians": "text[]",
        "Product": "text",
        "Weight": "text",
    }
    texts = [row["Weight"] and float(row["Weight"]) for row in rows(lake)]
    assert texts == [row["Weight"] for row in rows(wide)]


def test_checks_know_the_columns(lake):
    before = failed(lake)
    change_columns(lake, IN_PROCESS, add=ADDED)
    assert failed(lake) == before


def test_every_reader_survives(spark, lake):
    before = {table.name: lake.location(table).open().version() for table in (DICOM_HEADERS, OBJECT_CATALOG)}
    change_columns(lake, IN_PROCESS, add=ADDED)
    for table in (DICOM_HEADERS, OBJECT_CATALOG):
        uri = lake.location(table).uri
        query = f"SELECT path, Weight FROM {table.name} ORDER BY path"
        ours = open_catalog(lake.root).sql(query).fetchall()
        assert sum(weight is not None for _, weight in ours) >= 2
        assert pl.read_delta(uri).select("path", "Weight").sort("path").rows() == ours
        assert sorted(
            pa.table(DeltaTable(uri).scan(columns=["path", "Weight"])).to_pylist(), key=lambda r: r["path"]
        ) == [{"path": path, "Weight": weight} for path, weight in ours]
        files = [path.removeprefix("file://") for path in DeltaTable(uri).file_uris()]
        query = "SELECT path, Weight FROM read_parquet(?, union_by_name := true) ORDER BY path"
        plain = duckdb.connect().execute(query, [files])
        assert plain.fetchall() == ours
        frame = read_table(spark, lake.location(table), ["path", "Weight"])
        assert sorted(map(tuple, frame.collect())) == ours
        old = DeltaTable(uri, version=before[table.name])
        assert "Weight" not in {field.name for field in old.schema().fields}


def test_compaction_keeps_their_statistics(lake, tmp_path, built):
    change_columns(lake, IN_PROCESS, add=["Weight=PatientWeight:number"])
    for table in (DICOM_HEADERS, OBJECT_CATALOG):
        location = lake.location(table)
        compact(location, MaintenanceOptions(small_files=1))
        actions = pa.table(location.open().get_add_actions(flatten=True))
        assert "max.Weight" in actions.column_names
        assert any(value is not None for value in actions["max.Weight"].to_pylist())


@pytest.mark.parametrize("commits", range(8))
def test_killed_after_any_commit_the_next_one_ends_the_same(lake, wide, listed, commits, monkeypatch):
    left = Counter(commits=commits)

    def until_killed(function):
        def step(*arguments, **options):
            if not left["commits"]:
                raise KeyboardInterrupt
            left["commits"] -= 1
            return function(*arguments, **options)

        return step

    for module, name in ((changing, "save"), (changing, "converge"), (changing, "state_statistics")):
        monkeypatch.setattr(module, name, until_killed(getattr(module, name)))
    monkeypatch.setattr(changing, "_PREFIXES_AT_ONCE", 1)
    with pytest.raises(KeyboardInterrupt):
        change_columns(lake, IN_PROCESS, add=ADDED)
    monkeypatch.undo()
    if commits % 2:
        change_columns(lake, IN_PROCESS, add=ADDED)
    else:
        update_catalog(listed, lake, columns=ADDED, engine=IN_PROCESS)
    same(lake, wide)


def test_removal_that_was_interrupted_is_taken_up_again(lake, built, monkeypatch):
    change_columns(lake, IN_PROCESS, add=ADDED)

    def killed(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr(changing, "drop_columns", killed)
    with pytest.raises(KeyboardInterrupt):
        change_columns(lake, IN_PROCESS, remove=["Weight"])
    monkeypatch.undo()
    assert "Weight" not in [one.name for one in saved_columns(lake)]
    change_columns(lake, IN_PROCESS, remove=["Weight"])
    assert "Weight" not in {field.name for field in lake.location(OBJECT_CATALOG).open().schema().fields}


def test_a_run_in_between_does_not_lose_columns(lake, wide, monkeypatch):
    """Another process adds one more column while the rows of this one are written."""
    real, others = refill.stage_refills, iter([True])

    def staged(*arguments):
        done = real(*arguments)
        if next(others, False):
            change_columns(lake, IN_PROCESS, add=["PatientSize"])
        return done

    monkeypatch.setattr(refill, "stage_refills", staged)
    change_columns(lake, IN_PROCESS, add=ADDED)
    assert [one.name for one in saved_columns(lake)] == ["Weight", "Physicians", "Product", "PatientSize"]
    change_columns(lake, IN_PROCESS)
    assert [row["Weight"] for row in rows(lake)] == [row["Weight"] for row in rows(wide)]
    version = HeaderExtractor(saved_columns(lake)).version
    assert {row["extractor_version"] for row in header_rows(lake)} == {version}


def test_rows_of_removed_files_that_are_kept_get_them_too(lake, tmp_path, built):
    source = tmp_path / "source"
    shutil.copytree(built / "source", source)
    move_source(lake, open_archive(str(source), 1), DEFAULT_MODEL.tables, IN_PROCESS)
    (source / "ct" / "CT_small.dcm").unlink()
    update_catalog(str(source), lake, mode=UpdateMode.APPEND, engine=IN_PROCESS)
    update_catalog(str(source), lake, mode=UpdateMode.APPEND, columns=ADDED, engine=IN_PROCESS)
    query = "SELECT Product, removed_at IS NOT NULL FROM object_catalog WHERE file_name = 'CT_small.dcm'"
    ((product, removed),) = open_catalog(lake.root).sql(query).fetchall()
    assert product is not None
    assert removed
    assert not update_catalog(str(source), lake, mode=UpdateMode.APPEND, engine=IN_PROCESS).committed


def test_rows_that_other_code_made_are_extracted_and_not_refilled(lake, wide, built, monkeypatch):
    """A walker of another version may read headers otherwise: their rows are not believed."""
    monkeypatch.setattr("dicom_assets.extract.headers.VERSION", "headers-99")
    assert change_columns(lake, IN_PROCESS, add=["PatientSize"]).rows == 0
    (outcomes,) = update_catalog(str(built / "source"), lake, engine=IN_PROCESS).outcomes
    assert outcomes["dicom_headers"].made == 7
    assert sum(outcomes["dicom_headers"].effort.bytes_read.values()) > 0


def test_other_extractors_of_the_catalog_keep_their_columns(built, tmp_path):
    lake = Lake(str(tmp_path / "lake"))
    extractors = (*DEFAULT_EXTRACTORS, PixelHashExtractor())
    update_catalog(str(built / "source"), lake, extractors=extractors, engine=IN_PROCESS)
    before = [row["pixel_hash"] for row in rows(lake)]
    assert any(before)
    change_columns(lake, IN_PROCESS, add=ADDED)
    assert [row["pixel_hash"] for row in rows(lake)] == before
    assert not update_catalog(str(built / "source"), lake, extractors=extractors, engine=IN_PROCESS).committed


def test_an_empty_catalog_takes_columns(tmp_path):
    (tmp_path / "source").mkdir()
    lake = Lake(str(tmp_path / "lake"))
    update_catalog(str(tmp_path / "source"), lake, engine=IN_PROCESS)
    assert change_columns(lake, IN_PROCESS, add=ADDED).rows == 0
    put(tmp_path / "source" / "a" / "1.dcm", 1)
    update_catalog(str(tmp_path / "source"), lake, engine=IN_PROCESS)
    assert [row["Weight"] for row in rows(lake)] == [None]
    assert lake.location(DICOM_HEADERS).open().metadata().configuration[COLUMNS]

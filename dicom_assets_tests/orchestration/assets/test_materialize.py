"""All assets on a real Dagster instance, real Spark, real tables, real files."""

import shutil
from collections import Counter

import dagster as dg
import polars as pl
import pyarrow as pa
import pydicom
import pytest
from deltalake import DeltaTable

from dicom_assets.delta.lake import Lake
from dicom_assets.extract.headers import DICOM_HEADERS
from dicom_assets.extract.model import DEFAULT_MODEL, OBJECT_CATALOG
from dicom_assets.extract.thumbnails import THUMBNAILS
from dicom_assets.orchestration.definitions import build_definitions
from dicom_assets.orchestration.partitions import register_prefixes
from dicom_assets.orchestration.resources.archive import ArchiveResource
from dicom_assets.orchestration.resources.lake import LakeResource
from dicom_assets.orchestration.runs import range_tags
from dicom_assets.tables import FILE_INDEX
from dicom_assets_tests.support.corpus import CHARSET_FILES, PYDICOM_FILES, files_below
from dicom_assets_tests.support.denied import deny
from dicom_assets_tests.support.whole import TABLES_OF_FILES

OF_FILES = [table for table in DEFAULT_MODEL.tables if table.name in TABLES_OF_FILES]


class Pipeline:
    """The definitions over one archive and one lake, and a way to run them."""

    def __init__(self, source, folder) -> None:
        self.archive = ArchiveResource(source=str(source), prefix_depth=1)
        self.lake = Lake(str(folder))
        self.definitions = build_definitions(self.archive, LakeResource(root_uri=str(folder)))
        self.instance = dg.DagsterInstance.ephemeral()
        self.prefixes = register_prefixes(self.instance, self.archive.open().prefixes())

    def run(self, *names, first=None, last=None, config=None):
        first = first or self.prefixes[0]
        return self.definitions.resolve_implicit_global_asset_job_def().execute_in_process(
            instance=self.instance,
            asset_selection=[dg.AssetKey(name) for name in names or [table.name for table in DEFAULT_MODEL.tables]],
            tags=range_tags(first, last or first),
            run_config={"loggers": {"console": {"config": {"log_level": "ERROR"}}}, "ops": config or {}},
            raise_on_error=False,
        )

    def rows(self, table, columns=None):
        """Return the rows as anyone would read them: with delta-rs."""
        return pa.table(DeltaTable(self.lake.location(table).uri).scan(columns=columns)).to_pylist()

    def entities(self, table):
        """Return prefix and UID of each series, or study, that the files of the catalog say they are of."""
        rows = self.rows(OBJECT_CATALOG, list(table.identity))
        return {identity(row, table) for row in rows if row[table.key] is not None}

    def versions(self):
        return {table.name: DeltaTable(self.lake.location(table).uri).version() for table in DEFAULT_MODEL.tables}


def identity(row, table):
    return tuple(row[name] for name in table.identity)


@pytest.fixture(scope="module")
def real_files(spark, tmp_path_factory):
    """Every file of pydicom's test and charset folders, cataloged in one run."""
    source = tmp_path_factory.mktemp("archive")
    for folder in (PYDICOM_FILES, CHARSET_FILES):
        shutil.copytree(folder, source / folder.name, ignore=shutil.ignore_patterns("__pycache__"))
    pipeline = Pipeline(source, tmp_path_factory.mktemp("lake"))
    result = pipeline.run(last=pipeline.prefixes[-1])
    assert result.success
    return pipeline, source, result


@pytest.mark.parametrize("table", OF_FILES, ids=lambda table: table.name)
def test_every_file_has_exactly_one_row(real_files, table):
    pipeline, source, _ = real_files
    found = sorted(row["path"] for row in pipeline.rows(table, ["path"]))
    assert found == [str(path) for path in files_below(source)]


@pytest.mark.parametrize("table", DEFAULT_MODEL.rollups, ids=lambda table: table.name)
def test_every_series_and_study_has_exactly_one_row_in_each_prefix(real_files, table):
    pipeline, *_ = real_files
    rows = pipeline.rows(table, [*table.identity, "files"])
    assert sorted(identity(row, table) for row in rows) == sorted(pipeline.entities(table))
    members = [row for row in pipeline.rows(OBJECT_CATALOG, [table.key]) if row[table.key] is not None]
    assert sum(row["files"] for row in rows) == len(members)


@pytest.mark.parametrize("table", DEFAULT_MODEL.tables, ids=lambda table: table.name)
def test_the_tables_are_what_tables_py_declares(real_files, table):
    pipeline, *_ = real_files
    stored = pa.schema(DeltaTable(pipeline.lake.location(table).uri).schema().to_arrow())
    assert stored.names == table.schema.names
    assert stored.equals(table.schema)


@pytest.mark.parametrize("table", DEFAULT_MODEL.tables, ids=lambda table: table.name)
def test_polars_reads_every_table(real_files, table):
    pipeline, *_ = real_files
    frame = pl.read_delta(pipeline.lake.location(table).uri)
    assert frame.columns == table.schema.names
    assert set(frame["prefix"]) == {"charset_files", "test_files"}


def test_no_status_is_error_where_pydicom_reads(real_files, capsys):
    pipeline, *_ = real_files
    rows = pipeline.rows(DICOM_HEADERS, ["path", "status"])
    with capsys.disabled():
        print("\nheaders:", dict(Counter(row["status"] for row in rows)))
        print("thumbnails:", dict(Counter(row["status"] for row in pipeline.rows(THUMBNAILS, ["status"]))))
    for path in (row["path"] for row in rows if row["status"] == "error"):
        with pytest.raises(Exception):  # noqa: B017, PT011 - whatever pydicom says
            pydicom.dcmread(path)


def test_no_thumbnail_is_error_where_pydicom_decodes(real_files):
    pipeline, *_ = real_files
    failed = [row["path"] for row in pipeline.rows(THUMBNAILS, ["path", "status"]) if row["status"] == "error"]
    decoded = []
    for path in failed:
        try:
            pydicom.dcmread(path).pixel_array  # noqa: B018 - decodes
        except Exception:  # noqa: BLE001 - whatever pydicom says
            continue
        decoded.append(path)
    assert decoded == []


def test_the_catalog_joins_what_the_others_hold(real_files):
    pipeline, *_ = real_files
    catalog = {row["path"]: row for row in pipeline.rows(OBJECT_CATALOG)}
    for table, status in zip(
        DEFAULT_MODEL.extracted, ("metadata_status", "header_status", "thumbnail_status"), strict=True
    ):
        for row in pipeline.rows(table):
            joined = catalog[row["path"]]
            assert joined[status] == row["status"]
            # Of each table its own: how it went, and which run made the row.
            shared = {column.name for column in table if column.in_catalog}
            own = shared - {"status", "error", "extractor_version", "run_id", "made_at"}
            assert not (set(row) - shared) & set(joined)
            assert {name: joined[name] for name in own} == {name: row[name] for name in own}
    assert "pending" not in {row["status"] for row in catalog.values()}


def test_the_status_of_a_catalog_row_is_the_worst_of_the_tables_and_its_error_one_sentence(real_files, capsys):
    pipeline, *_ = real_files
    rows = pipeline.rows(OBJECT_CATALOG, ["status", "error", "header_status", "thumbnail_status"])
    counts = Counter(row["status"] for row in rows)
    with capsys.disabled():
        print("catalog:", dict(counts))
    assert set(counts) == {"ok", "no_image", "issues", "damaged", "not_dicom"}
    for row in rows:
        assert row["status"] != "ok" or row["error"] is None
        assert row["status"] not in {"issues", "damaged"} or row["error"]
        assert row["error"] is None or "; " not in row["error"]
        assert row["status"] != "ok" or (row["header_status"], row["thumbnail_status"]) == ("ok", "ok")
        assert row["status"] != "damaged" or "ok" not in (row["header_status"], row["thumbnail_status"])


def test_materializations_tell_counts_of_each_partition(real_files):
    pipeline, source, result = real_files
    counts = {
        (event.asset_key.path[-1], event.partition): event.materialization.metadata["dagster/partition_row_count"].value
        for event in result.all_events
        if event.event_type is dg.DagsterEventType.ASSET_MATERIALIZATION
    }
    files = Counter(path.parent.relative_to(source).parts[0] for path in files_below(source))
    rows = dict.fromkeys(TABLES_OF_FILES, files)
    for table in DEFAULT_MODEL.rollups:
        rows[table.name] = Counter(prefix for prefix, _ in pipeline.entities(table))
    assert counts == {
        (table.name, prefix): rows[table.name][prefix] for table in DEFAULT_MODEL.tables for prefix in pipeline.prefixes
    }


def test_running_again_adds_no_version(real_files):
    pipeline, *_ = real_files
    before = pipeline.versions()
    assert pipeline.run(last=pipeline.prefixes[-1]).success
    assert pipeline.versions() == before


@pytest.fixture
def small(spark, tmp_path):
    """Two prefixes of two files each."""
    for prefix in ("a", "b"):
        (tmp_path / "archive" / prefix).mkdir(parents=True)
        for name in ("CT_small.dcm", "MR_small.dcm"):
            shutil.copy(PYDICOM_FILES / name, tmp_path / "archive" / prefix / name)
    return Pipeline(tmp_path / "archive", tmp_path / "lake"), tmp_path / "archive"


def test_one_partition_and_a_subset_of_the_assets(small):
    pipeline, _ = small
    assert pipeline.run(FILE_INDEX.name, DICOM_HEADERS.name, first="b").success
    assert {row["prefix"] for row in pipeline.rows(FILE_INDEX)} == {"b"}
    assert len(pipeline.rows(DICOM_HEADERS)) == 2
    assert pipeline.rows(THUMBNAILS) == []
    assert pipeline.run(OBJECT_CATALOG.name, first="b").success
    for row in pipeline.rows(OBJECT_CATALOG):
        assert (row["status"], row["header_status"], row["thumbnail_status"]) == ("pending", row["header_status"], None)
    assert pipeline.run(THUMBNAILS.name, "file_metadata", OBJECT_CATALOG.name, first="b").success
    assert {row["status"] for row in pipeline.rows(OBJECT_CATALOG)} == {"ok"}


def test_a_changed_an_added_and_a_removed_file(small):
    pipeline, source = small
    assert pipeline.run(last="b").success
    shutil.copy(PYDICOM_FILES / "JPEG2000.dcm", source / "a" / "CT_small.dcm")
    shutil.copy(PYDICOM_FILES / "rtdose.dcm", source / "a" / "new.dcm")
    (source / "a" / "MR_small.dcm").unlink()
    before = pipeline.versions()
    assert pipeline.run(last="b").success
    assert pipeline.versions() == {name: version + 1 for name, version in before.items()}, "one commit per table"
    for table in OF_FILES:
        names = sorted(row["path"].removeprefix(f"{source}/") for row in pipeline.rows(table))
        assert names == ["a/CT_small.dcm", "a/new.dcm", "b/CT_small.dcm", "b/MR_small.dcm"], table.name
    for table in DEFAULT_MODEL.rollups:
        rows = pipeline.rows(table)
        assert sorted(identity(row, table) for row in rows) == sorted(pipeline.entities(table)), table.name
        assert sorted(row["prefix"] for row in rows) == ["a", "a", "b", "b"], table.name
    modality = {
        row["path"].rsplit("/", 2)[1:][0] + "/" + row["file_name"]: row["Modality"]
        for row in pipeline.rows(OBJECT_CATALOG)
    }
    assert modality["a/CT_small.dcm"] == "NM"
    assert modality["a/new.dcm"] == "RTDOSE"


def test_a_run_that_fails_says_what_to_do_and_is_not_retried(small):
    pipeline, _ = small
    pipeline.instance.add_dynamic_partitions("prefix", ["a/b"])
    result = pipeline.run(first="a/b")
    assert not result.success
    (failure,) = [e for e in result.all_events if e.event_type is dg.DagsterEventType.STEP_FAILURE]
    assert "does not name 1 directory below the archive root" in failure.step_failure_data.user_failure_data.description


def test_a_run_over_another_source_fails_and_is_not_retried(small, tmp_path):
    pipeline, source = small
    assert pipeline.run(last="b").success
    before = pipeline.versions()
    shutil.copytree(source, tmp_path / "other")
    other = ArchiveResource(source=str(tmp_path / "other"), prefix_depth=1)
    pipeline.definitions = build_definitions(other, LakeResource(root_uri=pipeline.lake.root))
    for asset in (FILE_INDEX.name, THUMBNAILS.name):
        result = pipeline.run(asset, last="b")
        (failure,) = [e for e in result.all_events if e.event_type is dg.DagsterEventType.STEP_FAILURE]
        description = failure.step_failure_data.user_failure_data.description
        assert f"{source}, not to {tmp_path / 'other'}" in description
        assert "DICOM_ASSETS_SCHEMA" in description
    assert pipeline.versions() == before


def _previews(pipeline, previews):
    pipeline.definitions = build_definitions(
        pipeline.archive, LakeResource(root_uri=pipeline.lake.root), previews=previews
    )
    result = pipeline.run(last="b")
    return {
        event.partition: event.materialization.metadata["preview"].value
        for event in result.all_events
        if event.event_type is dg.DagsterEventType.ASSET_MATERIALIZATION and "preview" in event.materialization.metadata
    }


def test_previews_are_off_until_asked_for_and_leave_out_burned_in_annotation(small):
    pipeline, source = small
    for name in ("CT_small.dcm", "MR_small.dcm"):
        marked = pydicom.dcmread(source / "b" / name)
        marked.BurnedInAnnotation = "YES"
        marked.save_as(source / "b" / name)
    assert _previews(pipeline, 0) == {}
    shown = _previews(pipeline, 1)
    assert set(shown) == {"a"}
    assert shown["a"].startswith("![thumbnails](data:image/jpeg;base64,/9j/")


def test_definitions_load_without_an_environment(monkeypatch):
    for name in ("DICOM_ASSETS_SOURCE", "DICOM_ASSETS_LAKE", "DICOM_ASSETS_PREFIX_DEPTH"):
        monkeypatch.delenv(name, raising=False)
    definitions = build_definitions()
    keys = {key.path[-1] for key in definitions.resolve_asset_graph().get_all_asset_keys()}
    assert keys >= {table.name for table in DEFAULT_MODEL.tables}


def _small_pipeline(tmp_path):
    for prefix in "ab":
        (tmp_path / "source" / prefix).mkdir(parents=True)
        (tmp_path / "source" / prefix / "1").touch()
    return Pipeline(tmp_path / "source", tmp_path / "lake")


def _checks(result):
    return {check.check_name: check for check in result.get_asset_check_evaluations()}


def test_a_prefix_that_cannot_be_listed_fails_a_check_and_not_the_run_of_the_others(tmp_path, monkeypatch):
    pipeline = _small_pipeline(tmp_path)
    whole = pipeline.run("file_index", last="b")
    assert _checks(whole)["listed_whole"].passed
    (tmp_path / "source" / "b" / "2").touch()
    deny(monkeypatch, tmp_path / "source" / "a")
    result = pipeline.run("file_index", last="b")
    assert result.success
    check = _checks(result)["listed_whole"]
    assert not check.passed
    assert check.metadata["prefixes"].value == ["a"]
    assert sorted(row["relative_path"] for row in pipeline.rows(FILE_INDEX)) == ["a/1", "b/1", "b/2"]


def test_a_run_that_can_list_nothing_fails_and_is_tried_again(tmp_path, monkeypatch):
    pipeline = _small_pipeline(tmp_path)
    assert pipeline.run("file_index", last="b").success
    before = pipeline.versions()
    deny(monkeypatch, tmp_path / "source" / "a")
    monkeypatch.setattr(dg.RetryPolicy, "calculate_delay", lambda *_: 0)
    result = pipeline.run("file_index")
    assert not result.success
    events = [event.event_type for event in result.all_events]
    assert dg.DagsterEventType.STEP_UP_FOR_RETRY in events
    assert pipeline.versions() == before

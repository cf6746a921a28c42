"""Rollups follow the catalog: with work in proportion to change, and to the same end whatever happened."""

import random
import shutil
from dataclasses import dataclass

import pyarrow as pa
import pytest

from dicom_assets import open_catalog
from dicom_assets.archive.local import LocalArchive
from dicom_assets.delta.evolution import TableSchemaError
from dicom_assets.delta.format import KEY_COLUMN, LakeFormatError, format_of
from dicom_assets.delta.lake import Lake
from dicom_assets.delta.maintenance import MaintenanceOptions, maintain
from dicom_assets.delta.user_tables import UserTable
from dicom_assets.extract.extractor import ExtractedTable, Extractor
from dicom_assets.extract.metadata import MetadataExtractor
from dicom_assets.extract.model import DEFAULT_MODEL, CatalogModel
from dicom_assets.extract.rollups import ROLLUPS, SERIES, STUDIES
from dicom_assets.extract.validation import ExtractorError
from dicom_assets.pipeline.catalog_state import CatalogState
from dicom_assets.pipeline.changes import ChangeStatus, detect_change
from dicom_assets.pipeline.converge import converge
from dicom_assets.pipeline.difference import UpdateMode
from dicom_assets.pipeline.move import move_source
from dicom_assets.pipeline.rollup import step as step_module
from dicom_assets.pipeline.rollup.step import RollupStep
from dicom_assets.pipeline.rollup.task import cut_by_files
from dicom_assets.pipeline.update import update_catalog
from dicom_assets_tests.support.scratch import IN_PROCESS, ON_SPARK
from dicom_assets_tests.support.slices import (
    put_enhanced,
    put_slice,
    put_volume,
    rows_of,
    series_of,
    studies_of,
    update,
)
from dicom_assets_tests.support.whole import contents


@pytest.fixture
def source(tmp_path):
    source = tmp_path / "source"
    for prefix, uid in (("a", 10), ("b", 11)):
        put_volume(source / prefix, f"1.{uid}.1")
        put_volume(source / prefix, f"1.{uid}.2", StudyInstanceUID=f"2.{uid}")
    put_volume(source / "b", "1.10.1", [6, 7])
    return source


def runs(rows):
    return {key: row["run_id"] for key, row in rows.items()}


def from_scratch(source, folder):
    lake = Lake(str(folder))
    update(source, lake)
    return contents(lake)


def test_only_series_whose_members_changed_are_made_anew(source, lake, tmp_path):
    first = update(source, lake).run_id
    put_slice(source / "a", "1.10.1", 3, PatientSex="F")
    done = update(source, lake)
    assert done.committed
    changed = {("a", "1.10.1")}
    assert runs(series_of(lake)) == {key: done.run_id if key in changed else first for key in series_of(lake)}
    assert {key for key, run in runs(studies_of(lake)).items() if run == done.run_id} == {("a", "1.9")}
    outcome = done.outcomes[0]["series"]
    assert (outcome.added, outcome.changed, outcome.removed) == ({}, {"a": 1}, {})
    assert sum(outcome.kept.values()) == 4
    assert contents(lake) == from_scratch(source, tmp_path / "scratch")
    assert not update(source, lake).committed, "nothing is left to do"


def test_prefixes_that_did_not_change_are_not_written(source, lake):
    update(source, lake)
    before = {file.path for file in lake.snapshot(SERIES, ["a"]).files}
    put_volume(source / "b", "1.11.3")
    (done,) = update(source, lake).outcomes
    assert done["series"].added == {"b": 1}
    assert {file.path for file in lake.snapshot(SERIES, ["a"]).files} == before


@pytest.mark.parametrize("seed", range(2))
def test_whatever_happened_it_ends_like_a_build_from_scratch(tmp_path, lake, seed):
    luck, source = random.Random(seed), tmp_path / "source"
    (source / "always").mkdir(parents=True)
    put_volume(source / "always", "0.1", [1])
    for round_ in range(3):
        for _ in range(6):
            prefix, series, number = luck.choice("ab"), luck.choice(["1.1", "1.2", "1.3"]), luck.randint(1, 5)
            paths = sorted(source.rglob("*.dcm"))
            match luck.choice(["put", "put", "put", "change", "remove", "copy", "enhanced"]):
                case "put":
                    put_slice(source / prefix, series, number)
                case "change":
                    put_slice(source / prefix, series, number, PatientID=luck.choice("PQ"), EchoTime=number)
                case "remove":
                    luck.choice(paths).unlink()
                case "copy":
                    chosen = luck.choice(paths)
                    shutil.copy(chosen, source / "always" / f"copy{luck.randint(1, 3)}.dcm")
                case "enhanced":
                    put_enhanced(source / prefix, f"3.{number}", range(number))
        update(source, lake)
        assert contents(lake) == from_scratch(source, tmp_path / f"scratch{round_}")


def test_spark_makes_the_same_rows(spark, source, lake, tmp_path):
    update(source, lake)
    other = Lake(str(tmp_path / "other"))
    update_catalog(LocalArchive(str(source), 1), other, engine=ON_SPARK)
    assert contents(other) == contents(lake)


def test_small_pieces_and_groups_change_nothing(source, lake, tmp_path, monkeypatch):
    expected = from_scratch(source, tmp_path / "scratch")
    monkeypatch.setattr(step_module, "_ROWS_AT_ONCE", 1)
    monkeypatch.setattr("dicom_assets.pipeline.rollup.task._FEWEST_FILES", 1)
    monkeypatch.setattr("dicom_assets.pipeline.rollup.task._MOST_FILES", 6)
    monkeypatch.setattr("dicom_assets.pipeline.rollup.series._FRAMES_AT_ONCE", 1)
    update(source, lake)
    assert contents(lake) == expected


def test_pieces_have_about_as_many_files_and_split_no_entity():
    work = pa.table({"prefix": ["a"] * 6, "files": pa.array([800, 800, 5000, 10, 10, 10], pa.int64())})
    pieces = [pa.ipc.open_stream(piece).read_all()["files"].to_pylist() for piece in cut_by_files(work, 1)]
    assert pieces == [[800, 800, 5000, 10, 10, 10]]
    pieces = [pa.ipc.open_stream(piece).read_all()["files"].to_pylist() for piece in cut_by_files(work, 2)]
    assert [count for piece in pieces for count in piece] == work["files"].to_pylist()
    assert len(pieces) > 1


def test_overwrite_makes_every_row_anew(source, lake):
    update(source, lake)
    before = contents(lake)
    done = update(source, lake, UpdateMode.OVERWRITE)
    assert set(runs(series_of(lake)).values()) == {done.run_id}
    assert contents(lake) == before


def test_a_catalog_that_moves_between_plan_and_stage(source, lake, tmp_path):
    update(source, lake)
    put_slice(source / "a", "1.10.1", 9)

    class Moving(RollupStep):
        moved = False

        def stage(self, plan, names, engine):
            if not Moving.moved:
                Moving.moved = True
                put_slice(source / "a", "1.10.1", 10)
                update(source, lake)
            return RollupStep.stage(self, plan, names, engine)

    # The catalog has the first of the two slices, and its rollups not yet.
    model = CatalogModel(DEFAULT_MODEL.extractors)
    vars(model)["rollups"] = ()
    from dicom_assets.pipeline.catalog import CatalogStep
    from dicom_assets.pipeline.extraction import ExtractionStep
    from dicom_assets.pipeline.index import IndexStep

    archive = LocalArchive(str(source), 1)
    for step in (
        IndexStep(lake, archive, ["a"]),
        ExtractionStep(lake, archive, model.extractors, ["a"]),
        CatalogStep(lake, ["a"], model=model),
    ):
        converge(step, IN_PROCESS, {})
    done = converge(Moving(lake, ["a"]), IN_PROCESS, {})
    assert len(done.plans) > 1, "the other run was faster, so it looked again"
    assert contents(lake) == from_scratch(source, tmp_path / "scratch")


def test_rows_staged_and_never_committed_do_no_harm(source, lake, tmp_path):
    update(source, lake)
    put_volume(source / "a", "1.10.7")

    class Killed(RollupStep):
        def stage(self, plan, names, engine):
            RollupStep.stage(self, plan, names, engine)
            raise KeyboardInterrupt

    before = series_of(lake)
    shutil.rmtree(tmp_path / "lake" / "dicom" / "studies")
    lake.ensure([STUDIES])
    with pytest.raises(KeyboardInterrupt):
        converge(Killed(lake, ["a", "b"], UpdateMode.OVERWRITE), IN_PROCESS, {})
    assert series_of(lake) == before
    update(source, lake)
    assert contents(lake) == from_scratch(source, tmp_path / "scratch")


def test_an_older_lake_gets_the_tables_without_reading_the_archive(source, lake, tmp_path):
    update(source, lake)
    expected = contents(lake)
    for table in ROLLUPS:
        shutil.rmtree(tmp_path / "lake" / "dicom" / table.name)
    archive = LocalArchive(str(source), 1)
    assert detect_change(archive, CatalogState(lake), "a", None).status is ChangeStatus.CHANGED
    (done,) = update(source, lake).outcomes
    assert {name for name, outcome in done.items() if outcome.committed} == {"series", "studies"}
    assert contents(lake) == expected
    assert detect_change(archive, CatalogState(lake), "a", None).status is ChangeStatus.UNCHANGED


def test_a_rollup_that_lags_is_a_change(source, lake):
    update(source, lake)
    archive, place = LocalArchive(str(source), 1), lake.location(SERIES)
    place.open().delete("SeriesInstanceUID = '1.10.2'")
    assert detect_change(archive, CatalogState(lake), "a", None).status is ChangeStatus.CHANGED
    assert detect_change(archive, CatalogState(lake), "b", None).status is ChangeStatus.UNCHANGED


def test_maintenance_changes_no_row(source, lake):
    for number in range(8, 11):
        put_volume(source / "a", f"1.10.{number}", [1])
        update(source, lake)
    before = contents(lake)
    for table in ROLLUPS:
        assert maintain(lake.location(table), MaintenanceOptions(small_files=2)).merged > 1, table.name
    assert contents(lake) == before
    put_slice(source / "a", "1.10.8", 2)
    update(source, lake)
    assert series_of(lake)["a", "1.10.8"]["files"] == 2


def test_thumbnails_follow_an_archive_that_moves_and_nothing_is_made_anew(source, lake, tmp_path):
    update(source, lake)
    before = series_of(lake)
    source.rename(tmp_path / "there")
    archive = LocalArchive(str(tmp_path / "there"), 1)
    assert move_source(lake, archive, DEFAULT_MODEL.tables, IN_PROCESS)
    after = series_of(lake)
    assert {row["thumbnail_path"].startswith(archive.root) for row in after.values()} == {True}
    assert runs(after) == runs(before)
    assert not update(tmp_path / "there", lake).committed


def test_a_table_of_a_user_by_that_name_is_left_alone(source, lake):
    theirs = UserTable(lake.location(SERIES))
    theirs.replace(pa.table({"SeriesInstanceUID": ["mine"]}))
    with pytest.raises(TableSchemaError, match="rename it, or give the catalog a schema"):
        update(source, lake)
    assert theirs.read().to_pylist() == [{"SeriesInstanceUID": "mine"}]


def test_the_tables_say_that_older_packages_cannot_follow_them(source, lake, monkeypatch):
    update(source, lake)
    properties = lake.snapshot(SERIES).properties
    assert properties[KEY_COLUMN] == "SeriesInstanceUID"
    monkeypatch.setattr("dicom_assets.delta.format.FORMAT_VERSION", 1)
    with pytest.raises(LakeFormatError, match="Upgrade"):
        format_of(properties, "series")
    assert format_of(lake.snapshot(DEFAULT_MODEL.catalog).properties, "object_catalog") == 1


def test_a_catalog_without_headers_has_no_series(source, lake):
    model = CatalogModel((MetadataExtractor(),))
    assert [table.name for table in model.tables] == ["file_index", "file_metadata", "object_catalog"]
    (done,) = update_catalog(str(source), lake, extractors=model.extractors, engine=IN_PROCESS).outcomes
    assert set(done) == {"file_index", "file_metadata", "object_catalog"}


@dataclass(frozen=True)
class Mine(Extractor):
    table = ExtractedTable("series", "Mine.", ())
    version = "1"
    limits = None

    def extract(self, file):
        return {}


def test_a_table_of_ones_own_cannot_have_their_names():
    with pytest.raises(ExtractorError, match="two tables are named series"):
        CatalogModel((*DEFAULT_MODEL.extractors, Mine()))


def test_lineage_of_a_series_names_its_rows(source, lake):
    run = update(source, lake).run_id
    lineage = open_catalog(lake.root).lineage("1.10.1")
    groups = [group for group in lineage.groups if group.table == "series"]
    assert [(group.rows, group.made.run_id, group.extractor_version) for group in groups] == [(2, run, SERIES.version)]
    assert not [group for group in lineage.groups if group.table == "studies"]
    told = {table.table: table.rows for table in open_catalog(lake.root).lineage_of_run(run).tables}
    assert told["series"] == {"a": 2, "b": 3}
    assert rows_of(lake, STUDIES).keys() == {("a", "1.9"), ("a", "2.10"), ("b", "1.9"), ("b", "2.11")}

"""Cost follows the change, in each mode."""

import dagster as dg
import pyarrow as pa
import pytest

from dicom_assets.archive.local import LocalArchive
from dicom_assets.extract.model import DEFAULT_MODEL, OBJECT_CATALOG
from dicom_assets.extract.rollups import ROLLUPS
from dicom_assets.orchestration.definitions import build_definitions
from dicom_assets.orchestration.resources.spark import SparkResource
from dicom_assets.pipeline.difference import UpdateMode
from dicom_assets_tests.support.endless import EndlessArchive, costs, live
from dicom_assets_tests.support.scratch import IN_PROCESS, build, clean
from dicom_assets_tests.support.whole import TABLES_OF_FILES, Deployment, contents, put

MANY, FEW = 300, 20


def cost_of(lake, archive, **options):
    before = live(lake)
    outcomes = build(lake, archive, **options)
    return outcomes, costs(before, live(lake))


def test_cost_follows_the_change_and_not_the_prefix(spark, lake):
    lake.ensure(DEFAULT_MODEL.tables)
    _, small = cost_of(lake, EndlessArchive({"empty": frozenset(range(FEW))}))
    build(lake, EndlessArchive({"large": frozenset(range(MANY))}), engine=IN_PROCESS)
    _, large = cost_of(lake, EndlessArchive({"large": frozenset(range(MANY + FEW))}))
    for name in TABLES_OF_FILES:
        cost = large[name]
        assert cost.rows == FEW, name
        assert cost.removed == 0, "additions append"
        assert cost.size <= 1.3 * small[name].size, name
    assert {large[table.name].rows for table in ROLLUPS} == {1}, "all of them are one series"
    _, one = cost_of(lake, EndlessArchive({"large": frozenset(range(1, MANY + FEW))}))
    assert {(cost.added, cost.removed) for cost in one.values()} == {(1, 1)}, "one data file is rewritten"
    outcomes, none = cost_of(lake, EndlessArchive({"large": frozenset(range(1, MANY + FEW))}), engine=IN_PROCESS)
    assert not any(outcome.committed for outcome in outcomes.values())
    assert not any(cost.added or cost.removed for cost in none.values())


class NoSpark(SparkResource):
    """A resource that must not be needed."""

    @property
    def spark_session(self):
        raise AssertionError("a run with nothing to do started Spark")


@pytest.fixture
def source(tmp_path):
    for number in range(4):
        put(tmp_path / "source" / "ab"[number % 2] / f"{number}.dcm", number)
    return tmp_path / "source"


def test_a_run_with_nothing_to_do_starts_no_spark(spark, lake, source):
    build(lake, LocalArchive(str(source), 1), engine=IN_PROCESS)
    with dg.DagsterInstance.ephemeral() as instance:
        deployment = Deployment(instance, source, lake.root)
        deployment.definitions = build_definitions(deployment.archive, deployment.lake_resource, NoSpark())
        versions = {table.name: lake.location(table).open().version() for table in DEFAULT_MODEL.tables}
        assert deployment.run_all().success
    assert versions == {table.name: lake.location(table).open().version() for table in DEFAULT_MODEL.tables}


def test_append_keeps_rows_of_removed_files_in_every_table_flagged(spark, lake, source, tmp_path):
    archive = LocalArchive(str(source), 1)
    build(lake, archive, engine=IN_PROCESS)
    before = contents(lake)
    (source / "a" / "0.dcm").unlink()
    put(source / "b" / "new.dcm", 9)
    build(lake, archive, mode=UpdateMode.APPEND)
    after = contents(lake)
    for name, rows in before.items():
        assert len(after[name]) == len(rows) + (name in TABLES_OF_FILES), "a series that is gone is gone"
    rows = lake.snapshot(OBJECT_CATALOG).keys(["relative_path", "removed_at", "Modality"]).to_pylist()
    flagged = {row["relative_path"] for row in rows if row["removed_at"] is not None}
    assert flagged == {"a/0.dcm"}
    assert {row["Modality"] for row in rows} == {"OT"}, "what was known of it is kept"
    outcomes = build(lake, archive, mode=UpdateMode.APPEND, engine=IN_PROCESS)
    assert not any(outcome.committed for outcome in outcomes.values())
    build(lake, archive)
    rebuilt = clean(archive, tmp_path / "clean", engine=IN_PROCESS)
    assert contents(lake) == contents(rebuilt), "sync mirrors the archive again"


def test_overwrite_makes_all_anew_in_one_commit_per_table(spark, lake, source, tmp_path):
    archive = LocalArchive(str(source), 1)
    build(lake, archive, engine=IN_PROCESS)
    versions = {table.name: lake.location(table).open().version() for table in DEFAULT_MODEL.tables}
    old = contents(lake)
    outcomes, cost = cost_of(lake, archive, mode=UpdateMode.OVERWRITE)
    for table in DEFAULT_MODEL.tables:
        assert outcomes[table.name].version == versions[table.name] + 1
        assert sum(outcomes[table.name].changed.values()) == 4
        assert cost[table.name].rows == 4
        then = lake.location(table).open(versions[table.name])
        assert pa.table(then.scan()).num_rows == 4, "the older version stays readable"
    assert contents(lake) == old

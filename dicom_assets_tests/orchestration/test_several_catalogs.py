"""Several catalogs in one code location, on one instance: each follows its own, and nothing is shared by accident."""

import shutil
from pathlib import Path

import dagster as dg
import pandas as pd
import pytest
from dagster._core.execution.backfill import BulkActionStatus, PartitionBackfill
from dagster._core.test_utils import create_run_for_test

from dicom_assets.delta.lake import Lake
from dicom_assets.delta.user_tables import UserTableError
from dicom_assets.extract.model import DEFAULT_MODEL
from dicom_assets.orchestration.definitions import build_definitions
from dicom_assets.orchestration.naming import ALONE, CatalogNameError, CatalogNames
from dicom_assets.orchestration.resources.archive import ArchiveResource
from dicom_assets.orchestration.resources.lake import LakeResource
from dicom_assets.orchestration.runs import range_tags
from dicom_assets.orchestration.sensors import UPDATE_JOB
from dicom_assets.pipeline.update import update_catalog
from dicom_assets_tests.support.ticking import carry_out, ranges
from dicom_assets_tests.support.whole import contents, paths_of, put


class Location:
    """A code location with catalogs, and what its daemon would do with the ticks of their sensors."""

    def __init__(self, instance, folder: Path, *names: str, lakes=None, assets=()):
        self.instance, self.folder, self.cursors = instance, folder, {}
        self.lakes = {name: LakeResource(root_uri=str(folder / (lakes or {}).get(name, "lake"))) for name in names}
        self.lakes = {
            name: LakeResource(root_uri=lake.root_uri, schema_name=CatalogNames(name).schema)
            for name, lake in self.lakes.items()
        }
        self.definitions = dg.Definitions.merge(
            *(
                build_definitions(ArchiveResource(source=str(self.source(name))), self.lakes[name], name=name)
                for name in names
            ),
            dg.Definitions(assets=list(assets)),
        )
        self.repository = self.definitions.get_repository_def()

    def source(self, name: str) -> Path:
        return self.folder / (name or "alone")

    def lake(self, name: str) -> Lake:
        return self.lakes[name].open()

    def keys(self, name: str):
        return list(self.instance.get_dynamic_partitions(CatalogNames(name).partitions))

    def tick(self, name: str):
        """Evaluate the sensor of a catalog once; partition requests are carried out, run requests are returned."""
        sensor = self.repository.get_sensor_def(CatalogNames(name).archive_sensor)
        top = self.repository.get_top_level_resources()
        context = dg.build_sensor_context(
            self.instance,
            cursor=self.cursors.get(name),
            repository_def=self.repository,
            resources={key: top[key] for key in sensor.required_resource_keys},
        )
        result = sensor(context)
        self.cursors[name] = result.cursor
        carry_out(self.instance, result.dynamic_partitions_requests)
        return result

    def run(self, request, name: str):
        """Execute a run that a tick asked for."""
        job = self.repository.get_job(CatalogNames(name).of(UPDATE_JOB))
        return job.execute_in_process(
            instance=self.instance,
            run_config=request.run_config,
            tags=request.tags,
            asset_selection=request.asset_selection,
        )

    def follow(self, name: str):
        """Tick and run until nothing is left to do."""
        while requests := self.tick(name).run_requests:
            for request in requests:
                assert self.run(request, name).success


@pytest.fixture
def instance():
    with dg.DagsterInstance.ephemeral() as instance:
        yield instance


@pytest.fixture
def archives(tmp_path):
    for number, (name, prefix) in enumerate([("ct", "a"), ("ct", "b"), ("mr", "a"), ("mr", "c"), ("alone", "a")]):
        put(tmp_path / name / prefix / f"{number}.dcm", number)
    return tmp_path


def rebuilt(location, name):
    """Return the contents of a catalog that is built from scratch."""
    lake = Lake(str(location.folder / f"clean {name}"))
    shutil.rmtree(lake.root, ignore_errors=True)
    update_catalog(str(location.source(name)), lake)
    return contents(lake)


@pytest.mark.parametrize(
    "lakes",
    [
        pytest.param({}, id="one lake, a schema each"),
        pytest.param({"ct": "lake of ct", "mr": "lake of mr"}, id="a lake each", marks=pytest.mark.slow),
    ],
)
def test_each_catalog_follows_its_archive_and_the_loss_of_a_prefix_leaves_the_other_alone(instance, archives, lakes):
    location = Location(instance, archives, "ct", "mr", lakes=lakes)
    for name in ("ct", "mr"):
        location.follow(name)
    assert (location.keys("ct"), location.keys("mr")) == (["a", "b"], ["a", "c"])
    assert instance.get_dynamic_partitions(ALONE.partitions) == []
    for name in ("ct", "mr"):
        assert contents(location.lake(name)) == rebuilt(location, name)

    shutil.rmtree(location.source("ct") / "a")
    put(location.source("mr") / "a" / "10.dcm", 10)
    before = paths_of(location.lake("mr"))
    location.follow("ct")
    assert location.keys("ct") == ["b"]
    assert location.keys("mr") == ["a", "c"]
    assert paths_of(location.lake("mr")) == before
    location.follow("mr")
    for name in ("ct", "mr"):
        assert contents(location.lake(name)) == rebuilt(location, name)
        assert not location.tick(name).run_requests


def test_a_catalog_without_a_name_beside_one_with_a_name(instance, archives):
    location = Location(instance, archives, "", "ct")
    location.follow("")
    location.follow("ct")
    assert location.keys("") == ["a"]
    assert contents(location.lake("")) == rebuilt(location, "")
    assert contents(location.lake("ct")) == rebuilt(location, "ct")


def test_nothing_has_a_name_twice(instance, archives):
    location = Location(instance, archives, "", "ct", "mr")
    repository = location.repository
    repository.load_all_definitions()
    instigators = [*repository.sensor_defs, *repository.schedule_defs]
    per_catalog = {"archive_sensor", "nightly_maintenance"}
    expected = {CatalogNames(name).of(plain) for name in ("", "ct", "mr") for plain in per_catalog}
    automation = {"default_automation_condition_sensor", "ct_automation_sensor", "mr_automation_sensor"}
    assert sorted(one.name for one in instigators) == sorted(expected | automation)
    assert {"maintenance", "ct_maintenance", "mr_maintenance"} <= set(repository.job_names)
    keys = {tuple(key.path) for key in repository.asset_graph.get_all_asset_keys()}
    of = {name: {key[1:] for key in keys if len(key) > 1 and key[0] == name} for name in ("ct", "mr")}
    assert of["ct"] == of["mr"] == {key for key in keys if len(key) == 1}, "each has all assets under its name"
    assert {(table.name,) for table in DEFAULT_MODEL.tables} <= of["ct"]


def test_one_sensor_minds_the_conditions_of_each_asset_those_of_users_included(instance, archives):
    @dg.asset(automation_condition=dg.AutomationCondition.eager(), deps=[CatalogNames("ct").key("object_catalog")])
    def cohort(): ...

    location = Location(instance, archives, "", "ct", assets=[cohort])
    minds = {
        sensor.name: {key.to_user_string() for key in sensor.asset_selection.resolve(location.repository.asset_graph)}
        for sensor in location.repository.sensor_defs
        if isinstance(sensor, dg.AutomationConditionSensorDefinition)
    }
    tables = {table.name for table in DEFAULT_MODEL.tables}
    assert minds == {
        "default_automation_condition_sensor": tables | {"cohort"},
        "ct_automation_sensor": {f"ct/{table}" for table in tables},
    }


def test_a_run_of_another_catalog_over_a_prefix_of_the_same_name_holds_nothing(instance, archives):
    location = Location(instance, archives, "ct", "mr")
    location.tick("ct")
    other = {"tags": range_tags("a", "a"), "status": dg.DagsterRunStatus.STARTED}
    create_run_for_test(instance, asset_selection={CatalogNames("mr").key("file_index")}, **other)
    create_run_for_test(instance, job_name="mr_update_catalog", **other)
    assert ranges(location.tick("ct")) == [("a", "b")]
    run = create_run_for_test(instance, asset_selection={CatalogNames("ct").key("file_index")}, **other)
    assert ranges(location.tick("ct")) == [("b", "b")]
    instance.report_run_canceled(run)
    create_run_for_test(instance, job_name="not of this location", **other)
    assert ranges(location.tick("ct")) == [("b", "b")], "it may be about anything"


def test_a_backfill_of_another_catalog_keeps_no_partition(instance, archives):
    location = Location(instance, archives, "ct", "mr")
    location.follow("ct")
    shutil.rmtree(location.source("ct") / "a")
    backfill_over(location, "ct", "a")
    location.follow("ct")
    assert location.keys("ct") == ["a", "b"], "it may yet start a run over it"
    (backfill,) = instance.get_backfills()
    instance.update_backfill(backfill.with_status(BulkActionStatus.COMPLETED_SUCCESS))
    location.tick("mr")
    backfill_over(location, "mr", "a")
    location.tick("ct")
    assert location.keys("ct") == ["b"]


def backfill_over(location, name, prefix):
    location.instance.add_backfill(
        PartitionBackfill.from_asset_partitions(
            f"backfill of {name}",
            location.repository.asset_graph,
            [prefix],
            [CatalogNames(name).key("file_index")],
            0.0,
            {},
            location.instance,
            all_partitions=False,
            title=None,
            description=None,
            run_config=None,
        )
    )


def test_each_has_its_maintenance_and_registers_its_own_prefixes(instance, archives):
    location = Location(instance, archives, "ct", "mr")
    assert location.repository.get_job("ct_register_prefixes").execute_in_process(instance=instance).success
    assert (location.keys("ct"), location.keys("mr")) == (["a", "b"], [])
    location.follow("ct")
    assert location.repository.get_job("ct_maintenance").execute_in_process(instance=instance).success
    assert location.repository.get_job("mr_maintenance").execute_in_process(instance=instance).success


def cohort_of(name, key="cohort", **options):
    names = CatalogNames(name)

    @dg.asset(
        key=key,
        partitions_def=names.partitions_def,
        io_manager_key=names.io_manager,
        backfill_policy=dg.BackfillPolicy.single_run(),
        ins={"catalog": dg.AssetIn(names.key("object_catalog"))},
        **options,
    )
    def made(catalog: pd.DataFrame) -> pd.DataFrame:
        return catalog[["prefix", "path"]]

    return made


def test_an_asset_of_users_reads_the_catalog_that_it_names_and_lands_beside_it(instance, archives):
    location = Location(instance, archives, "ct", "mr", assets=[cohort_of("mr")])
    location.follow("ct")
    location.follow("mr")
    job = location.definitions.resolve_implicit_global_asset_job_def()
    assert job.execute_in_process(
        instance=instance, asset_selection=[dg.AssetKey("cohort")], tags=range_tags("a", "c")
    ).success
    frame = location.lake("mr").location(DEFAULT_MODEL.catalog)
    assert Path(frame.uri).parent.joinpath("cohort").is_dir()
    assert not (archives / "lake" / "ct" / "cohort").exists()


def test_an_asset_of_users_cannot_overwrite_a_table_of_a_catalog(instance, archives):
    location = Location(instance, archives, "ct", assets=[cohort_of("ct", "thumbnails")])
    location.follow("ct")
    before = contents(location.lake("ct"))
    job = location.definitions.resolve_implicit_global_asset_job_def()
    with pytest.raises(UserTableError, match="is a table of a catalog and would be overwritten"):
        job.execute_in_process(
            instance=instance, asset_selection=[dg.AssetKey("thumbnails")], tags=range_tags("a", "b")
        )
    assert contents(location.lake("ct")) == before


@pytest.mark.parametrize("name", ["1ct", "ct-1", "chest ct", "a__b", "_a", "a_", "ct/mr", "ü"])
def test_a_name_that_dagster_would_not_take_everywhere_is_refused(name):
    with pytest.raises(CatalogNameError, match="cannot be called"):
        build_definitions(name=name)

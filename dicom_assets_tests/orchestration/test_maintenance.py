"""The maintenance job: what it does to the tables, and what it waits for."""

from datetime import UTC, datetime, timedelta

import dagster as dg
from dagster._core.test_utils import create_run_for_test

from dicom_assets.delta.files import write_batches
from dicom_assets.extract.model import DEFAULT_MODEL
from dicom_assets.orchestration.maintenance import build_maintenance_job
from dicom_assets.orchestration.resources.lake import LakeResource
from dicom_assets.orchestration.runs import oldest_run_under_way
from dicom_assets.tables import FILE_INDEX
from dicom_assets_tests.support.rows import append, index_rows, paths
from dicom_assets_tests.support.storage import data_files, grow_old


def run(lake, instance, **config):
    return build_maintenance_job(DEFAULT_MODEL).execute_in_process(
        run_config={"ops": {"maintain_tables": {"config": config}}},
        resources={"lake": LakeResource(root_uri=lake.root)},
        instance=instance,
        raise_on_error=False,
    )


def test_it_compacts_and_vacuums_the_tables_that_exist(lake, instance):
    for number in range(4):
        append(lake, index_rows("a", [str(number)]))
    location = lake.location(FILE_INDEX)
    orphans = write_batches(location.filesystem(), FILE_INDEX, index_rows("a", ["lost"]).to_batches())
    grow_old(location, [orphan.path for orphan in orphans])
    before = paths(lake)
    assert run(lake, instance, small_files=2).success
    assert len(lake.snapshot(FILE_INDEX).files) == 1
    assert len(data_files(location)) == 5, "the merged files stay for time travel, the orphan does not"
    assert paths(lake) == before


def test_a_retention_that_endangers_running_writes_fails_the_run(lake, instance):
    append(lake, index_rows("a", ["1"]))
    assert not run(lake, instance, retention_hours=1).success


def test_it_waits_for_the_oldest_run_under_way(instance):
    assert oldest_run_under_way(instance, "") is None
    first = create_run_for_test(instance, status=dg.DagsterRunStatus.STARTED)
    create_run_for_test(instance, status=dg.DagsterRunStatus.STARTED)
    create_run_for_test(instance, status=dg.DagsterRunStatus.SUCCESS)
    assert datetime.now(UTC) - timedelta(minutes=1) < oldest_run_under_way(instance, "") < datetime.now(UTC)
    later = oldest_run_under_way(instance, first.run_id)
    assert later > oldest_run_under_way(instance, "")

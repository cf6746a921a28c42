"""``docs/production.md`` as it stands, on a Postgres server: queue, pool, monitoring, retries, sensor, commands."""

import os
import re
import signal
import time

import dagster as dg
import pytest
from dagster._core.test_utils import create_run_for_test

from dicom_assets.extract.model import DEFAULT_MODEL
from dicom_assets.orchestration.runs import ATTEMPT_TAG, PREFIXES_TAG
from dicom_assets_tests.support.deployment import Deployment, file_of_the_page
from dicom_assets_tests.support.ports import free_ports
from dicom_assets_tests.support.postgres import needs_driver, needs_postgres, postgres_server
from dicom_assets_tests.support.ui import Ui
from dicom_assets_tests.support.whole import put

pytestmark = [needs_driver, needs_postgres, pytest.mark.slow, pytest.mark.timeout(1800)]

LOCATION = "dicom_assets"
UNDER_WAY = [dg.DagsterRunStatus.STARTING, dg.DagsterRunStatus.STARTED]
BETWEEN_TWO_LOOKS = 240
"""Seconds: of run monitoring, which looks every two minutes."""


@pytest.fixture(scope="module")
def deployment(tmp_path_factory):
    folder = tmp_path_factory.mktemp("deployment")
    for number, prefix in enumerate("abc"):
        put(folder / "archive" / prefix / f"{number}.dcm", number)
    with pytest.MonkeyPatch.context() as patched, postgres_server() as url:
        # For this process too, which opens the same instance.
        patched.setenv("DAGSTER_PG_URL", url)
        with Deployment(folder, file_of_the_page("dagster.yaml"), file_of_the_page("workspace.yaml"), {}) as made:
            yield made


@pytest.fixture(scope="module")
def killed(deployment):
    """A run that says that it is under way, and was lost with its machine: nobody tells of its end."""
    run = create_run_for_test(deployment.instance, job_name="update_catalog", tags={"dagster/max_runtime": "1"})
    deployment.instance.report_dagster_event(
        dg.DagsterEvent(dg.DagsterEventType.RUN_START.value, run.job_name), run.run_id
    )
    return run.run_id


def runs(deployment, **filters):
    return deployment.instance.get_runs(dg.RunsFilter(**filters))


def events(deployment, run_id):
    return [entry.dagster_event_type for entry in deployment.instance.all_logs(run_id) if entry.dagster_event]


def test_the_sensor_follows_the_archive_through_the_queue(deployment, killed):
    deployment.wait_for({"a/0.dcm", "b/1.dcm", "c/2.dcm"}, deployment.cataloged)
    deployment.wait_for(True, lambda: bool(runs(deployment, statuses=[dg.DagsterRunStatus.SUCCESS])))
    (run,) = runs(deployment, statuses=[dg.DagsterRunStatus.SUCCESS])
    assert run.tags[PREFIXES_TAG]
    told = events(deployment, run.run_id)
    assert told.index(dg.DagsterEventType.RUN_ENQUEUED) < told.index(dg.DagsterEventType.RUN_STARTING)
    assert type(deployment.instance.run_storage).__module__.startswith("dagster_postgres")
    assert not list(deployment.home.rglob("*.db")), "nothing is kept beside the database"


def test_a_run_that_nobody_ended_is_ended_by_run_monitoring(deployment, killed):
    deployment.wait_for(
        dg.DagsterRunStatus.FAILURE, lambda: deployment.instance.get_run_by_id(killed).status, BETWEEN_TWO_LOOKS
    )


def test_the_pool_lets_two_runs_at_once_and_the_others_wait(deployment):
    assets = [[table.name] for table in DEFAULT_MODEL.tables]
    launched = [deployment.ui.launch(LOCATION, assets, prefix) for prefix in "abc"]
    most, waited = 0, False
    while True:
        found = {run.run_id: run.status for run in runs(deployment, run_ids=launched)}
        assert set(found) == set(launched)
        working = sum(status in UNDER_WAY for status in found.values())
        most = max(most, working)
        waited = waited or (working == 2 and dg.DagsterRunStatus.QUEUED in found.values())
        if all(status in {dg.DagsterRunStatus.SUCCESS, dg.DagsterRunStatus.FAILURE} for status in found.values()):
            break
        time.sleep(0.1)
    assert set(found.values()) == {dg.DagsterRunStatus.SUCCESS}
    assert (most, waited) == (2, True)


def test_a_run_whose_process_is_killed_fails_and_the_sensor_asks_again(deployment):
    put(deployment.source / "b" / "3.dcm", 3)
    lost = kill_a_run_of(deployment, "b")
    deployment.wait_for(dg.DagsterRunStatus.FAILURE, lambda: deployment.instance.get_run_by_id(lost).status)
    deployment.wait_for({"a/0.dcm", "b/1.dcm", "b/3.dcm", "c/2.dcm"}, deployment.cataloged)
    again = [run for run in runs(deployment, tags={PREFIXES_TAG: "b"}) if run.tags.get(ATTEMPT_TAG)]
    assert len(again) == 1


def kill_a_run_of(deployment, prefix):
    """Kill the process of the first run of a prefix as soon as there is one; returns the run's id."""
    deployment.wait_for(True, lambda: bool(runs(deployment, tags={PREFIXES_TAG: prefix}, statuses=UNDER_WAY)))
    (run,) = runs(deployment, tags={PREFIXES_TAG: prefix}, statuses=UNDER_WAY)
    for _ in range(600):
        told = "\n".join(entry.message for entry in deployment.instance.all_logs(run.run_id))
        if found := re.search(r"\(pid: (\d+)\)", told):
            os.kill(int(found[1]), signal.SIGKILL)
            return run.run_id
        time.sleep(0.1)
    pytest.fail("no process says that it executes the run")


def test_commands_use_the_same_instance(deployment):
    put(deployment.source / "a" / "4.dcm", 4)
    before = {run.run_id for run in runs(deployment)}
    assert "1 file cataloged" in deployment.command(
        "catalog", str(deployment.source), "--lake", deployment.lake.root
    ), "by the command, unless the sensor was faster"
    assert len({run.run_id for run in runs(deployment)} - before) >= 1
    told = deployment.command("notify", "c/", "--lake", deployment.lake.root)
    assert told.startswith("1 prefix told")
    (port,) = free_ports(1)
    where = ("--lake", deployment.lake.root, "--port", str(port))
    program = "from dicom_assets.cli import main; main()"
    served = deployment.start("python", "-c", program, "ui", str(deployment.source), *where)
    ui = Ui(port)
    ui.wait_until_it_answers(served)
    assert len(ui.ask("{ runsOrError { ... on Runs { results { runId } } } }")["runsOrError"]["results"]) >= len(before)

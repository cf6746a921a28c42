"""Automation that is interrupted anywhere goes on where it was: nothing is lost, nothing is done twice."""

import json
import os
import socket
import subprocess
import sys
from datetime import UTC, datetime

import dagster as dg
import pytest
from dagster._core.test_utils import create_run_for_test

from dicom_assets.archive.local import LocalArchive
from dicom_assets.orchestration import sensors
from dicom_assets.orchestration.naming import ALONE
from dicom_assets.orchestration.orphans import end_orphans
from dicom_assets.orchestration.resources.archive import ArchiveResource
from dicom_assets.orchestration.resources.lake import LakeResource
from dicom_assets.orchestration.sensors import SensorOptions
from dicom_assets_tests.support.made_up import follow, write
from dicom_assets_tests.support.ticking import Ticker, ranges


@pytest.fixture
def source(tmp_path):
    for number in range(12):
        write(tmp_path / "source" / f"p{number:02d}" / "1")
    return tmp_path / "source"


@pytest.fixture
def ticker(instance, source, lake):
    archive = ArchiveResource(source=str(source), prefix_depth=1)
    return Ticker(instance, archive, LakeResource(root_uri=lake.root), SensorOptions(prefixes_per_run=4))


def start(instance, requests):
    """Create the runs of a tick as the daemon does: none twice by its key; returns those that are new."""
    new = []
    for request in requests:
        if not instance.get_runs(dg.RunsFilter(tags={"dagster/run_key": request.run_key})):
            tags = {**request.tags, "dagster/sensor_name": ALONE.archive_sensor, "dagster/run_key": request.run_key}
            new.append(create_run_for_test(instance, tags=tags, status=dg.DagsterRunStatus.STARTING))
    return new


def test_a_tick_that_dies_when_its_requests_are_made_is_repeated_alike(ticker, instance, monkeypatch):
    lost = []

    def dies(*arguments, original=sensors._result):
        lost.append(original(*arguments))
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(sensors, "_result", dies)
        with pytest.raises(KeyboardInterrupt):
            ticker.tick()
    assert ticker.cursor is None
    again = ticker.tick()
    assert [request.run_key for request in again.run_requests] == [one.run_key for one in lost[0].run_requests]
    assert again.dynamic_partitions_requests == lost[0].dynamic_partitions_requests
    assert ranges(again) == [("p00", "p03"), ("p04", "p07"), ("p08", "p11")]


@pytest.mark.parametrize("started", [0, 1, 2, 3])
def test_a_daemon_that_dies_amid_the_runs_of_a_tick_starts_the_others_and_none_twice(
    ticker, instance, source, lake, started
):
    before = ticker.cursor
    first = ticker.tick()
    assert len(start(instance, first.run_requests[:started])) == started
    ticker.cursor = before
    again = ticker.tick()
    rest = start(instance, again.run_requests)
    assert len(instance.get_runs()) == 3
    assert len(rest) == 3 - started
    covered = sorted(
        (run.tags["dagster/asset_partition_range_start"], run.tags["dagster/asset_partition_range_end"])
        for run in instance.get_runs()
    )
    assert covered == [("p00", "p03"), ("p04", "p07"), ("p08", "p11")]
    assert ticker.tick().run_requests == [], "all are held"


def test_a_sweep_that_is_interrupted_goes_on_behind_its_cursor(ticker, instance, source, lake):
    follow(lake, LocalArchive(str(source), 1), [f"p{number:02d}" for number in range(12)])
    ticker.tick()
    ticker.cursor = json.dumps({"after": "p05"})
    write(source / "p02" / "2")
    write(source / "p09" / "2")
    assert ranges(ticker.tick()) == [("p09", "p09")]
    assert ranges(ticker.tick()) == [("p02", "p02"), ("p09", "p09")]


def ended_process():
    process = subprocess.Popen([sys.executable, "-c", ""])
    process.wait()
    return process.pid


def started_run(instance, server, process, status=dg.DagsterRunStatus.STARTED):
    tags = {".dagster/grpc_info": json.dumps({"host": "localhost", "socket": server}), "dagster/partition": "p00"}
    run = create_run_for_test(instance, tags=tags, status=dg.DagsterRunStatus.STARTING)
    instance.report_engine_event(f"Started process for run (pid: {process}).", run)
    if status is dg.DagsterRunStatus.STARTED:
        instance.report_dagster_event(dg.DagsterEvent(dg.DagsterEventType.RUN_START.value, run.job_name), run.run_id)
    return run.run_id


def status(instance, run_id):
    return instance.get_run_by_id(run_id).status


def test_a_run_whose_process_and_server_are_gone_is_ended_and_its_prefix_asked_for_again(ticker, instance, tmp_path):
    ticker.tick()
    run = started_run(instance, str(tmp_path / "gone.sock"), ended_process())
    assert ("p00", "p03") in ranges(ticker.tick())
    assert status(instance, run) is dg.DagsterRunStatus.FAILURE
    (told,) = [
        record.event_log_entry.dagster_event.message
        for record in instance.get_records_for_run(run, of_type=dg.DagsterEventType.RUN_FAILURE).records
    ]
    assert "The process of this run is gone" in told


def test_a_run_whose_process_lives_is_left_alone(instance, tmp_path):
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as process:
        run = started_run(instance, str(tmp_path / "gone.sock"), process.pid)
        assert end_orphans(instance) == []
        assert status(instance, run) is dg.DagsterRunStatus.STARTED
        process.kill()
        process.wait()
        assert end_orphans(instance) == [run]


def test_a_process_that_began_after_the_run_has_its_number_by_chance(instance, tmp_path, monkeypatch):
    run = started_run(instance, str(tmp_path / "gone.sock"), os.getpid())
    later = datetime.now(UTC).timestamp() + 3600
    monkeypatch.setattr("dicom_assets.orchestration.orphans._began", lambda _: later)
    assert end_orphans(instance) == [run]


def test_a_run_whose_server_answers_is_left_to_it(instance, tmp_path):
    path = str(tmp_path / "s.sock")
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as server:
        server.bind(path)
        server.listen()
        started_run(instance, path, ended_process())
        assert end_orphans(instance) == []


def test_a_run_of_the_command_line_is_left_alone(instance):
    create_run_for_test(instance, tags={"dagster/partition": "p00"}, status=dg.DagsterRunStatus.STARTED)
    assert end_orphans(instance) == []

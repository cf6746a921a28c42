"""A command that is told to end does so at once, by Ctrl-C and by SIGTERM, and the next one goes on from there."""

import os
import shutil
import signal
import sqlite3
import subprocess
import sys
import time
from pathlib import Path

import pytest
from dagster import JobDefinition
from dagster._utils.interrupts import capture_interrupts

from dicom_assets import open_catalog
from dicom_assets.archive.prefixes import PrefixCut
from dicom_assets.cli.catalog import CatalogCommand, run_catalog
from dicom_assets.cli.places import Places
from dicom_assets.orchestration import launch
from dicom_assets.orchestration.instance import open_instance
from dicom_assets_tests.support.corpus import PYDICOM_FILES
from dicom_assets_tests.support.ports import free_ports
from dicom_assets_tests.support.ui import Ui

PROJECT = Path(__file__).parents[2]
MAIN = [sys.executable, "-c", "from dicom_assets.cli import main; main()"]
DEAF = ["sh", "-c", "trap '' INT; exec \"$@\"", "sh"]
PREFIXES = 51
"""One more than a run takes, with a file each: two runs, the first of a second or more in this process."""
ENDS_WITHIN = 20
"""Seconds on a busy machine; Dagster's second attempt alone would begin after two."""


@pytest.fixture(scope="module")
def archive(tmp_path_factory):
    root = tmp_path_factory.mktemp("interrupted") / "archive"
    for number in range(PREFIXES):
        path = root / f"{number:02}" / f"{number}.dcm"
        path.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(PYDICOM_FILES / "CT_small.dcm", path)
    return root


def started(archive, lake, *options, command="catalog", deaf=False):
    """Start a command; a deaf one ignores SIGINT, as those do that a script leaves in the background."""
    kept = {name: value for name, value in os.environ.items() if name != "DAGSTER_HOME"}
    return subprocess.Popen(
        [*(DEAF if deaf else ()), *MAIN, command, str(archive), "--lake", str(lake), *options],
        env=kept | {"PYTHONPATH": str(PROJECT), "TERM": "dumb"},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


def until(process, there):
    end = time.monotonic() + 60
    while not there():
        assert process.poll() is None, process.communicate()[0]
        assert time.monotonic() < end
        time.sleep(0.02)


def runs(lake):
    """Return run and status of each, and the kinds of events of all."""
    history = lake / ".dagster" / "history"
    found = sqlite3.connect(history / "runs.db").execute("SELECT run_id, status FROM runs").fetchall()
    events = set()
    for run, _ in found:
        query = "SELECT dagster_event_type FROM event_logs"
        events |= {kind for (kind,) in sqlite3.connect(history / "runs" / f"{run}.db").execute(query)}
    return found, events


@pytest.mark.parametrize(
    ("sign", "deaf"),
    [
        (signal.SIGTERM, True),
        pytest.param(signal.SIGINT, False, marks=pytest.mark.slow),
        pytest.param(signal.SIGTERM, False, marks=pytest.mark.slow),
    ],
)
def test_a_command_ends_in_the_middle_of_a_run_and_the_next_goes_on(archive, tmp_path, sign, deaf):
    lake = tmp_path / "lake"
    process = started(archive, lake, deaf=deaf)
    until(process, lambda: list((lake / "dicom" / "file_index" / "_delta_log").glob("*01.json")))
    process.send_signal(sign)
    told = time.monotonic()
    output, _ = process.communicate(timeout=60)
    assert (process.returncode, time.monotonic() - told < ENDS_WITHIN) == (130, True), output
    assert "Interrupted. The tables are as their last commit left them; run again to go on." in output
    assert "Traceback" not in output
    ((_, status),), events = runs(lake)
    assert status == "FAILURE", "the second run was not started"
    assert "STEP_FAILURE" in events
    assert "STEP_UP_FOR_RETRY" not in events
    again = started(archive, lake)
    output, _ = again.communicate(timeout=120)
    assert again.returncode == 0, output
    counts = "SELECT count(*), count(DISTINCT path), min(status) FROM object_catalog"
    assert open_catalog(str(lake)).sql(counts).fetchall() == [(PREFIXES, PREFIXES, "ok")]


def test_a_signal_after_the_last_step_of_a_run_starts_no_other_run(tmp_path, monkeypatch):
    for number in range(2):
        folder = tmp_path / "archive" / f"{number}"
        folder.mkdir(parents=True)
        shutil.copy(PYDICOM_FILES / "CT_small.dcm", folder)
    execute = JobDefinition.execute_in_process

    def told_at_the_end(job, **options):
        with capture_interrupts():  # as while Dagster ends a run, and forgets what it heard
            result = execute(job, **options)
            os.kill(os.getpid(), signal.SIGTERM)
        return result

    monkeypatch.delenv("DAGSTER_HOME", raising=False)
    monkeypatch.setattr(launch, "PREFIXES_PER_RUN", 1)
    monkeypatch.setattr(JobDefinition, "execute_in_process", told_at_the_end)
    places = Places(str(tmp_path / "archive"), str(tmp_path / "lake"), "dicom", PrefixCut())
    with open_instance(places.lake) as instance, pytest.raises(KeyboardInterrupt):
        run_catalog(CatalogCommand(places, ()), launch.Launcher(instance))
    (run,), _ = runs(tmp_path / "lake")
    assert run[1] == "SUCCESS"


@pytest.mark.slow
def test_a_deaf_command_does_not_hear_ctrl_c(archive, tmp_path):
    process = started(archive, tmp_path / "lake", deaf=True)
    until(process, (tmp_path / "lake" / ".dagster").exists)
    process.send_signal(signal.SIGINT)
    output, _ = process.communicate(timeout=120)
    assert process.returncode == 0, output


@pytest.mark.slow
def test_a_deaf_ui_ends_with_all_its_servers(archive, tmp_path):
    (port,) = free_ports(1)
    process = started(archive, tmp_path / "lake", "--port", str(port), command="ui", deaf=True)
    Ui(port).wait_until_it_answers(process)
    process.send_signal(signal.SIGTERM)
    output, _ = process.communicate(timeout=60)  # which ends when the last of them has closed it
    assert process.returncode == 0, output

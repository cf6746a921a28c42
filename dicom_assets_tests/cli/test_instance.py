"""The Dagster instance of a lake: made once, whoever comes, and clear about a database that fails."""

import os
import re
import resource
import shutil
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest
from dagster import DagsterInstance

from dicom_assets.orchestration.instance import InstanceSettingsError, default_settings, ensure_instance
from dicom_assets_tests.support.corpus import PYDICOM_FILES
from dicom_assets_tests.support.ports import free_ports
from dicom_assets_tests.support.postgres import needs_driver

PROCESSES = 4
OPENS = """
import sys, time
from pathlib import Path
import dicom_assets.cli.{module}
from dicom_assets.orchestration.instance import open_instance, ensure_instance
lake, gate, name = sys.argv[1:]
print("ready", flush=True)
while not Path(gate).exists():
    time.sleep(0.001)
if name == "0":
    ensure_instance(lake)  # as the UI does
else:
    with open_instance(lake) as instance:
        instance.add_dynamic_partitions("prefix", [name])
"""


@pytest.fixture
def environment():
    project = str(Path(__file__).parents[2])
    return {name: value for name, value in os.environ.items() if name != "DAGSTER_HOME"} | {"PYTHONPATH": project}


def test_processes_that_start_at_once_on_a_new_lake_make_one_instance(tmp_path, environment):
    lake, gate = tmp_path / "lake", tmp_path / "gate"
    command = [sys.executable, "-W", "ignore", "-c", OPENS.format(module="ui"), str(lake), str(gate)]
    processes = [
        subprocess.Popen(
            [*command, str(number)], env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )
        for number in range(PROCESSES)
    ]
    try:
        for process in processes:
            assert process.stdout.readline() == "ready\n"
        gate.touch()
        ends = [(process.communicate(timeout=240)[1], process.returncode) for process in processes]
    finally:
        for process in processes:
            process.kill()
    assert ends == [("", 0)] * PROCESSES
    for database in (lake / ".dagster").rglob("*.db"):
        with sqlite3.connect(database) as connection:
            assert connection.execute("SELECT count(*) FROM alembic_version").fetchall() == [(1,)], database
    with DagsterInstance.from_config(str(lake / ".dagster")) as instance:
        assert sorted(instance.get_dynamic_partitions("prefix")) == [str(n) for n in range(1, PROCESSES)]


def _catalog(tmp_path, environment, bytes_a_file):
    """Run ``catalog`` where no file can grow beyond a size: what a full disk does to a database."""
    source = tmp_path / "source" / "a"
    if not source.exists():
        source.mkdir(parents=True)
        shutil.copy(PYDICOM_FILES / "CT_small.dcm", source)
    command = [
        *(sys.executable, "-c", "from dicom_assets.cli import main; main()"),
        *("catalog", str(source.parent), "--lake", str(tmp_path / "lake")),
    ]
    return subprocess.run(
        command,
        check=False,
        env=environment,
        capture_output=True,
        text=True,
        timeout=240,
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (bytes_a_file, bytes_a_file)),
    )


@pytest.mark.parametrize("bytes_a_file", [100, 5_000, 40_000])
def test_a_disk_that_is_full_when_the_instance_is_made_is_one_line(tmp_path, environment, bytes_a_file):
    done = _catalog(tmp_path, environment, bytes_a_file)
    assert done.returncode == 2
    assert f"Error: the Dagster instance at {tmp_path}/lake/.dagster cannot be " in done.stderr
    assert done.stderr.count("\n") == 1, done.stderr


def test_a_disk_that_fills_up_during_a_run_is_one_line(tmp_path, environment):
    done = _catalog(tmp_path, environment, 150_000)
    assert done.returncode == 2
    assert "Error: the Dagster instance" in done.stderr
    assert done.stderr.count("\n") == 1, done.stderr


def test_an_instance_that_an_older_version_broke_is_told_with_what_to_do(tmp_path, environment):
    lake = tmp_path / "lake"
    code = "import sys; from dicom_assets.orchestration.instance import ensure_instance; ensure_instance(sys.argv[1])"
    run = [sys.executable, "-c", code, str(lake)]
    subprocess.run(run, env=environment, check=True, timeout=120)
    with sqlite3.connect(lake / ".dagster" / "history" / "runs.db") as connection:
        connection.execute("INSERT INTO alembic_version VALUES ('567bc23fd1ac')")
    done = subprocess.run(run, check=False, env=environment, capture_output=True, text=True, timeout=120)
    assert "move the folder away" in done.stderr
    assert "Error: the Dagster instance at" in done.stderr


@pytest.mark.parametrize(("cores", "at_once"), [(2, 1), (64, 2)])
def test_the_settings_of_a_new_instance_are_dagsters_and_fit_the_machine(tmp_path, cores, at_once):
    (tmp_path / "dagster.yaml").write_text(default_settings(cores))
    with DagsterInstance.from_config(str(tmp_path)) as instance:
        pools = instance.event_log_storage.get_pool_config()
        assert (pools.default_pool_limit, pools.pool_granularity.value) == (at_once, "run")
        assert instance.run_monitoring_enabled
        assert not instance.run_retries_enabled
        assert not instance.telemetry_enabled


def test_the_settings_of_an_instance_that_is_there_are_left_alone(tmp_path, monkeypatch):
    monkeypatch.delenv("DAGSTER_HOME", raising=False)
    settings = tmp_path / ".dagster" / "dagster.yaml"
    settings.parent.mkdir()
    settings.write_text("telemetry:\n  enabled: false\n")
    ensure_instance(str(tmp_path))
    assert settings.read_text() == "telemetry:\n  enabled: false\n"


POSTGRES = "storage:\n  postgres:\n    postgres_url:\n      env: DAGSTER_PG_URL\n"
NOWHERE = "run_storage:\n  module: nowhere_at_all\n  class: Runs\n  config: {}\n"
UNKNOWN = "storage:\n  sqlite:\n    base_dir: x\n    secret: 'not for the eyes of others'\n"


@pytest.mark.parametrize(
    ("settings", "variables", "told"),
    [
        (
            "storage:\n  sqlite:\n    base_dir:\n      env: NOT_SET_ANYWHERE\n",
            {},
            "the environment variable NOT_SET_ANYWHERE, which its dagster.yaml names, is not set",
        ),
        (NOWHERE, {}, "the package nowhere-at-all, which its dagster.yaml names, is not installed"),
        (UNKNOWN, {}, "`dagster instance info` says why"),
        pytest.param(
            POSTGRES, {"DAGSTER_PG_URL": "postgresql://u:pw@h/d"}, "postgresql+psycopg2://", marks=needs_driver
        ),
    ],
)
def test_settings_that_ask_for_what_is_not_there_are_told_in_one_line(tmp_path, monkeypatch, settings, variables, told):
    monkeypatch.setenv("DAGSTER_HOME", str(tmp_path))
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    (tmp_path / "dagster.yaml").write_text(settings)
    with pytest.raises(InstanceSettingsError) as caught:
        ensure_instance(str(tmp_path / "lake"))
    assert str(caught.value).startswith(f"the Dagster instance at {tmp_path} cannot be opened: ")
    assert told in str(caught.value)
    assert "\n" not in str(caught.value)
    assert not re.search(r"eyes of others|u:pw", str(caught.value))


@needs_driver
def test_a_database_that_does_not_answer_is_told_in_one_line_without_its_password(tmp_path, environment):
    (port,) = free_ports(1)
    (tmp_path / "dagster.yaml").write_text(POSTGRES)
    environment |= {
        "DAGSTER_HOME": str(tmp_path),
        "DAGSTER_PG_URL": f"postgresql+psycopg2://dagster:hidden@127.0.0.1:{port}/dagster",
        "PYTHONPATH": os.pathsep.join([environment["PYTHONPATH"], *filter(None, [os.environ.get("PYTHONPATH")])]),
    }
    done = _catalog(tmp_path, environment, resource.RLIM_INFINITY)
    assert done.returncode == 2
    assert done.stderr.startswith(f"Error: the Dagster instance at {tmp_path} cannot be used: connection to server")
    assert done.stderr.count("\n") == 1, done.stderr
    assert "hidden" not in done.stderr

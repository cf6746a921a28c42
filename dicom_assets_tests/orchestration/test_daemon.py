"""The whole under a real daemon: what happens to the archive appears in the catalog, with no human step."""

import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import dagster as dg
import pytest
from deltalake.exceptions import TableNotFoundError

import dicom_assets
from dicom_assets.delta.lake import Lake
from dicom_assets.extract.model import OBJECT_CATALOG
from dicom_assets.orchestration.partitions import PREFIXES
from dicom_assets_tests.support.ports import free_ports
from dicom_assets_tests.support.whole import put

CHECKOUT = Path(dicom_assets.__file__).parents[1]
PATIENCE = 300

pytestmark = [pytest.mark.slow, pytest.mark.timeout(1800)]


class Service:
    """``dagster dev`` on an archive, in a process group of its own."""

    def __init__(self, folder):
        self.source, self.lake, self.home = folder / "source", Lake(str(folder / "lake")), folder / "home"
        self.home.mkdir()
        (self.home / "dagster.yaml").write_text("telemetry:\n  enabled: false\n")
        self.environment = {
            **os.environ,
            "DAGSTER_HOME": str(self.home),
            "DICOM_ASSETS_SOURCE": str(self.source),
            "DICOM_ASSETS_LAKE": self.lake.root,
            "PYTHONPATH": str(CHECKOUT),
        }
        # Before the service starts: two processes that create the databases at once collide.
        self.instance = dg.DagsterInstance.from_config(str(self.home))
        self.log = (folder / "log.txt").open("w")
        self.process = self.dagster("dev", "-w", str(CHECKOUT / "workspace.yaml"), "-p", str(*free_ports(1)))

    def dagster(self, *arguments):
        command = [sys.executable, "-W", "ignore", "-m", "dagster", *arguments]
        return subprocess.Popen(
            command, cwd=CHECKOUT, env=self.environment, stdout=self.log, stderr=self.log, start_new_session=True
        )

    def stop(self):
        self.instance.dispose()
        for sign in (signal.SIGINT, signal.SIGKILL):
            try:
                os.killpg(self.process.pid, sign)
                self.process.wait(30)
            except (ProcessLookupError, subprocess.TimeoutExpired):
                continue
        self.log.close()

    def cataloged(self):
        """Return the relative paths in the catalog, with whether they are whole."""
        try:
            rows = self.lake.snapshot(OBJECT_CATALOG).keys(["relative_path", "status"]).to_pylist()
        except TableNotFoundError:
            return {}
        return {row["relative_path"]: row["status"] for row in rows}

    def wait_for(self, expected, what):
        deadline = time.monotonic() + PATIENCE
        while what() != expected:
            assert time.monotonic() < deadline, f"{what()} is not {expected} after {PATIENCE} s"
            assert self.process.poll() is None, "dagster dev ended"
            time.sleep(1)

    def keys(self):
        return set(self.instance.get_dynamic_partitions(PREFIXES.name))

    def runs_of(self, asset):
        """Return how many runs of one asset alone succeeded."""
        runs = self.instance.get_runs(dg.RunsFilter(statuses=[dg.DagsterRunStatus.SUCCESS]))
        return sum(run.asset_selection == {dg.AssetKey(asset)} for run in runs)


@pytest.fixture
def service(tmp_path):
    for number in (1, 4):
        put(tmp_path / "source" / "a" / f"{number}.dcm", number)
    service = Service(tmp_path)
    yield service
    service.stop()


def test_the_catalog_follows_the_archive_by_itself(service):
    service.wait_for({"a/1.dcm": "ok", "a/4.dcm": "ok"}, service.cataloged)

    put(service.source / "b" / "2.dcm", 2, when=1e9)
    put(service.source / "a" / "3.dcm", 3)
    service.wait_for({"a/1.dcm": "ok", "a/3.dcm": "ok", "a/4.dcm": "ok", "b/2.dcm": "ok"}, service.cataloged)

    shutil.rmtree(service.source / "b")
    (service.source / "a" / "1.dcm").unlink()
    service.wait_for({"a/3.dcm": "ok", "a/4.dcm": "ok"}, service.cataloged)
    service.wait_for({"a"}, service.keys)

    assert service.runs_of("object_catalog") == 0, "runs over all tables need no second one"
    arguments = ["--select", "dicom_headers", "--partition", "a", "-m", "dicom_assets.definitions"]
    assert service.dagster("asset", "materialize", *arguments).wait(PATIENCE) == 0
    service.wait_for(1, lambda: service.runs_of("object_catalog"))

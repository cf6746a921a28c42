"""A deployment as ``docs/production.md`` describes it: a daemon and a webserver, processes of their own."""

import os
import shlex
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any, Self

import dagster as dg
from deltalake.exceptions import TableNotFoundError

from dicom_assets.delta.lake import Lake
from dicom_assets.extract.model import OBJECT_CATALOG
from dicom_assets_tests.support.ports import free_ports
from dicom_assets_tests.support.snippets import PROJECT, blocks_of
from dicom_assets_tests.support.ui import Ui

PATIENCE = 300
_PROGRAMS = Path(sys.executable).parent
_PAGE = PROJECT / "docs" / "production.md"


def file_of_the_page(name: str) -> str:
    """Return a file that the page shows."""
    return next(block.code for block in blocks_of(_PAGE) if block.marks.get("file") == name)


def processes_of_the_page() -> list[list[str]]:
    """Return the commands below ``<!-- processes -->``."""
    (code,) = [block.code for block in blocks_of(_PAGE) if "processes" in block.marks]
    return [shlex.split(line) for line in code.splitlines()]


class Deployment:
    """The processes, on an archive and a lake of their own.

    Attributes
    ----------
    source, lake
        The archive, which the caller fills, and the lake.
    instance
        That of Dagster, opened in this process too.
    ui
        The webserver.

    """

    def __init__(self, folder: Path, settings: str, workspace: str, environment: Mapping[str, str]) -> None:
        self.folder, self.source, self.lake = folder, folder / "archive", Lake(str(folder / "lake"))
        self.home = folder / "home"
        self.home.mkdir()
        (self.home / "dagster.yaml").write_text(settings)
        (folder / "workspace.yaml").write_text(workspace)
        self.environment = {
            **os.environ,
            "DAGSTER_HOME": str(self.home),
            "DICOM_ASSETS_SOURCE": str(self.source),
            "DICOM_ASSETS_LAKE": self.lake.root,
            "PYTHONPATH": os.pathsep.join([str(PROJECT), *filter(None, [os.environ.get("PYTHONPATH")])]),
            "PYTHONWARNINGS": "ignore",
            **environment,
        }
        self._processes: list[subprocess.Popen] = []

    def __enter__(self) -> Self:
        # Before the processes start: two that create the databases at once collide.
        self.instance = dg.DagsterInstance.from_config(str(self.home))
        try:
            (port,) = free_ports(1)
            daemon, webserver = processes_of_the_page()
            self.start(*daemon)
            server = self.start(*(word if word != "3000" else str(port) for word in webserver))
            self.ui = Ui(port, webserver[webserver.index("--path-prefix") + 1])
            self.ui.wait_until_it_answers(server)
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        for sign in (signal.SIGINT, signal.SIGKILL):
            for process in self._processes:
                with suppress(ProcessLookupError):
                    os.killpg(process.pid, sign)
            with suppress(subprocess.TimeoutExpired):
                for process in self._processes:
                    process.wait(30)
        self.instance.dispose()

    def start(self, program: str, *arguments: str) -> subprocess.Popen:
        """Start a program that comes with Dagster; it is ended with the deployment."""
        with (self.folder / f"{program}.log").open("a") as log:
            process = subprocess.Popen(
                [_PROGRAMS / program, *arguments],
                cwd=self.folder,
                env=self.environment,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        self._processes.append(process)
        return process

    def command(self, *arguments: str) -> str:
        """Call the command line, which has to succeed; returns what it printed."""
        code = "from dicom_assets.cli import main; main()"
        done = subprocess.run(
            [sys.executable, "-c", code, *arguments],
            cwd=self.folder,
            env=self.environment,
            text=True,
            capture_output=True,
            check=False,
            timeout=PATIENCE,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    def cataloged(self) -> set[str]:
        """Return the relative paths in the catalog."""
        try:
            rows = self.lake.snapshot(OBJECT_CATALOG).keys(["relative_path"]).to_pylist()
        except TableNotFoundError:
            return set()
        return {row["relative_path"] for row in rows}

    def wait_for(self, expected: Any, what: Callable[[], Any], seconds: float = PATIENCE) -> None:
        """Wait until something is as it is expected, while all processes run."""
        deadline = time.monotonic() + seconds
        while (found := what()) != expected:
            assert time.monotonic() < deadline, f"{found} is not {expected} after {seconds} s"
            assert all(process.poll() is None for process in self._processes), "a process ended"
            time.sleep(0.5)

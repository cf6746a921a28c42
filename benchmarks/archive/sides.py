"""What is measured: the command, and what users would otherwise do. Each is a process, from its start to its end."""

import json
import os
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from benchmarks.archive.by_orthanc import version
from benchmarks.processes import Usage, run

COMMAND = "command"
_ROOT = Path(__file__).parents[2]


@dataclass(frozen=True, slots=True)
class Side:
    """One way to get from files to something that can be asked.

    Attributes
    ----------
    name, title
        Short, and for people.
    arguments
        Returns those of Python for an archive, a folder that is to be made, and a number of cores.
    missing
        Returns why it cannot run here; empty where it can.

    """

    name: str
    title: str
    arguments: Callable[[Path, Path, int], list[str]]
    missing: Callable[[], str] = lambda: ""


@dataclass(frozen=True, slots=True)
class Run:
    """One run of a side.

    Attributes
    ----------
    usage
        What it took.
    counts
        Number of ``files``, ``headers`` and ``thumbnails`` that it says it made.
    load
        Processes that ran on the machine beside it: the load of the last minute, as the run began.

    """

    usage: Usage
    counts: Mapping[str, int]
    load: float


def _command(source: Path, target: Path, cores: int) -> list[str]:
    """Return the arguments of ``dicom-assets catalog``."""
    code = "from dicom_assets.cli import main; main()"
    return ["-c", code, "catalog", str(source), "--lake", str(target), "--json", "--master", f"local[{cores}]"]


def _module(name: str, *more: str) -> Callable[[Path, Path, int], list[str]]:
    def arguments(source: Path, target: Path, cores: int) -> list[str]:
        filled = [part.format(cores=cores) for part in more]
        return ["-m", f"benchmarks.archive.{name}", str(source), str(target), *filled]

    return arguments


SIDES = (
    Side(COMMAND, "`dicom-assets catalog`", _command),
    Side("script", "a script: pydicom and Pillow, one process", _module("script")),
    Side("pool", "the script with `multiprocessing`", _module("script", "--processes", "{cores}")),
    Side("spark", "Spark by the book: `binaryFile`, `mapInPandas`", _module("by_spark", "--cores", "{cores}")),
    Side(
        "orthanc",
        "Orthanc, four uploads at once: main tags, no thumbnails",
        _module("by_orthanc"),
        lambda: "" if version() else "Debian's packages orthanc and orthanc-dicomweb are not installed",
    ),
)


def run_side(side: Side, source: Path, target: Path, cores: int) -> Run:
    """Run a side once; it makes `target`."""
    load = os.getloadavg()[0]
    path = os.pathsep.join(filter(None, [str(_ROOT), os.environ.get("PYTHONPATH")]))
    usage = run([sys.executable, *side.arguments(source, target, cores)], {**os.environ, "PYTHONPATH": path})
    said = json.loads(usage.said)
    return Run(usage, _counts_of_command(said) if side.name == COMMAND else said, load)


def _counts_of_command(said: Mapping[str, object]) -> dict[str, int]:
    """Return how many headers and thumbnails a catalog has, by what the command says."""

    def made(states: object, *fine: str) -> int:
        return sum(states.get(state, 0) for state in fine) if isinstance(states, dict) else 0

    return {
        "files": int(str(said["files"])),
        "headers": made(said["header_status"], "ok", "issues", "damaged"),
        "thumbnails": made(said["thumbnail_status"], "ok"),
    }

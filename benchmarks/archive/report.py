"""What came of it: JSON with every run, and a table for people."""

import os
import platform
import statistics
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

from benchmarks.archive.by_orthanc import version as orthanc_version
from benchmarks.archive.sides import COMMAND, SIDES, Run

BEGINNING, END = "<!-- benchmarks.archive: begin {name} -->", "<!-- benchmarks.archive: end {name} -->"
_PACKAGES = ("dicom-assets", "pydicom", "pillow", "pyspark", "dagster", "deltalake", "pyarrow", "numpy", "imagecodecs")


@dataclass(frozen=True, slots=True)
class Measured:
    """All runs, and what they were of.

    Attributes
    ----------
    mix
        What the archive consists of.
    files, size, prefixes
        Number of files, their bytes together, and the number of prefixes.
    cores
        That each side was given, where it can be told.
    runs
        By side, one a round.
    skipped
        Why sides did not run.

    """

    mix: str
    files: int
    size: int
    prefixes: int
    cores: int
    runs: Mapping[str, Sequence[Run]]
    skipped: Mapping[str, str]

    def seconds(self, side: str) -> float:
        """Return the median of its runs."""
        return statistics.median(run.usage.seconds for run in self.runs[side])

    def ratio(self, side: str) -> float | None:
        """Return how many times as long as the command a side took: the median of what each round says."""
        if COMMAND not in self.runs:
            return None
        pairs = zip(self.runs[side], self.runs[COMMAND], strict=True)
        return statistics.median(other.usage.seconds / mine.usage.seconds for other, mine in pairs)


def machine() -> dict[str, Any]:
    """Return where and with what this was measured."""
    cpu = [line.partition(":")[2].strip() for line in _lines("/proc/cpuinfo") if line.startswith("model name")]
    memory = [int(line.split()[1]) for line in _lines("/proc/meminfo") if line.startswith("MemTotal")]
    return {
        "processor": cpu[0] if cpu else platform.processor(),
        "cores": os.cpu_count(),
        "memory_gib": round(memory[0] / 2**20, 1) if memory else None,
        "system": f"{platform.system()} {platform.release()}",
        "python": platform.python_version(),
        "orthanc": orthanc_version(),
        "date": datetime.now(UTC).date().isoformat(),
        **{name: version(name) for name in _PACKAGES},
    }


def as_json(measured: Measured) -> dict[str, Any]:
    """Return all that was measured."""
    return {"machine": machine(), **asdict(measured)}


def as_markdown(measured: Measured) -> str:
    """Return a table with a row for each side, and below it where it was measured."""
    lines = [
        "| | seconds | files/s | processor seconds | peak memory, MiB | headers | thumbnails | time, command = 1 |",
        "|---|---|---|---|---|---|---|---|",
        *(_row(measured, side.name, side.title) for side in SIDES if side.name in measured.runs),
    ]
    titles = {side.name: side.title for side in SIDES}
    lines += [f"\nNot measured: {titles[name]} ({why})." for name, why in measured.skipped.items()]
    return "\n".join([*lines, "", _where(measured)])


def _row(measured: Measured, side: str, title: str) -> str:
    runs = measured.runs[side]
    seconds, ratio = [run.usage.seconds for run in runs], measured.ratio(side)
    spread = f" ({min(seconds):.1f} to {max(seconds):.1f})" if len(runs) > 1 else ""
    cells = [
        title,
        f"{measured.seconds(side):.1f}{spread}",
        f"{measured.files / measured.seconds(side):.0f}",
        f"{statistics.median(run.usage.cpu_seconds for run in runs):.0f}",
        f"{max(run.usage.peak_bytes for run in runs) >> 20}",
        f"{runs[-1].counts['headers']}",
        f"{runs[-1].counts['thumbnails']}",
        f"{ratio:.2f}" if ratio is not None else "",
    ]
    return f"| {' | '.join(cells)} |"


def _where(measured: Measured) -> str:
    """Return one paragraph: the archive, the machine, what else it did, the versions."""
    told = machine()
    loads = [run.load for runs in measured.runs.values() for run in runs]
    rounds = max((len(runs) for runs in measured.runs.values()), default=0)
    versions = ", ".join(f"{name} {told[name]}" for name in _PACKAGES[1:])
    return (
        f"{measured.files} files ({measured.mix}, {_size(measured.size)}, "
        f"{_several(measured.prefixes, 'prefix', 'es')}), "
        f"{_several(rounds, 'round')} in turns, on {told['date']}: {told['processor']}, "
        f"{measured.cores} cores of {told['cores']}, {told['memory_gib']} GiB, {told['system']}; load of the last "
        f"minute as a run began: {min(loads):.1f} to {max(loads):.1f}. Python {told['python']}, {versions}; "
        f"{told['orthanc'] or 'no Orthanc'}."
    )


def _several(number: int, word: str, ending: str = "s") -> str:
    return f"{number} {word}{'' if number == 1 else ending}"


def _size(size: int) -> str:
    return f"{size / 2**30:.1f} GiB" if size >= 2**30 else f"{size / 2**20:.0f} MiB"


def put_into(page: Path, name: str, markdown: str) -> None:
    """Put a table into a page, between the two comments that name it.

    Raises
    ------
    ValueError
        The page has no such comments, or not in this order.

    """
    text, begin, end = page.read_text(encoding="utf-8"), BEGINNING.format(name=name), END.format(name=name)
    before, found, rest = text.partition(begin)
    _, ended, after = rest.partition(end)
    if not found or not ended:
        raise ValueError(f"{page.name} has no place for this table: put the lines {begin} and {end} into it")
    page.write_text(f"{before}{begin}\n\n{markdown}\n\n{end}{after}", encoding="utf-8")


def _lines(path: str) -> list[str]:
    try:
        return Path(path).read_text(encoding="utf-8").splitlines()
    except OSError:
        return []

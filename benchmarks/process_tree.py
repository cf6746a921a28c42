"""How much memory a command holds with all processes that it starts, as Linux tells it.

What is counted of a process is its proportional share (PSS): pages that several share are counted once in the sum.
"""

import subprocess
import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Usage:
    """What a command took.

    Attributes
    ----------
    seconds, cpu_seconds
        By the clock, and of all processes that it waited for.
    driver
        The most bytes that the process of the command held resident.
    together
        The most bytes that all processes held at one moment.
    samples
        By seconds since the start: bytes of the process of the command, and of all.
    output
        What it printed.

    """

    seconds: float
    cpu_seconds: float
    driver: int
    together: int
    samples: Mapping[float, tuple[int, int]]
    output: str


def measure(command: Sequence[str], environment: Mapping[str, str], interval: float = 0.5) -> Usage:
    """Run a command and measure it; raises ``CalledProcessError`` where it fails."""
    started, before = time.monotonic(), _children_seconds()
    with subprocess.Popen(command, env=dict(environment), stdout=subprocess.PIPE, text=True) as process:
        watcher = _Watcher(process.pid, interval)
        watcher.start()
        output, _ = process.communicate()
        watcher.stop()
    seconds = time.monotonic() - started
    if process.returncode:
        raise subprocess.CalledProcessError(process.returncode, command, output)
    samples = watcher.samples
    together = max((both for _, both in samples.values()), default=0)
    return Usage(seconds, _children_seconds() - before, watcher.driver, together, samples, output)


def _children_seconds() -> float:
    import resource

    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


class _Watcher(threading.Thread):
    """Looks at a process and its descendants time and again."""

    def __init__(self, pid: int, interval: float) -> None:
        super().__init__(daemon=True)
        self._pid, self._interval = pid, interval
        self._ended = threading.Event()
        self.samples: dict[float, tuple[int, int]] = {}
        self.driver = 0

    def run(self) -> None:
        started = time.monotonic()
        while not self._ended.wait(self._interval):
            held = {pid: _share(pid) for pid in descendants(self._pid)}
            self.driver = max(self.driver, _resident_peak(self._pid))
            self.samples[time.monotonic() - started] = held.get(self._pid, 0), sum(held.values())

    def stop(self) -> None:
        self._ended.set()
        self.join()


def descendants(pid: int) -> set[int]:
    """Return a process and all that descend from it."""
    parents: dict[int, list[int]] = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit() and (stat := _read(entry / "stat")):
            parents.setdefault(int(stat.rpartition(")")[2].split()[1]), []).append(int(entry.name))
    found, pending = set(), [pid]
    while pending:
        found.add(one := pending.pop())
        pending += parents.get(one, ())
    return found


def _share(pid: int) -> int:
    return _kib(_read(Path(f"/proc/{pid}/smaps_rollup")), "Pss:")


def _resident_peak(pid: int) -> int:
    return _kib(_read(Path(f"/proc/{pid}/status")), "VmHWM:")


def _kib(text: str, name: str) -> int:
    return next((int(line.split()[1]) << 10 for line in text.splitlines() if line.startswith(name)), 0)


def _read(path: Path) -> str:
    """Return the text of a file of ``/proc``; empty where the process is gone."""
    try:
        return path.read_text(errors="replace")
    except OSError:
        return ""

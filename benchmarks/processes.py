"""What a command and all processes below it take: seconds, processor time, and memory at its peak.

Memory is the proportional set size (PSS) of all processes together: a page that several of them share counts once in
all, which the resident sizes of forked workers would count in each. It is sampled, so a peak of less than the time
between two samples may be missed. Linux only: it reads ``/proc``.
"""

import os
import subprocess
import tempfile
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO

_PROC = Path("/proc")
_INTERVAL = 0.25
_SHOWN = 4096
_TICKS = os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True, slots=True)
class Usage:
    """What was taken.

    Attributes
    ----------
    seconds
        From start to end.
    cpu_seconds
        Processor time of all processes, as of the last sample that saw each of them.
    peak_bytes
        Most proportional set size of all processes together.
    own_bytes
        Most proportional set size of the process that was started, without those below it.
    resident_bytes
        Most that it held resident, pages that it shares included, also between two samples.
    processes
        Number of processes that were seen.
    said
        What was printed, the end of it where that is long.

    """

    seconds: float
    cpu_seconds: float
    peak_bytes: int
    own_bytes: int
    resident_bytes: int
    processes: int
    said: str = ""


@dataclass(frozen=True, slots=True)
class _Status:
    """One process at one moment, by ``/proc/PID/stat`` (proc_pid_stat(5))."""

    parent: int
    started: int
    cpu_ticks: int


def _status(process: int) -> _Status | None:
    """Return what is known of a process, ``None`` when it has ended."""
    try:
        text = (_PROC / str(process) / "stat").read_text()
    except OSError:
        return None
    # The name of the program is in parentheses, and may hold spaces and parentheses itself.
    fields = text.rpartition(")")[2].split()
    return _Status(int(fields[1]), int(fields[19]), sum(int(ticks) for ticks in fields[11:13]))


def _pss(process: int) -> int:
    """Return the proportional set size of a process in bytes, 0 when it has ended or is another user's."""
    return told_bytes(process, "smaps_rollup", "Pss:")


def told_bytes(process: int, file: str, name: str) -> int:
    """Return what a file of ``/proc/PID`` tells by a name, 0 where it tells nothing."""
    try:
        text = (_PROC / str(process) / file).read_text()
    except OSError:
        return 0
    return next((int(line.split()[1]) << 10 for line in text.splitlines() if line.startswith(name)), 0)


@dataclass(slots=True)
class Family:
    """A process and all that descend from it, also those whose parents have ended, as samples have seen them."""

    root: int
    peak_bytes: int = 0
    own_bytes: int = 0
    resident_bytes: int = 0
    _cpu_ticks: dict[tuple[int, int], int] = field(default_factory=dict)

    def sample(self) -> None:
        """Look once."""
        found = {int(entry.name): _status(int(entry.name)) for entry in _PROC.iterdir() if entry.name.isdigit()}
        statuses = {process: status for process, status in found.items() if status is not None}
        members = self._members(statuses)
        shares = {process: _pss(process) for process in members}
        self.peak_bytes = max(self.peak_bytes, sum(shares.values()))
        self.own_bytes = max(self.own_bytes, shares.get(self.root, 0))
        self.resident_bytes = max(self.resident_bytes, told_bytes(self.root, "status", "VmHWM:"))
        for process in members:
            status = statuses[process]
            self._cpu_ticks[process, status.started] = status.cpu_ticks

    def _members(self, statuses: Mapping[int, _Status]) -> set[int]:
        """Return who belongs to the family, by descent or because an earlier sample saw that."""
        members = {process for process, one in statuses.items() if (process, one.started) in self._cpu_ticks}
        members |= {self.root} & statuses.keys()
        while more := {process for process, one in statuses.items() if one.parent in members} - members:
            members |= more
        return members

    @property
    def cpu_seconds(self) -> float:
        """Processor time of all members, those that have ended included."""
        return sum(self._cpu_ticks.values()) / _TICKS

    @property
    def processes(self) -> int:
        """Number of members that were seen."""
        return len(self._cpu_ticks)


@contextmanager
def watching(family: Family) -> Iterator[None]:
    """Sample a family until the block ends, on a thread of its own."""
    ended = threading.Event()

    def watch() -> None:
        family.sample()
        while not ended.wait(_INTERVAL):
            family.sample()

    thread = threading.Thread(target=watch, daemon=True)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join()


def run(command: Sequence[str], environment: Mapping[str, str] | None = None) -> Usage:
    """Run a command to its end and return what it took.

    Raises
    ------
    RuntimeError
        It failed; the end of what it wrote to standard error is in the message.

    """
    started = time.perf_counter()
    # Files, not pipes: a child that outlives the command would keep a pipe open.
    with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as complaints:
        process = subprocess.Popen(command, env=environment, stdout=out, stderr=complaints)
        family = Family(process.pid)
        with watching(family):
            process.wait()
        seconds = time.perf_counter() - started
        if process.returncode:
            raise RuntimeError(f"{' '.join(command[:4])} ended with {process.returncode}: {_end(complaints)}")
        said = _end(out)
    held = family.peak_bytes, family.own_bytes, family.resident_bytes
    return Usage(seconds, family.cpu_seconds, *held, family.processes, said)


def _end(file: BinaryIO) -> str:
    """Return the last part of a file, without white space around it."""
    file.seek(max(0, file.seek(0, os.SEEK_END) - _SHOWN))
    return file.read().decode(errors="replace").strip()

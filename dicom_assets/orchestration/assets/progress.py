"""What the log of a run says while work is under way: what began and where, how far it is, how long it will take."""

import re
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field

from dicom_assets.query.labels import file_size
from dicom_assets.spark.watch import Job, Watch, WatchedEngine
from dicom_assets.spark.work import FILES, IN_PROCESS, REWRITES, Engine, Progress, ignore_progress

STEP_SECONDS = 10.0
STEP_SHARE = 0.1
LONGEST_SILENCE = 600.0
"""A line is due after ten seconds and a tenth of the work, whichever is later: ten lines for a job however long it
takes, and none for one that takes less. A job of days says a word every ten minutes."""

_MINUTE, _HOUR, _DAY = 60, 3600, 86400

_PLURAL = re.compile(r"\b(file|row)s\b")

_listener: ContextVar[Progress] = ContextVar("listener", default=ignore_progress)


@contextmanager
def listening(listener: Progress) -> Iterator[None]:
    """Let somebody besides the log hear how far the reading of files is, of the runs that this thread executes."""
    token = _listener.set(listener)
    try:
        yield
    finally:
        _listener.reset(token)


def logged(engine: Engine, step: str, log: Callable[[str], object]) -> Engine:
    """Return an engine that says in the log what it does.

    Parameters
    ----------
    engine
        That does the work.
    step
        What the work is for, as each line begins.
    log
        Takes one line.

    """
    return WatchedEngine(engine, _watch(step, log))


def _watch(step: str, log: Callable[[str], object]) -> Watch:
    listener = _listener.get()

    def begin(job: Job) -> Progress:
        where = f"{job.engine}, {job.url}" if job.url else job.engine
        size = f", {file_size(job.size)}" if job.size else ""
        if job.kind != REWRITES or job.engine != IN_PROCESS:  # what is done at once is not worth a line
            log(f"{step}: {counted(job.items, job.kind)}{size}; {where}")
        line = ProgressLine(step, job.items, job.kind, log)
        if job.kind != FILES:
            return line.advance

        def advance(share: float) -> None:
            line.advance(share)
            listener(share)

        return advance

    return begin


@dataclass(slots=True)
class ProgressLine:
    """Says from time to time how far some work is.

    Attributes
    ----------
    step, items, kind
        What the work is for, and how much it is.
    log
        Takes one line.
    clock
        Seconds that pass.

    """

    step: str
    items: int
    kind: str
    log: Callable[[str], object]
    clock: Callable[[], float] = time.monotonic
    _started: float = field(init=False)
    _last: tuple[float, float] = field(init=False)

    def __post_init__(self) -> None:
        self._started = self.clock()
        self._last = (self._started, 0.0)

    def advance(self, share: float) -> None:
        """Take the share of the work that is done, from 0 to 1, and say it when a line is due."""
        now = self.clock()
        waited, done = now - self._last[0], share - self._last[1]
        due = waited >= STEP_SECONDS and done >= STEP_SHARE
        if share <= 0 or share >= 1 or not (due or waited >= LONGEST_SILENCE):
            return
        self._last = (now, share)
        elapsed = now - self._started
        self.log(
            f"{self.step}: {round(share * self.items):,} of {self.items:,} {self.kind} ({share:.0%}), "
            f"{share * self.items / elapsed:,.0f} per second, about {duration(elapsed * (1 - share) / share)} left"
        )


def counted(items: int, kind: str) -> str:
    """Return a number of things, whose name is given in the plural: ``1 file``, ``2,000 rows to join``."""
    if items == 1:
        return "1 " + _PLURAL.sub(r"\1", kind)
    return f"{items:,} {kind}"


def duration(seconds: float) -> str:
    """Return a time as people say it, such as ``3 min`` or ``2 h 05 min``."""
    if seconds < _MINUTE:
        return f"{max(1, round(seconds))} s"
    if seconds < _HOUR:
        return f"{round(seconds / _MINUTE)} min"
    if seconds < _DAY:
        return f"{int(seconds // _HOUR)} h {int(seconds % _HOUR // _MINUTE):02} min"
    return f"{int(seconds // _DAY)} d {int(seconds % _DAY // _HOUR)} h"

"""Spark as an engine: pieces of work are rows of a data frame, a Python worker maps each to its results.

Work is done by data frames and SQL alone, without a ``SparkContext``, so that a Spark Connect session serves as well.
The data files of a pass are written where the rows are made; what comes back are their add actions.
"""

import os
import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field

import pyarrow as pa
from pyspark.errors import PySparkException
from pyspark.sql import SparkSession

from dicom_assets.spark.interruptible import interruptible
from dicom_assets.spark.progress import classic_context, following
from dicom_assets.spark.remote import is_remote_session, server_error, session_for
from dicom_assets.spark.work import FILES, ROWS, Function, InProcess, Progress, Runner, ignore_progress
from dicom_assets.spark.workers import on_batches, worker_error

_UNKNOWN_PARALLELISM = 32
"""Where the session does not tell: more pieces than cores cost little, fewer leave cores idle."""
_ROWS_PER_FILE = 10
"""How many rows are as small as one file: so many thousand are joined in the seconds that Spark takes to start."""
_LOCAL = re.compile(r"local(?:\[(\d+|\*)(?:,\s*\d+)?\])?$")
_PIECE = pa.schema([("piece", pa.binary())])
_RESULT = "result binary"
_SETTINGS = {
    # A row of local data is a task of its own: one stage less than a repartition has, a tenth of a second.
    "spark.sql.leafNodeDefaultParallelism": "1000000",
    "spark.sql.execution.arrow.localRelationThreshold": "1g",
    # There is nothing to adapt in a plan without a shuffle.
    "spark.sql.adaptive.enabled": "false",
}
"""Of sessions for pieces, which share everything else with the session that they are made from."""


@dataclass(frozen=True, slots=True)
class SmallWork:
    """Work up to this size runs in this process, without starting Spark.

    Starting Spark takes about 8 s on a laptop (JVM, first job, first Python workers), in which one process makes the
    rows of some thousand small files. Larger files take longer by their bytes; rows that are joined or
    grouped take less time than files that are read. Measured in docs/decisions.md.

    Attributes
    ----------
    items
        Number of files; of rows, ten times as many.
    size
        Bytes of all files.

    """

    items: int = 1_000
    size: int = 256 << 20

    def holds(self, items: int, size: int, kind: str = FILES) -> bool:
        """Return whether work is small."""
        return items <= self.items * (_ROWS_PER_FILE if kind == ROWS else 1) and size <= self.size


@dataclass(frozen=True, slots=True)
class SparkEngine:
    """Small work in this process, all other on Spark.

    Attributes
    ----------
    session
        Returns the session, started at the first call.
    small
        What is small.

    """

    session: Callable[[], SparkSession]
    small: SmallWork = field(default_factory=SmallWork)

    def runner(self, items: int, size: int, kind: str = FILES) -> Runner:
        """Return what runs work of some size; starts Spark where that is what it takes."""
        return InProcess() if self.small.holds(items, size, kind) else SparkRunner(self.session())


@dataclass(frozen=True, slots=True)
class SparkRunner:
    """A Spark session that runs pieces of work, one task each."""

    session: SparkSession

    @property
    def name(self) -> str:
        """``Spark``, and the id of the application where the session tells it."""
        return f"Spark {_setting(self.session, 'spark.app.id') or ''}".strip()

    @property
    def url(self) -> str:
        """Page of the application, where it has one and the session knows it: not over Spark Connect."""
        context = classic_context(self.session)
        return (context.uiWebUrl or "") if context else ""

    @property
    def parallelism(self) -> int:
        """Number of tasks that run side by side, by the settings of the session."""
        stated = _setting(self.session, "spark.default.parallelism") or _setting(self.session, "spark.cores.max")
        if stated and stated.isdigit():
            return max(1, int(stated))
        local = _LOCAL.match(_setting(self.session, "spark.master") or "")
        if local:
            cores = local[1] or "1"
            return (os.cpu_count() or 1) if cores == "*" else int(cores)
        executors = _setting(self.session, "spark.executor.instances")
        per_executor = _setting(self.session, "spark.executor.cores") or "1"
        if executors and executors.isdigit() and per_executor.isdigit():
            return max(1, int(executors) * int(per_executor))
        return _UNKNOWN_PARALLELISM

    def run(self, function: Function, pieces: Sequence[bytes], progress: Progress = ignore_progress) -> list[bytes]:
        """Run every piece as a task of one job.

        Raises
        ------
        WorkerError
            A worker lacks this package, or what the function needs, or has another version of it.
        SparkServerError
            The Spark Connect server was lost.

        """
        if not pieces:
            return []
        try:
            session = _session_of_pieces(self.session)
            return interruptible(session, lambda: _run(session, function, pieces, progress))
        except PySparkException as error:
            told = worker_error(str(error)) or server_error(self.session, error)
            if told is None:
                raise
            raise told from error

    def check(self) -> None:
        """Ask the workers that are there whether they can do work; raises ``WorkerError`` where one cannot.

        Workers that join later are asked by each task.
        """
        self.run(_nothing, [b""] * self.parallelism)


def _run(session: SparkSession, function: Function, pieces: Sequence[bytes], progress: Progress) -> list[bytes]:
    rows = session.createDataFrame(pa.table([pieces], schema=_PIECE))
    with following(session, len(pieces), progress):
        done: pa.Table = rows.mapInArrow(on_batches(function), _RESULT).toArrow()
    found: list[bytes] = done["result"].to_pylist()
    return found


def _nothing(piece: bytes) -> Iterable[bytes]:
    return [piece]


def _session_of_pieces(session: SparkSession) -> SparkSession:
    """Return a session whose settings are for pieces, and leave those of the user's own data frames alone."""
    if is_remote_session(session):
        return session_for(session, _SETTINGS)
    made: SparkSession = session.newSession()
    for name, value in _SETTINGS.items():
        made.conf.set(name, value)
    return made


def _setting(session: SparkSession, name: str) -> str | None:
    """Return a setting of a session, ``None`` where it is not set or is not told."""
    value: str | None = session.conf.get(name, None)
    return value

"""How far Spark is with a job of pieces: polled beside the thread that waits for it, or told by a Connect server."""

import threading
import uuid
from collections.abc import Iterable, Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Any

from py4j.protocol import Py4JError
from pyspark import SparkContext
from pyspark.sql import SparkSession

from dicom_assets.spark.work import Progress, ignore_progress

_INTERVAL = 0.5
_GROUP = "spark.jobGroup.id"
_DESCRIPTION = "spark.job.description"


def classic_context(session: SparkSession) -> SparkContext | None:
    """Return the context of a session in this process, ``None`` where the session is one of Spark Connect."""
    # The sessions of Spark Connect are of a class of their own; to ask one for its context raises.
    return session.sparkContext if isinstance(session, SparkSession) else None


def following(session: SparkSession, pieces: int, progress: Progress) -> AbstractContextManager[None]:
    """Tell how far the job is that this thread starts in the block.

    Parameters
    ----------
    session
        That the job is started in, and no other at the same time.
    pieces
        How many tasks the job has.
    progress
        Is told the share that is done.

    """
    context = classic_context(session)
    if context is None:
        return _told(session, pieces, progress)
    return _polled(context, pieces, progress)


@contextmanager
def _polled(context: SparkContext, pieces: int, progress: Progress) -> Iterator[None]:
    """Ask a context for the tasks of one group of jobs: other threads may have jobs of their own."""
    group, stop = f"dicom-assets-{uuid.uuid4()}", threading.Event()
    before = {name: context.getLocalProperty(name) for name in (_GROUP, _DESCRIPTION)}

    def follow() -> None:
        furthest = 0
        while not stop.wait(_INTERVAL):
            try:
                furthest = max(furthest, _tasks_done(context, group))
            except Py4JError:  # the application ends, which the thread that waits for the job will say
                return
            # Told again where nothing new is done: one long task is when people look.
            progress(min(1.0, furthest / pieces))

    follower = threading.Thread(target=follow, daemon=True, name="spark-progress")
    context.setLocalProperty(_GROUP, group)
    context.setLocalProperty(_DESCRIPTION, f"dicom-assets: {pieces} pieces")
    if progress is not ignore_progress:
        follower.start()
    try:
        yield
    finally:
        stop.set()
        if follower.ident is not None:
            follower.join()
        for name, value in before.items():
            context.setLocalProperty(name, value)  # type: ignore[arg-type]  # None takes it away


def _tasks_done(context: SparkContext, group: str) -> int:
    """Return how many tasks of a group's jobs are done."""
    tracker = context.statusTracker()
    jobs = filter(None, map(tracker.getJobInfo, tracker.getJobIdsForGroup(group)))
    stages = filter(None, (tracker.getStageInfo(stage) for job in jobs for stage in job.stageIds))
    return sum(stage.numCompletedTasks for stage in stages)


@contextmanager
def _told(session: Any, pieces: int, progress: Progress) -> Iterator[None]:
    """Let a Spark Connect server tell."""
    furthest = 0

    def handle(stages: Iterable[Any] | None, **_: object) -> None:
        nonlocal furthest
        furthest = max(furthest, sum(stage.num_completed_tasks for stage in stages or ()))
        progress(min(1.0, furthest / pieces))

    session.registerProgressHandler(handle)
    try:
        yield
    finally:
        session.removeProgressHandler(handle)

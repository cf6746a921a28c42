"""How far Spark is, polled beside a run that blocks this thread."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from pyspark import SparkContext

_INTERVAL = 0.5


@contextmanager
def following_spark(report: Callable[[float], None]) -> Iterator[None]:
    """Report the share of tasks that are done in the largest active stage, from 0 to 1, until the block ends."""
    stop = threading.Event()

    def follow() -> None:
        furthest = 0.0
        while not stop.wait(_INTERVAL):
            share = _share_done()
            if share is not None and share > furthest:
                furthest = share
                report(share)

    follower = threading.Thread(target=follow, daemon=True)
    follower.start()
    try:
        yield
    finally:
        stop.set()
        follower.join()


def _share_done() -> float | None:
    """Return the share of done tasks, ``None`` when Spark is not at work."""
    context = SparkContext._active_spark_context  # noqa: SLF001 - the public getter would start one
    if context is None or getattr(context, "_jsc", None) is None:
        return None  # not started, or still starting
    tracker = context.statusTracker()
    stages = [tracker.getStageInfo(stage) for stage in tracker.getActiveStageIds()]
    tasks = [(stage.numTasks, stage.numCompletedTasks) for stage in stages if stage is not None]
    if not tasks:
        return None
    total, done = max(tasks)
    return done / total if total else None

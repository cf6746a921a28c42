"""How long the tasks of a pass took: one that takes as long as the whole pass is what to look at when a run is slow."""

from collections.abc import Iterable
from dataclasses import dataclass

import orjson

_MARK = b'{"task_seconds":'
"""How this result of a task begins, and no other does."""


@dataclass(frozen=True, slots=True)
class TaskTime:
    """Seconds that one task took, by the clock of its machine."""

    seconds: float

    def to_bytes(self) -> bytes:
        """Return it as a result of the task."""
        return orjson.dumps({"task_seconds": self.seconds})

    @staticmethod
    def is_in(result: bytes) -> bool:
        """Return whether a result is one of these."""
        return result.startswith(_MARK)

    @classmethod
    def from_bytes(cls, result: bytes) -> "TaskTime":
        """Return what :meth:`to_bytes` made a result of."""
        return cls(orjson.loads(result)["task_seconds"])


@dataclass(frozen=True, slots=True)
class TaskTimes:
    """Times of all tasks of a pass.

    Attributes
    ----------
    count
        How many tasks there were.
    longest
        Seconds of the longest of them.

    """

    count: int = 0
    longest: float = 0.0


def task_times(results: Iterable[bytes]) -> TaskTimes:
    """Return the times among the results of tasks."""
    seconds = [TaskTime.from_bytes(result).seconds for result in results if TaskTime.is_in(result)]
    return TaskTimes(len(seconds), max(seconds, default=0.0))

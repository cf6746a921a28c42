"""Which runs are due for prefixes that changed: batched over neighbours, with growing pauses after failures.

Plain data in, plain data out: nothing here imports Dagster.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import blake2b

from dicom_assets.pipeline.changes import Detection

_FIRST_PAUSE = timedelta(minutes=1)
_LONGEST_PAUSE = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class FailedAttempts:
    """Failed runs that were requested for a prefix in one state.

    Attributes
    ----------
    count
        How many.
    last
        When the last of them ended.

    """

    count: int
    last: datetime

    def retry_at(self) -> datetime:
        """Return when the prefix may be requested again: after a pause that doubles each time."""
        return self.last + min(_LONGEST_PAUSE, _FIRST_PAUSE * (1 << min(self.count - 1, 10)))


@dataclass(frozen=True, slots=True)
class DueRun:
    """A run that is due.

    Attributes
    ----------
    first, last
        Ends of its range of prefixes, both included.
    states
        Of the prefixes, in their order.
    attempt
        How often it failed before.
    reason
        Why it is due, in a few words.

    """

    first: str
    last: str
    states: tuple[str, ...]
    attempt: int = 0
    reason: str = ""

    @property
    def key(self) -> str:
        """Run key: another one whenever a listing of the range is another one."""
        named = blake2b(" ".join(self.states).encode(), digest_size=16).hexdigest()
        return f"{self.first}...{self.last}:{named}:{self.attempt}"


Failed = Mapping[tuple[str, str], FailedAttempts]
"""Failed runs by prefix and state."""


def find_due_runs(
    changed: Sequence[Detection], order: Sequence[str], limit: int, failed: Failed, now: datetime
) -> list[DueRun]:
    """Return the runs that are due, in the order of their ranges.

    What failed before is requested prefix by prefix, so that one bad prefix does not hold up its neighbours.

    Parameters
    ----------
    changed
        Changed prefixes that no run holds.
    order
        All partition keys, as they were registered: ranges follow it.
    limit
        How many prefixes one run takes.
    failed
        What was requested before, and failed.
    now
        Retries that would come earlier are left out.

    """
    position = {key: index for index, key in enumerate(order)}
    singles, batches = [], []
    for one in sorted(changed, key=lambda one: position[one.prefix]):
        attempts = failed.get((one.prefix, one.state))
        if attempts is None:
            batches.append(one)
        elif attempts.retry_at() <= now:
            singles.append(DueRun(one.prefix, one.prefix, (one.state,), attempts.count, _reason([one])))
    found = [_due_run(batch) for batch in _contiguous(batches, position, limit)]
    return sorted([*found, *singles], key=lambda run: position[run.first])


def _due_run(batch: Sequence[Detection]) -> DueRun:
    return DueRun(batch[0].prefix, batch[-1].prefix, tuple(one.state for one in batch), reason=_reason(batch))


def _reason(batch: Sequence[Detection]) -> str:
    """Return how many files of some prefixes are new, changed and gone; without any, other tables lag behind."""
    counts = {name: sum(getattr(one, name) for one in batch) for name in ("new", "changed", "gone")}
    return ", ".join(f"{count} {name}" for name, count in counts.items() if count) or "outdated rows"


def _contiguous(changed: Sequence[Detection], position: Mapping[str, int], limit: int) -> Iterator[Sequence[Detection]]:
    """Cut a sequence in the order of positions where neighbours are missing, or the limit is reached."""
    start = 0
    for end in range(1, len(changed) + 1):
        full = end - start == limit
        if end == len(changed) or full or position[changed[end].prefix] != position[changed[end - 1].prefix] + 1:
            yield changed[start:end]
            start = end

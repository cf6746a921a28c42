"""One tick of the archive sensor: what was found, what is due, and what is said of it in one line."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import cached_property

from dagster import DagsterInstance

from dicom_assets.archive.base import Archive, Prefixes
from dicom_assets.orchestration.due_runs import DueRun, FailedAttempts, find_due_runs
from dicom_assets.orchestration.elsewhere import NOTHING_ELSE, Elsewhere
from dicom_assets.orchestration.runs import failed_prefixes, held_prefixes, removable_keys
from dicom_assets.orchestration.troubles import Trouble, TroubleKind
from dicom_assets.pipeline.catalog_state import CatalogState
from dicom_assets.pipeline.changes import ChangeDetector, ChangeStatus, Detection, refuse_mass_deletion
from dicom_assets.pipeline.deletions import DeletionGuard

HOLD_LAPSES = timedelta(days=1)
_MOST_NEW_KEYS = 20_000
"""Dagster advises to add at most 25,000 partitions in one tick."""
_KEEPS_FAILING = 2
"""One failure may be that of a neighbour in the same run; the next attempt is of the prefix alone."""
_KINDS = {ChangeStatus.REFUSED: TroubleKind.REFUSED, ChangeStatus.UNLISTED: TroubleKind.UNLISTED}


@dataclass(slots=True)
class Look:
    """What one tick sees of the archive.

    Attributes
    ----------
    archive, state
        What is compared.
    present
        Prefixes of the archive.
    registered
        Partition keys, in the order of their registration.
    guard
        Which deletions runs would refuse; ``None`` when they refuse none.

    """

    archive: Archive
    state: CatalogState
    present: Prefixes
    registered: Sequence[str]
    guard: DeletionGuard | None
    new: Sequence[str] = field(init=False)
    detected: list[Detection] = field(default_factory=list)
    begins: bool = field(default=False, init=False)
    total: int = field(default=0, init=False)
    ends: bool = field(default=False, init=False)
    looked: int = field(default=0, init=False)
    told: int = field(default=0, init=False)

    def __post_init__(self) -> None:
        """Tell which partitions are missing: of the archive, and of rows whose prefix has vanished."""
        missing = sorted((set(self.present) | self.state.prefixes) - set(self.registered))
        self.new = missing[:_MOST_NEW_KEYS]

    @property
    def order(self) -> list[str]:
        """All partition keys, as they will be registered."""
        return [*self.registered, *self.new]

    def hear(self, found: Sequence[Detection]) -> None:
        """Take what was found of prefixes that were told to have changed."""
        self.told = len(found)
        self._take(found)

    def sweep(self, detector: ChangeDetector, after: str, deadline: float) -> str:
        """Look at the prefixes behind one; returns the last that was reached, empty at the end of the sweep."""
        every = sorted(set(self.order))
        rest = [prefix for prefix in every if prefix > after]
        found = list(detector.sweep(self.archive, self.state, rest, self.guard, deadline))
        self._take(found)
        self.begins, self.ends, self.total, self.looked = not after, len(found) == len(rest), len(every), len(found)
        if self.ends:
            return ""
        return found[-1].prefix if found else after

    def _take(self, found: Sequence[Detection]) -> None:
        if not found:
            return
        known = {one.prefix for one in self.detected}
        self.detected += [one for one in found if one.prefix not in known]
        if self.guard is not None:
            self.detected = refuse_mass_deletion(self.detected, self.archive, self.state, self.present, self.guard)


@dataclass(frozen=True)
class Findings:
    """What follows from a look, by what is known of runs.

    Attributes
    ----------
    look
        What was seen.
    held
        Prefixes of all runs that are queued or under way.
    failed
        Runs that failed lately, by prefix and state.
    now
        When that was.
    per_run
        How many prefixes one run takes.
    elsewhere
        What of the code location is not partitioned by these prefixes.

    """

    look: Look
    held: frozenset[str]
    failed: Mapping[tuple[str, str], FailedAttempts]
    now: datetime
    per_run: int
    elsewhere: Elsewhere = NOTHING_ELSE

    @classmethod
    def of(
        cls, look: Look, instance: DagsterInstance, sensor: str, per_run: int, elsewhere: Elsewhere = NOTHING_ELSE
    ) -> "Findings":
        """Ask an instance about the runs of a sensor."""
        now = datetime.now(UTC)
        changed = any(one.status is ChangeStatus.CHANGED for one in look.detected)
        held = held_prefixes(instance, look.order, now - HOLD_LAPSES, elsewhere) if changed else ()
        failed = failed_prefixes(instance, sensor, look.order) if changed else {}
        return cls(look, frozenset(held), failed, now, per_run, elsewhere)

    @cached_property
    def free(self) -> Sequence[Detection]:
        """Changed prefixes that no run holds."""
        return [one for one in self._changed if one.prefix not in self.held]

    @cached_property
    def due(self) -> Sequence[DueRun]:
        """Runs that are due."""
        return find_due_runs(self.free, self.look.order, self.per_run, self.failed, self.now)

    @cached_property
    def waiting(self) -> Sequence[FailedAttempts]:
        """Failures of prefixes whose next attempt is yet to come."""
        attempts = [self.failed.get((one.prefix, one.state)) for one in self.free]
        return [one for one in attempts if one is not None and one.retry_at() > self.now]

    @cached_property
    def troubles(self) -> Sequence[Trouble]:
        """What keeps prefixes from being followed, in the order of prefixes."""
        above = self.look.present.unlisted if self.look.begins else ()
        found = [Trouble(TroubleKind.UNLISTED, "", reason) for reason in above]
        for one in self.look.detected:
            kind = _KINDS.get(one.status)
            if kind is not None:
                found.append(Trouble(kind, one.prefix, one.reason))
            elif one.reason:
                found.append(Trouble(TroubleKind.UNLISTED, one.prefix, one.reason))
            attempts = self.failed.get((one.prefix, one.state)) if one.status is ChangeStatus.CHANGED else None
            if attempts is not None and attempts.count >= _KEEPS_FAILING:
                found.append(Trouble(TroubleKind.FAILING, one.prefix, _of_attempts(attempts)))
        return found

    def lost_keys(self, instance: DagsterInstance) -> list[str]:
        """Return the partition keys that nothing stands behind any more: no file, no row, no run."""
        look = self.look
        gone = set(look.registered) - set(look.present) - look.state.prefixes
        return [] if look.present.unlisted else removable_keys(instance, gone, look.registered, self.elsewhere)

    def line(self) -> str:
        """Return what was found, in one line."""
        looked, told = self.look.looked, self.look.told
        whole = looked == self.look.total
        done = _count(looked, "prefix") if whole else f"{looked} of {_count(self.look.total, 'prefix')}"
        if told:
            done = f"{_count(told, 'prefix')} told of" + (f" and {done}" if self.look.total else "")
        statuses = [one.status for one in self.look.detected]
        due = sum(len(run.states) for run in self.due)
        parts = [
            f"{due} due" if due else "",
            f"{len(self._changed) - len(self.free)} held by a run" if len(self._changed) > len(self.free) else "",
            self._waiting_part(),
            *(f"{statuses.count(status)} {kind}" for status, kind in _KINDS.items() if status in statuses),
        ]
        goes_on = "" if self.look.ends or not self.look.total else "; the next tick goes on"
        if not (told or self.look.total):
            return "No prefix was told of, and no sweep is due."
        return f"Looked at {done}: {', '.join(filter(None, parts)) or 'all up to date'}{goes_on}."

    @cached_property
    def _changed(self) -> Sequence[Detection]:
        return [one for one in self.look.detected if one.status is ChangeStatus.CHANGED]

    def _waiting_part(self) -> str:
        if not self.waiting:
            return ""
        most = max(one.count for one in self.waiting)
        soonest = min(one.retry_at() for one in self.waiting)
        often = f"{'up to ' if len(self.waiting) > 1 and most > 1 else ''}{_times(most)}"
        return f"{len(self.waiting)} failed {often} (next try {soonest:%H:%M} UTC)"


def _of_attempts(attempts: FailedAttempts) -> str:
    return f"its run failed {_times(attempts.count)} on the same files; next try {attempts.retry_at():%H:%M} UTC"


def _times(count: int) -> str:
    return "once" if count == 1 else f"{count} times"


def _count(number: int, what: str) -> str:
    return f"{number} {what}" if number == 1 else f"{number} {what}es"

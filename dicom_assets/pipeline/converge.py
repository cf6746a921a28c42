"""The commit loop: plan, stage the rows once, commit each table, and look again where another run was faster."""

import time
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Generic

import pyarrow as pa
from deltalake.transaction import AddAction

from dicom_assets.delta.commit import Change, CommitConflictError, commit
from dicom_assets.delta.origin import Origin, commit_metadata
from dicom_assets.delta.rewrite import rewrites
from dicom_assets.pipeline.engine import Engine, run_rewrites
from dicom_assets.pipeline.ownership import FENCES
from dicom_assets.pipeline.plan import Effort, Outcome, P, Seconds, Staged, Step, TablePlan, outcome
from dicom_assets.tables import PARTITION

_ATTEMPTS = 20


@dataclass(frozen=True, slots=True)
class Converged(Generic[P]):
    """What a step did.

    Attributes
    ----------
    outcomes
        By table.
    plans
        Those that were made: more than one where other runs were in the way.

    """

    outcomes: Mapping[str, Outcome]
    plans: Sequence[P]


def converge(step: Step[P], engine: Engine, metadata: Mapping[str, str]) -> Converged[P]:
    """Bring the tables of a step to what they should hold, each in one commit, and none when there is nothing to do.

    Work is staged once for all tables. A table that another run changed meanwhile is planned again: when its work is
    still the same (it was compacted, say) the staged files serve, otherwise its rows are made anew.

    Parameters
    ----------
    step
        What is to be done.
    engine
        Where rows are made and data files are rewritten.
    metadata
        Kept in the commits.

    Raises
    ------
    CommitConflictError
        Other runs wrote the same prefixes, time and again.

    """
    watch = _StopWatch()
    with watch.measure("plan"):
        plan = step.plan()
    due = [name for name, table in plan.tables.items() if table.difference.work.num_rows]
    with watch.measure("stage"):
        staged = step.stage(plan, due, engine) if due else Staged({})
    run = _Run(step, engine, metadata, [plan])
    outcomes = {name: run.settle(name, plan, staged, watch.split()) for name in plan.tables}
    # What comparing the rows of a step took is not what the next one takes: Arrow would keep it.
    pa.default_memory_pool().release_unused()
    return Converged(outcomes, run.plans)


class _StopWatch:
    """Adds up the seconds of stages, which are those of :class:`Seconds`."""

    def __init__(self, seconds: Mapping[str, float] | None = None) -> None:
        self._measured = dict(seconds or {})

    @contextmanager
    def measure(self, stage: str) -> Iterator[None]:
        started = time.monotonic()
        try:
            yield
        finally:
            self._measured[stage] = self._measured.get(stage, 0.0) + time.monotonic() - started

    def split(self) -> "_StopWatch":
        """Return another that goes on from here."""
        return _StopWatch(self._measured)

    @property
    def seconds(self) -> Seconds:
        return Seconds(**self._measured)


@dataclass(frozen=True, slots=True)
class _Run(Generic[P]):
    """One convergence: the plans that it made so far."""

    step: Step[P]
    engine: Engine
    metadata: Mapping[str, str]
    plans: list[P]

    def settle(self, name: str, plan: P, staged: Staged, watch: _StopWatch) -> Outcome:
        """Commit one table, again and again until no other run is in the way."""
        made_by = plan
        for _ in range(_ATTEMPTS):
            table = plan.tables[name]
            if not table.difference:
                return outcome(table, table.snapshot.version, Effort(watch.seconds), committed=False)
            adds = staged.adds.get(name, ()) if table.difference.work.num_rows else ()
            with watch.measure("rewrite"):
                change = self._change(table, adds, staged.origin)
            made_by.confirm()
            if plan is not made_by:
                plan.confirm()
            try:
                with watch.measure("commit"):
                    version = commit(table.snapshot.location, change)
            except CommitConflictError:
                with watch.measure("plan"):
                    plan = self.step.plan()
                self.plans.append(plan)
                again = plan.tables[name].difference.work
                if again.num_rows and not again.equals(table.difference.work):
                    with watch.measure("stage"):
                        staged, made_by = self.step.stage(plan, [name], self.engine), plan
            else:
                done = _effort(staged if adds else Staged({}), name, change.adds, watch.seconds)
                return outcome(table, version, done, committed=True)
        raise CommitConflictError(f"table {name}: other runs kept changing the same prefixes")

    def _change(self, table: TablePlan, adds: Sequence[AddAction], origin: Origin | None) -> Change:
        replaced = rewrites(table.snapshot, table.difference.obsolete)
        work, row = table.difference.work, list(table.snapshot.table.identity)
        removed = table.difference.obsolete.join(work, row, join_type="left anti").num_rows
        return Change(
            [*adds, *run_rewrites(self.engine, replaced)],
            [rewrite.file for rewrite in replaced],
            table.snapshot.writes,
            {**self.metadata, **commit_metadata(origin if adds else None, work.num_rows, removed)},
            {name: table.snapshot.properties.get(name, "") for name in FENCES},
        )


def _effort(staged: Staged, name: str, adds: Iterable[AddAction], seconds: Seconds) -> Effort:
    """Return what a commit to one table took."""
    written: Counter[str] = Counter()
    for add in adds:
        written[str(add.partition_values[PARTITION])] += add.size
    return Effort(seconds, staged.engine, staged.url, staged.bytes_read.get(name, {}), written, staged.tasks)

"""A plan: what an update is about to do, with all that it was decided from, read once and never changed.

A step makes a plan, and stages the rows that a plan lacks. Nothing else passes between the two.
"""

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol, TypeVar

from deltalake.transaction import AddAction

from dicom_assets.delta.origin import Origin
from dicom_assets.delta.snapshot import Snapshot
from dicom_assets.pipeline.difference import Difference, count_by_prefix
from dicom_assets.pipeline.engine import Engine
from dicom_assets.pipeline.task_times import TaskTimes
from dicom_assets.tables import Table


@dataclass(frozen=True, slots=True)
class TablePlan:
    """What is to be done to one table."""

    snapshot: Snapshot
    difference: Difference


class Plan(Protocol):
    """What a step is about to do, and what it was decided from."""

    @property
    def tables(self) -> Mapping[str, TablePlan]:
        """What is to be done to each table, by name."""
        ...

    def confirm(self) -> None:
        """Raise unless the plan may still be believed: asked right before each commit."""
        ...


P = TypeVar("P", bound=Plan)


@dataclass(frozen=True, slots=True)
class Staged:
    """Data files that are written and not yet part of their tables.

    Attributes
    ----------
    adds
        Actions that would add them, by table.
    engine, url
        What made them: ``in process``, or the name of a Spark application; and the page of it, where it has one.
    bytes_read
        Of the archive's files, by table and prefix; tables that one pass fills share what it read.
    origin
        What their rows say of where they come from.
    tasks
        How long the tasks took that read files.

    """

    adds: Mapping[str, Sequence[AddAction]]
    engine: str = ""
    url: str = ""
    bytes_read: Mapping[str, Mapping[str, int]] = field(default_factory=dict)
    origin: Origin | None = None
    tasks: TaskTimes = field(default_factory=TaskTimes)


class Step(Protocol[P]):
    """Brings one table, or several that one pass fills, to what they should hold."""

    def plan(self) -> P:
        """Compare the tables with what they should hold, as of now."""
        ...

    def stage(self, plan: P, names: Collection[str], engine: Engine) -> Staged:
        """Make the rows that some tables of a plan lack; depends on the plan alone."""
        ...


@dataclass(frozen=True, slots=True)
class Seconds:
    """How long the stages of an update took, in seconds.

    Attributes
    ----------
    plan
        To compare what the table holds with what it should hold; for the index, to list the archive.
    stage
        To make rows and write them; tables that one pass fills share it.
    rewrite
        To write data files anew that held rows to be taken out.
    commit
        To commit, another run in the way included.

    """

    plan: float = 0.0
    stage: float = 0.0
    rewrite: float = 0.0
    commit: float = 0.0

    @property
    def total(self) -> float:
        """All stages together."""
        return self.plan + self.stage + self.rewrite + self.commit


@dataclass(frozen=True, slots=True)
class Effort:
    """What an update of one table took.

    Attributes
    ----------
    seconds
        By stage.
    engine, url
        What made the rows, and its page; empty where none had to be made, or where there is no page.
    bytes_read, bytes_written
        Bytes of the archive's files that were read, and of data files that were written, by prefix.
    tasks
        How long the tasks took that read files.

    """

    seconds: Seconds = field(default_factory=Seconds)
    engine: str = ""
    url: str = ""
    bytes_read: Mapping[str, int] = field(default_factory=dict)
    bytes_written: Mapping[str, int] = field(default_factory=dict)
    tasks: TaskTimes = field(default_factory=TaskTimes)


@dataclass(frozen=True, slots=True)
class Outcome:
    """What was done to one table.

    Attributes
    ----------
    table
        The table.
    version
        Of the table, afterwards.
    committed
        Whether this update made that version; it does not when there was nothing to do.
    added, changed, removed, kept
        Number of rows, by prefix.
    effort
        What it took.

    """

    table: Table
    version: int
    committed: bool
    added: Mapping[str, int]
    changed: Mapping[str, int]
    removed: Mapping[str, int]
    kept: Mapping[str, int]
    effort: Effort = field(default_factory=Effort)

    @property
    def engine(self) -> str:
        """What made the rows; empty where none had to be made."""
        return self.effort.engine

    @property
    def made(self) -> int:
        """Number of rows that were made, of all prefixes."""
        return sum(self.added.values()) + sum(self.changed.values())

    def rows(self, prefix: str) -> int:
        """Return how many rows the table holds of a prefix, afterwards."""
        return sum(counts.get(prefix, 0) for counts in (self.added, self.changed, self.kept))


def outcome(plan: TablePlan, version: int, effort: Effort, *, committed: bool) -> Outcome:
    """Return what carrying out a plan came to, counted by prefix."""
    work, obsolete = plan.difference.work, plan.difference.obsolete
    row, kept = list(plan.snapshot.table.identity), Counter(plan.difference.kept)
    unique = obsolete.group_by(row).aggregate([])
    gone = unique.join(work, row, join_type="left anti")
    if plan.difference.adopted.num_rows:
        kept += Counter(count_by_prefix(work.join(plan.difference.adopted, row, join_type="left semi")))
        work = work.join(plan.difference.adopted, row, join_type="left anti")
    replaced = work.join(unique, row, join_type="left semi")
    new = work.join(unique, row, join_type="left anti")
    return Outcome(
        plan.snapshot.table,
        version,
        committed,
        added=count_by_prefix(new),
        changed=count_by_prefix(replaced),
        removed=count_by_prefix(gone),
        kept=kept,
        effort=effort,
    )

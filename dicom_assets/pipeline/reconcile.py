"""What a table lacks and what it holds too much, and how it gets there: the same for every table.

A row is *fresh* when the table holds its key once, with the token that is expected of it. Everything else follows:
keys without a fresh row are work, rows that are not fresh are obsolete.
"""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Protocol

import pyarrow as pa
import pyarrow.compute as pc
from deltalake.transaction import AddAction

from dicom_assets.delta.commit import Change, CommitConflictError, commit
from dicom_assets.delta.rewrite import Rewrite, rewrites
from dicom_assets.delta.snapshot import FILE, Snapshot
from dicom_assets.tables import KEY, PARTITION, Table

TOKEN = "_token"  # noqa: S105 - no password
"""Name of the column that tells versions of a row apart; null never equals anything."""

_NO_KEYS = pa.schema([(PARTITION, pa.string()), (KEY, pa.string())])
_EXPECTED = "_expected"
_COUNT = "_count"
_ATTEMPTS = 20


class UpdateMode(StrEnum):
    """How a run treats what a table holds already."""

    SYNC = "sync"
    """The table mirrors the archive: rows of removed files go."""
    APPEND = "append"
    """Rows of removed files stay; ``removed_at`` tells since when the file is gone."""
    OVERWRITE = "overwrite"
    """Every row of the selected prefixes is made anew, in one commit; older versions stay readable by time travel."""


@dataclass(frozen=True, slots=True)
class Difference:
    """What separates a table from what it should hold.

    Attributes
    ----------
    work
        Columns ``prefix``, ``path``, ``_token``: rows to be made, in the order of prefix and path.
    obsolete
        Columns ``prefix``, ``path``, ``_file``: rows to be taken out, those of changed files included.
    kept
        Number of rows that stay, by prefix.
    adopted
        Columns ``prefix``, ``path``: of the rows to be made, those that say of their file what the table says already.
        They are written, but count as kept.

    """

    work: pa.Table
    obsolete: pa.Table
    kept: Mapping[str, int]
    adopted: pa.Table = field(default_factory=_NO_KEYS.empty_table)

    def __bool__(self) -> bool:
        """Whether there is anything to do."""
        return bool(self.work.num_rows or self.obsolete.num_rows)


def difference(expected: pa.Table, actual: pa.Table) -> Difference:
    """Compare what a table should hold with what it holds.

    Parameters
    ----------
    expected
        Columns ``prefix``, ``path``, ``_token``; paths are unique.
    actual
        Columns ``prefix``, ``path``, ``_token``, ``_file``.

    """
    counts = actual.group_by(KEY).aggregate([(KEY, "count")]).rename_columns([KEY, _COUNT])
    wanted = expected.select([KEY, TOKEN]).rename_columns([KEY, _EXPECTED])
    joined = actual.join(counts, KEY).join(wanted, KEY, join_type="left outer")
    same = pc.fill_null(pc.equal(joined[TOKEN], joined[_EXPECTED]), fill_value=False)
    fresh = pc.and_(same, pc.equal(joined[_COUNT], 1))
    obsolete = joined.filter(pc.invert(fresh)).select([PARTITION, KEY, FILE])
    kept = joined.filter(fresh).select([PARTITION, KEY])
    work = expected.join(kept.select([KEY]), KEY, join_type="left anti") if kept.num_rows else expected
    return Difference(
        work.select([PARTITION, KEY, TOKEN]).sort_by([(PARTITION, "ascending"), (KEY, "ascending")]),
        obsolete.combine_chunks(),
        count_by_prefix(kept),
    )


@dataclass(frozen=True, slots=True)
class Plan:
    """What one run is about to do to one table."""

    snapshot: Snapshot
    difference: Difference


@dataclass(frozen=True, slots=True)
class Outcome:
    """What one run did to one table.

    Attributes
    ----------
    version
        Of the table, after the run.
    committed
        Whether the run made that version; it does not when there was nothing to do.
    added, changed, removed, kept
        Number of rows, by prefix.

    """

    table: Table
    version: int
    committed: bool
    added: Mapping[str, int]
    changed: Mapping[str, int]
    removed: Mapping[str, int]
    kept: Mapping[str, int]

    def rows(self, prefix: str) -> int:
        """Return how many rows the table holds of a prefix, after the run."""
        return sum(counts.get(prefix, 0) for counts in (self.added, self.changed, self.kept))


class Step(Protocol):
    """What one asset, or several of one pass, has to do."""

    def plan(self, name: str) -> Plan:
        """Compare a table with what it should hold, as of now."""
        ...

    def stage(self, plans: Mapping[str, Plan]) -> Mapping[str, Sequence[AddAction]]:
        """Make the rows that some plans lack, as data files that are not yet part of their tables.

        Is asked only for plans with work, and after they were made by :meth:`plan`.
        """
        ...

    def confirm(self) -> None:
        """Raise unless the last plans may still be believed: asked right before each commit."""
        ...


RunRewrites = Callable[[Sequence[Rewrite]], Sequence[AddAction]]
"""Runs rewrites, wherever; returns all their actions."""


def converge(
    step: Step, tables: Sequence[str], run_rewrites: RunRewrites, metadata: Mapping[str, str]
) -> dict[str, Outcome]:
    """Bring tables to what they should hold, each in one commit, and none when there is nothing to do.

    Work is staged once for all tables. A table that another run changed meanwhile is planned again: when its work is
    still the same (it was compacted, say) the staged files serve, otherwise its rows are made anew.

    Parameters
    ----------
    step
        What is to be done.
    tables
        Names of the tables.
    run_rewrites
        Where data files are rewritten.
    metadata
        Kept in the commits.

    Raises
    ------
    CommitConflictError
        Other runs wrote the same prefixes, time and again.

    """
    plans = {name: step.plan(name) for name in tables}
    pending = {name: plan for name, plan in plans.items() if plan.difference.work.num_rows}
    staged = step.stage(pending) if pending else {}
    commits = _Commits(step, run_rewrites, metadata)
    return {name: commits.settle(name, plans[name], staged.get(name, ())) for name in tables}


@dataclass(frozen=True, slots=True)
class _Commits:
    step: Step
    run_rewrites: RunRewrites
    metadata: Mapping[str, str]

    def settle(self, name: str, planned: Plan, adds: Sequence[AddAction]) -> Outcome:
        """Commit one table, again and again until no other run is in the way."""
        for _ in range(_ATTEMPTS):
            if not planned.difference:
                return _outcome(planned, planned.snapshot.version, committed=False)
            try:
                version = self._commit(planned, adds)
            except CommitConflictError:
                again = self.step.plan(name)
                if not again.difference.work.equals(planned.difference.work):
                    adds = self.step.stage({name: again})[name] if again.difference.work.num_rows else ()
                planned = again
            else:
                return _outcome(planned, version, committed=True)
        raise CommitConflictError(f"table {name}: other runs kept changing the same prefixes")

    def _commit(self, planned: Plan, adds: Sequence[AddAction]) -> int:
        replaced = rewrites(planned.snapshot, planned.difference.obsolete)
        change = Change(
            [*adds, *self.run_rewrites(replaced)],
            [rewrite.file for rewrite in replaced],
            planned.snapshot.writes,
            self.metadata,
        )
        self.step.confirm()
        return commit(planned.snapshot.location, change)


def _outcome(planned: Plan, version: int, *, committed: bool) -> Outcome:
    """Count what a plan did, by prefix."""
    work, obsolete = planned.difference.work, planned.difference.obsolete
    unique = obsolete.group_by([PARTITION, KEY]).aggregate([])
    adopted = pc.is_in(work[KEY], planned.difference.adopted[KEY].combine_chunks())
    kept = Counter(planned.difference.kept) + Counter(count_by_prefix(work.filter(adopted)))
    work = work.filter(pc.invert(adopted))
    replaced = work.join(unique.select([KEY]), KEY, join_type="left semi")
    new = work.join(unique.select([KEY]), KEY, join_type="left anti")
    gone = unique.join(planned.difference.work.select([KEY]), KEY, join_type="left anti")
    return Outcome(
        planned.snapshot.table,
        version,
        committed,
        added=count_by_prefix(new),
        changed=count_by_prefix(replaced),
        removed=count_by_prefix(gone),
        kept=kept,
    )


def count_by_prefix(rows: pa.Table) -> dict[str, int]:
    """Return the number of rows of each prefix."""
    counts = rows.group_by(PARTITION).aggregate([([], "count_all")])
    return dict(zip(counts[PARTITION].to_pylist(), counts["count_all"].to_pylist(), strict=True))

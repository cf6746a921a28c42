"""What a table holds, counted: rows and bytes by its log, rows by status and reason by two narrow columns.

No key is read, and no path leaves here: what is counted may be shown.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import pyarrow as pa

from dicom_assets.delta.snapshot import Snapshot
from dicom_assets.tables import PARTITION

_STATUS, _ERROR = "status", "error"


@dataclass(frozen=True, slots=True)
class Extent:
    """How much a table holds.

    Attributes
    ----------
    rows
        Of the whole table, ``None`` where a data file of a stranger does not tell.
    size
        Bytes of its data files.

    """

    rows: int | None
    size: int


def extent(snapshot: Snapshot) -> Extent:
    """Return how much there is in a snapshot of a whole table, by its log alone."""
    rows = [file.rows for file in snapshot.files]
    known = sum(count for count in rows if count is not None)
    return Extent(None if None in rows else known, sum(file.size for file in snapshot.files))


@dataclass(frozen=True, slots=True)
class StatusCount:
    """Number of rows of a prefix that share a status and its reason."""

    prefix: str
    status: str
    reason: str | None
    rows: int


def count_statuses(snapshot: Snapshot, prefixes: Sequence[str]) -> list[StatusCount]:
    """Return the rows of some prefixes by status and reason."""
    wanted, columns = frozenset(prefixes), [PARTITION, _STATUS, _ERROR]
    files = [file for file in snapshot.files if file.prefix in wanted]
    schema = pa.schema([snapshot.table.schema.field(name) for name in columns])
    # Counted file by file: of millions of rows a few dozen counts are kept.
    counts: Counter[tuple[str, str, str | None]] = Counter()
    for _, batch in snapshot.rows(columns, files):
        grouped = pa.Table.from_batches([batch], schema).group_by(columns).aggregate([([], "count_all")])
        for row in grouped.to_pylist():
            counts[row[PARTITION], row[_STATUS], row[_ERROR]] += row["count_all"]
    return [StatusCount(*key, rows) for key, rows in counts.items()]


def by_status(counts: Sequence[StatusCount]) -> dict[str, dict[str, int]]:
    """Return the number of rows of each status, by prefix."""
    found: dict[str, dict[str, int]] = {}
    for count in counts:
        of_prefix = found.setdefault(count.prefix, {})
        of_prefix[count.status] = of_prefix.get(count.status, 0) + count.rows
    return found


def most_frequent(
    counts: Sequence[StatusCount], most: int, fine: frozenset[str]
) -> Mapping[tuple[str, str | None], int]:
    """Return the most frequent statuses and reasons over all prefixes, in descending order.

    Parameters
    ----------
    counts
        Of any prefixes.
    most
        How many.
    fine
        Statuses that are no problem.

    """
    totals: Counter[tuple[str, str | None]] = Counter()
    for count in counts:
        if count.status not in fine:
            totals[count.status, count.reason] += count.rows
    return dict(totals.most_common(most))

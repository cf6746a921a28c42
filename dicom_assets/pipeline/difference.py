"""What a table lacks and what it holds too much: the same comparison for every table.

A row is *fresh* when the table holds its key once in its prefix, in the version that is expected of it. Everything
else follows: keys without a fresh row are work, rows that are not fresh are obsolete.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

import pyarrow as pa
import pyarrow.compute as pc

from dicom_assets.delta.snapshot import FILE
from dicom_assets.pipeline.row_versions import ROW_VERSION
from dicom_assets.tables import KEY, PARTITION

_NO_KEYS = pa.schema([(PARTITION, pa.string()), (KEY, pa.string())])
_EXPECTED = "_expected"
_COUNT = "_count"


class UpdateMode(StrEnum):
    """How an update treats what a table holds already."""

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
        Prefix, key and ``_row_version`` of rows to be made, in the order of prefix and key.
    obsolete
        Prefix, key and ``_file`` of rows to be taken out, those of changed files included.
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


def difference(expected: pa.Table, actual: pa.Table, key: str = KEY) -> Difference:
    """Compare what a table should hold with what it holds.

    Parameters
    ----------
    expected
        Columns ``prefix``, the key, ``_row_version``; keys are unique in a prefix.
    actual
        Columns ``prefix``, the key, ``_row_version``, ``_file``.
    key
        Name of the key.

    """
    row = [PARTITION, key]
    counts = actual.group_by(row).aggregate([(key, "count")]).rename_columns([*row, _COUNT])
    wanted = expected.select([*row, ROW_VERSION]).rename_columns([*row, _EXPECTED])
    joined = actual.join(counts, row).join(wanted, row, join_type="left outer")
    same = pc.fill_null(pc.equal(joined[ROW_VERSION], joined[_EXPECTED]), fill_value=False)
    fresh = pc.and_(same, pc.equal(joined[_COUNT], 1))
    obsolete = joined.filter(pc.invert(fresh)).select([*row, FILE])
    kept = joined.filter(fresh).select(row)
    work = expected.join(kept, row, join_type="left anti") if kept.num_rows else expected
    return Difference(
        work.select([*row, ROW_VERSION]).sort_by([(name, "ascending") for name in row]),
        obsolete.combine_chunks(),
        count_by_prefix(kept),
    )


def count_by_prefix(rows: pa.Table) -> dict[str, int]:
    """Return the number of rows of each prefix."""
    counts = rows.group_by(PARTITION).aggregate([([], "count_all")])
    return dict(zip(counts[PARTITION].to_pylist(), counts["count_all"].to_pylist(), strict=True))

"""What two cohorts, or two versions of one, have in common, and what not."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

import pyarrow as pa
import pyarrow.compute as pc

from dicom_assets.tables import KEY


class Difference(StrEnum):
    """How a member differs between two cohorts."""

    ADDED = "added"
    """It is in the second only."""
    REMOVED = "removed"
    """It is in the first only."""
    CHANGED = "changed"
    """Its file is another version."""
    MOVED = "moved"
    """The file is the same and stands in another split."""


_COLUMNS = (KEY, "SOPInstanceUID", "fingerprint", "split")
DIFFERENCES = pa.schema(
    [
        (KEY, pa.string()),
        ("SOPInstanceUID", pa.string()),
        ("difference", pa.string()),
        ("split_before", pa.string()),
        ("split_after", pa.string()),
    ]
)


@dataclass(frozen=True, slots=True)
class Comparison:
    """How one cohort differs from another.

    Attributes
    ----------
    same
        Number of members that are equal in both.
    rows
        The others, as :data:`DIFFERENCES`, in the order of paths.

    """

    same: int
    rows: pa.Table

    @property
    def counts(self) -> Mapping[str, int]:
        """How many members differ in each way; all ways are there."""
        counted = {entry["values"]: entry["counts"] for entry in pc.value_counts(self.rows["difference"]).to_pylist()}
        return {str(way): counted.get(str(way), 0) for way in Difference}

    def __str__(self) -> str:
        """Return the counts in words."""
        return ", ".join(f"{count:,} {way}" for way, count in self.counts.items()) + f", {self.same:,} the same"


def compare(before: pa.Table, after: pa.Table) -> Comparison:
    """Compare members by their paths.

    Parameters
    ----------
    before, after
        Rows of members, their paths below one root.

    """
    # Arrow's join needs a value to tell "no partner" from "no split".
    first = before.select(list(_COLUMNS)).append_column("here", pa.repeat(pa.scalar(True), before.num_rows))
    second = after.select(list(_COLUMNS)).append_column("there", pa.repeat(pa.scalar(True), after.num_rows))
    both = first.join(second, KEY, join_type="full outer", right_suffix="_after").sort_by(KEY)
    changed = pc.not_equal(both["fingerprint"], both["fingerprint_after"])
    moved = pc.not_equal(pc.coalesce(both["split"], pa.scalar("")), pc.coalesce(both["split_after"], pa.scalar("")))
    way = pc.case_when(
        pc.make_struct(
            *(pc.is_null(both["here"]), pc.is_null(both["there"])),
            *(pc.fill_null(changed, fill_value=False), pc.fill_null(moved, fill_value=False)),
            field_names=list(Difference),
        ),
        *(str(way) for way in (Difference.ADDED, Difference.REMOVED, Difference.CHANGED, Difference.MOVED)),
    )
    uid = pc.coalesce(both["SOPInstanceUID"], both["SOPInstanceUID_after"])
    told = pa.table([both[KEY], uid, way, both["split"], both["split_after"]], schema=DIFFERENCES)
    differing = told.filter(pc.is_valid(told["difference"]))
    return Comparison(told.num_rows - differing.num_rows, differing)

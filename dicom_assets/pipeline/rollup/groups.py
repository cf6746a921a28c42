"""Entities as runs of rows: what Arrow counts for all of them at once, and values of each."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from dicom_assets.pipeline.rollup.due import starts_of

_PLACE, _GROUP = "_place", "_group"


@dataclass(frozen=True)
class Groups:
    """Rows that are sorted by a key, seen as groups of equal keys.

    Attributes
    ----------
    rows
        The rows.
    key
        Name of the key.

    """

    rows: pa.Table
    key: str

    @cached_property
    def starts(self) -> npt.NDArray[np.int64]:
        """First row of each group; shape ``(groups,)``."""
        return starts_of(self.rows, self.key)

    @cached_property
    def sizes(self) -> npt.NDArray[np.int64]:
        """Number of rows of each group; shape ``(groups,)``."""
        return np.diff(np.append(self.starts, self.rows.num_rows))

    @cached_property
    def keys(self) -> list[str]:
        """Key of each group."""
        found: list[str] = self.rows[self.key].take(pa.array(self.starts)).to_pylist()
        return found

    @cached_property
    def _numbers(self) -> pa.Array:
        """Number of its group, for each row."""
        return pa.array(np.repeat(np.arange(len(self.starts)), self.sizes))

    def slices(self) -> list[pa.Table]:
        """Return the rows of each group."""
        return [
            self.rows.slice(start, size) for start, size in zip(self.starts.tolist(), self.sizes.tolist(), strict=True)
        ]

    def sums(self, values: pa.Array | pa.ChunkedArray) -> list[int]:
        """Return the sum over each group of one number for each row; null counts nothing."""
        if not len(self.starts):
            return []
        filled = pc.fill_null(values, 0).cast(pa.int64())
        numbers = filled.combine_chunks() if isinstance(filled, pa.ChunkedArray) else filled
        totals: list[int] = np.add.reduceat(numbers.to_numpy(zero_copy_only=False), self.starts).tolist()
        return totals

    def values(self, column: str) -> list[list[Any]]:
        """Return the distinct values of a column in each group, sorted; null is none."""
        return [sorted(counts) for counts in self.counts(column)]

    def counts(self, column: str) -> Sequence[Mapping[Any, int]]:
        """Return how many rows of each group have each value of a column; null is no value."""
        values = pa.table({_GROUP: self._numbers, column: self.rows[column]})
        counted = values.filter(pc.is_valid(values[column])).group_by([_GROUP, column]).aggregate([([], "count_all")])
        found: list[dict[Any, int]] = [{} for _ in self.starts]
        for group, value, count in zip(
            *(counted[name].to_pylist() for name in (_GROUP, column, "count_all")), strict=True
        ):
            found[group][value] = count
        return found

    def first_of_each(self, column: str) -> "Groups":
        """Return the first row of each value of a column in each group, and all rows that have none."""
        values = pa.table(
            {_GROUP: self._numbers, column: self.rows[column], _PLACE: np.arange(self.rows.num_rows, dtype=np.int64)}
        )
        named = values.filter(pc.is_valid(values[column])).group_by([_GROUP, column]).aggregate([(_PLACE, "min")])
        unnamed = values.filter(pc.is_null(values[column]))[_PLACE]
        places = np.sort(np.concatenate([named[f"{_PLACE}_min"].to_numpy(), unnamed.to_numpy()]))
        return Groups(self.rows.take(pa.array(places)), self.key)


def as_counts(counts: Mapping[Any, int]) -> Sequence[Mapping[str, Any]]:
    """Return how many files have each value as a column holds it: the most frequent first."""
    ordered = sorted(counts.items(), key=lambda item: (-item[1], str(item[0])))
    return [{"value": value, "files": files} for value, files in ordered]

"""The data files of a table as columns: what whoever looks at all prefixes can keep in memory.

A table of a hundred million files has hundreds of thousands of data files. As objects they take ten times the memory
that they take as columns, of which a prefix needs a few.
"""

from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
from deltalake import DeltaTable

from dicom_assets.delta.files import DataFile
from dicom_assets.delta.layout import from_log
from dicom_assets.tables import KEY, PARTITION

_PATH, _SIZE, _ROWS, _FIRST, _LAST = "path", "size", "rows", "first_key", "last_key"
_SCHEMA = pa.schema(
    [
        (PARTITION, pa.string()),
        (_PATH, pa.string()),
        (_SIZE, pa.int64()),
        (_ROWS, pa.int64()),
        (_FIRST, pa.string()),
        (_LAST, pa.string()),
    ]
)
_ORDER = [(name, "ascending") for name in (PARTITION, _FIRST, _PATH)]


@dataclass(frozen=True)
class FileList:
    """Live data files of one version of a table, in the order of prefix and first key.

    Attributes
    ----------
    columns
        One row for each file; paths are as in the log.

    """

    columns: pa.Table

    @classmethod
    def of(cls, delta: DeltaTable, prefixes: frozenset[str] | None = None, key: str = KEY) -> "FileList":
        """Return the data files of a loaded table.

        Parameters
        ----------
        delta
            The table.
        prefixes
            Those wanted, by default all.
        key
            Column whose bounds the data files tell.

        """
        actions = pa.table(delta.get_add_actions(flatten=True))
        stated = (f"partition.{PARTITION}", "path", "size_bytes", "num_records", f"min.{key}", f"max.{key}")
        there = [name for name in stated if name in actions.column_names]
        actions = actions.select(there)
        if prefixes is not None:
            actions = actions.filter(
                pc.is_in(actions[stated[0]].cast(pa.string()), pa.array(sorted(prefixes), pa.string()))
            )
        columns = [
            actions[name].cast(field.type) if name in there else pa.nulls(actions.num_rows, field.type)
            for name, field in zip(stated, _SCHEMA, strict=True)
        ]
        listed = pa.table(columns, schema=_SCHEMA)
        # A file whose bounds the log does not tell comes first.
        bounded = listed.select([PARTITION, _PATH]).append_column(_FIRST, pc.fill_null(listed[_FIRST], ""))
        return cls(listed.take(pc.sort_indices(bounded, sort_keys=_ORDER)).combine_chunks())

    def __len__(self) -> int:
        """Return how many there are."""
        return int(self.columns.num_rows)

    @cached_property
    def prefixes(self) -> Sequence[str]:
        """Prefixes that have data files, in order."""
        found: list[str] = self.columns[PARTITION].take(pa.array(self._starts)).to_pylist()
        return found

    def of_prefix(self, prefix: str) -> tuple[DataFile, ...]:
        """Return the data files of one prefix."""
        start, end = self._place(prefix)
        return _files(self.columns.slice(start, end - start))

    def all(self) -> tuple[DataFile, ...]:
        """Return the data files of all prefixes."""
        return _files(self.columns)

    def rows(self, prefix: str) -> int | None:
        """Return how many rows there are of a prefix, ``None`` where the log does not tell."""
        start, end = self._place(prefix)
        counts = self.columns[_ROWS].slice(start, end - start)
        return None if counts.null_count else pc.sum(counts).as_py() or 0

    def rows_by_prefix(self) -> dict[str, int]:
        """Return the number of rows of each prefix; data files of unknown length count nothing."""
        counts = pc.fill_null(self.columns[_ROWS], 0).to_numpy()
        totals = np.add.reduceat(counts, self._starts) if len(counts) else counts
        return dict(zip(self.prefixes, totals.tolist(), strict=True))

    @cached_property
    def _starts(self) -> npt.NDArray[np.int64]:
        """First data file of each prefix; shape ``(prefixes,)``."""
        values = self.columns[PARTITION].combine_chunks()
        if not len(values):
            return np.zeros(0, np.int64)
        changes = pc.not_equal(values.slice(1), values.slice(0, len(values) - 1)).to_numpy(zero_copy_only=False)
        return np.append(0, np.flatnonzero(changes) + 1).astype(np.int64)

    def _place(self, prefix: str) -> tuple[int, int]:
        """Return where the data files of a prefix begin and end."""
        number = bisect_left(self.prefixes, prefix)
        if number == len(self.prefixes) or self.prefixes[number] != prefix:
            return 0, 0
        last = number + 1 == len(self._starts)
        return int(self._starts[number]), len(self) if last else int(self._starts[number + 1])


def _files(columns: pa.Table) -> tuple[DataFile, ...]:
    values = zip(*(columns[name].to_pylist() for name in _SCHEMA.names), strict=True)
    return tuple(
        DataFile(from_log(path), prefix, size, rows, first, last) for prefix, path, size, rows, first, last in values
    )

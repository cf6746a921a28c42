"""How DuckDB reads one version of a table: what the log tells from the log, the rest from as few bytes as may be.

Arrow's own datasets read every column that a query returns from every file that may hold a row of it. A search for one
instance would read the headers and thumbnails of all others; and to count rows it would open all files.
"""

from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import islice

import pyarrow as pa
import pyarrow.dataset as ds

from dicom_assets.query.remote import scan_remote

_FEW_FILES = 4
"""As many are read at once, without asking first which of them hold matching rows."""
_PROBED_FILES = 32
"""When most of so many hold matching rows, a filter is not selective."""
_BATCH_ROWS = 1 << 17
_READERS = 4
"""Data files that are read at a time where all of each is wanted."""
_GROUP_ROWS = 10_000
"""Of headers, which are 8 to 20 kB each, 200 MB at most."""
_SCATTERED_FILES = 32
_SCATTERED_ROWS = 100_000
"""A table of so many files or more and so few rows is spread thin: to open the files takes longer than to read them.

Where a query reads most of the files, all rows are read and kept.
"""
_KEPT_BYTES = 32 << 20
"""Rows of such a table that are kept between queries, of one set of columns."""
_KEPT_SETS = 4
_FOOTERS_KEPT = 200
"""Footers of data files are kept between queries of tables of so many files or fewer: 300 kB each, decoded."""


@dataclass(frozen=True, slots=True)
class Scan:
    """One pass over a dataset, as DuckDB wants it: a stream and its schema."""

    projected_schema: pa.Schema
    batches: Iterator[pa.RecordBatch]

    def to_reader(self) -> pa.RecordBatchReader:
        """Return the rows as a stream."""
        return pa.RecordBatchReader.from_batches(self.projected_schema, self.batches)


class TableDataset(ds.InMemoryDataset):  # type: ignore[misc]
    """A table that DuckDB scans with the columns and the filter of a query.

    DuckDB takes only what is a PyArrow dataset by class, and calls nothing but :meth:`scanner`.

    Parameters
    ----------
    files
        The data files, with what the log guarantees for each.
    rows
        How many rows each file has, by its path, as far as the log tells.
    partitions
        Names of the columns whose values the log holds.
    long
        Names of the columns whose values may be long.
    is_local
        Whether Arrow reads the files by itself.

    """

    def __init__(
        self,
        files: ds.FileSystemDataset,
        rows: Mapping[str, int],
        partitions: Sequence[str],
        long: Sequence[str],
        *,
        is_local: bool,
    ) -> None:
        super().__init__(files.schema.empty_table())
        self._files, self._rows, self._is_local = files, rows, is_local
        self._partitions, self._long = frozenset(partitions), frozenset(long)
        self._kept: dict[tuple[str, ...], pa.Table] = {}
        self._keeps_footers = self.file_count <= _FOOTERS_KEPT

    @property
    def file_count(self) -> int:
        """Number of data files."""
        return len(self._files.files)

    @property
    def fragments(self) -> Mapping[str, ds.ParquetFileFragment]:
        """The data files by path, with what the log guarantees for each."""
        return {file.path: file for file in self._files.get_fragments()}

    @property
    def row_counts(self) -> Mapping[str, int]:
        """How many rows the data files have, by path, as far as the log tells."""
        return self._rows

    def read(self, paths: Sequence[str], names: Sequence[str]) -> Iterator[pa.Table]:
        """Yield all rows of some data files, one table each and in their order, some columns of them."""
        fragments, columns, left = self.fragments, list(names), iter(paths)
        pool = ThreadPoolExecutor(_READERS)
        try:
            ahead = deque(pool.submit(self._all_of, fragments[path], columns) for path in islice(left, 2 * _READERS))
            while ahead:
                yield ahead.popleft().result()
                ahead.extend(pool.submit(self._all_of, fragments[path], columns) for path in islice(left, 1))
        finally:  # also where the process ends meanwhile: then, no more than these few are read
            pool.shutdown(wait=False, cancel_futures=True)

    def _all_of(self, file: ds.ParquetFileFragment, names: list[str]) -> pa.Table:
        if not self._is_local:
            return self._scan([file], names, [], None).to_reader().read_all()
        # What is read once leaves no footer behind: they would take more memory than the rows.
        dataset = self._dataset(self._unshared([file]))
        return dataset.scanner(columns=names, use_threads=False, cache_metadata=False).to_table()

    def scanner(self, columns: Sequence[str] | None = None, filter: ds.Expression | None = None) -> Scan | ds.Scanner:  # noqa: A002 - the name that DuckDB calls
        """Return a scan of the rows that pass a filter, in files that may hold such rows."""
        names = list(self.schema.names if columns is None else columns)
        tested = [] if filter is None else columns_of(filter, self.schema.names)
        files = list(self._files.get_fragments(filter))
        if self._partitions.issuperset([*names, *tested]) and all(file.path in self._rows for file in files):
            return Scan(self._schema_of(names), self._from_log(files, names, tested, filter))
        most = len(files) >= _SCATTERED_FILES and len(files) * 2 >= self.file_count
        if most and self._is_small([*names, *tested]):
            return self._whole({*names, *tested}).scanner(columns=names, filter=filter)
        return self._scan(files, names, tested, filter)

    def _scan(
        self,
        files: Sequence[ds.ParquetFileFragment],
        names: list[str],
        tested: list[str],
        filter: ds.Expression | None,  # noqa: A002 - as DuckDB calls it
    ) -> Scan | ds.Scanner:
        if not self._is_local:
            return Scan(self._schema_of(names), scan_remote(files, self.schema, names, filter, tested))
        if filter is not None and len(files) > _FEW_FILES and not set(names).issubset(tested):
            files = self._matching(files, tested, filter)
        if self._long.isdisjoint([*names, *tested]):
            return self._scanned(files, names, filter)
        return Scan(self._schema_of(names), self._in_groups(files, names, filter))

    def _is_small(self, names: Sequence[str]) -> bool:
        """Return whether all rows of some columns may be in memory at once."""
        most = _SCATTERED_ROWS if self._long.isdisjoint(names) else _GROUP_ROWS
        return sum(self._rows.get(path, _GROUP_ROWS) for path in self._files.files) <= most

    def _whole(self, names: AbstractSet[str]) -> ds.InMemoryDataset:
        """Return all rows, which are kept: views over all prefixes read the same columns of small tables each time."""
        columns = tuple(name for name in self.schema.names if name in names)
        kept = self._kept.get(columns)
        if kept is None:
            kept = self._scan(list(self._files.get_fragments()), list(columns), [], None).to_reader().read_all()
            if kept.nbytes <= _KEPT_BYTES and len(self._kept) < _KEPT_SETS:
                self._kept[columns] = kept
        return ds.dataset(kept)

    def _schema_of(self, names: Sequence[str]) -> pa.Schema:
        return pa.schema([self.schema.field(name) for name in names])

    def _scanned(
        self, files: Sequence[ds.ParquetFileFragment], names: Sequence[str], condition: ds.Expression | None
    ) -> ds.Scanner:
        """Return Arrow's own scan of some files."""
        keeps = self._keeps_footers
        dataset = self._dataset(files if keeps else self._unshared(files))
        return dataset.scanner(columns=list(names), filter=condition, cache_metadata=keeps)

    def _dataset(self, files: Sequence[ds.ParquetFileFragment]) -> ds.FileSystemDataset:
        return ds.FileSystemDataset(files, self.schema, self._files.format, self._files.filesystem)

    def _unshared(self, files: Sequence[ds.ParquetFileFragment]) -> list[ds.ParquetFileFragment]:
        """Return files for a scan that keeps no footers: it drops them from under any other of the same objects.

        Arrow asks no lock for that, and the other scan ends the process (PyArrow 26, ``TestRowGroups``).
        """
        make, place = self._files.format.make_fragment, self._files.filesystem
        return [make(file.path, place, partition_expression=file.partition_expression) for file in files]

    def _in_groups(
        self, files: Sequence[ds.ParquetFileFragment], names: list[str], condition: ds.Expression | None
    ) -> Iterator[pa.RecordBatch]:
        """Yield the rows of some files after the other: of all files at once, Arrow reads 1 GiB ahead."""
        group, rows = list[ds.ParquetFileFragment](), 0
        for number, file in enumerate(files, 1):
            group.append(file)
            rows += self._rows.get(file.path, _GROUP_ROWS)
            if rows >= _GROUP_ROWS or number == len(files):
                yield from self._scanned(group, names, condition).to_batches()
                group, rows = [], 0

    def _from_log(
        self,
        files: Sequence[ds.ParquetFileFragment],
        names: Sequence[str],
        tested: Sequence[str],
        condition: ds.Expression | None,
    ) -> Iterator[pa.RecordBatch]:
        """Yield rows of nothing but partition values, without opening a file."""
        read = self._schema_of(list(dict.fromkeys([*names, *tested])))
        counts: dict[tuple[object, ...], int] = {}
        for file in files:
            values = ds.get_partition_keys(file.partition_expression)
            key = tuple(values.get(name) for name in read.names)
            counts[key] = counts.get(key, 0) + self._rows[file.path]
        for key, count in counts.items():
            for start in range(0, count, _BATCH_ROWS):
                length = min(_BATCH_ROWS, count - start)
                arrays = [
                    pa.repeat(pa.scalar(value, field.type), length) for value, field in zip(key, read, strict=True)
                ]
                rows = pa.Table.from_arrays(arrays, schema=read)
                yield from (rows if condition is None else rows.filter(condition)).select(names).to_batches()

    def _matching(
        self, files: Sequence[ds.ParquetFileFragment], tested: Sequence[str], condition: ds.Expression
    ) -> list[ds.ParquetFileFragment]:
        """Return the files that hold matching rows, as the columns of the filter tell; all where most of them do."""
        seen, matching = set[str](), set[str]()
        for part in self._scanned(files, tested[:1], condition).scan_batches():
            seen.add(part.fragment.path)
            if part.record_batch.num_rows:
                matching.add(part.fragment.path)
            if len(seen) >= _PROBED_FILES and len(matching) * 2 > len(seen):
                return list(files)
        return [file for file in files if file.path in matching]


def columns_of(condition: ds.Expression, names: Sequence[str]) -> list[str]:
    """Return the columns that a filter tests, perhaps more: an expression does not list them, but shows their names."""
    text = str(condition)
    return [name for name in names if name in text]

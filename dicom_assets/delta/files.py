"""Data files: written as Parquet with statistics, read back by column."""

import posixpath
import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from deltalake.transaction import AddAction
from pyarrow.fs import FileSystem

from dicom_assets.delta.layout import new_data_file
from dicom_assets.delta.statistics import StatisticsCollector
from dicom_assets.tables import PARTITION, Table

_ROW_GROUP_BYTES = 32 << 20


@dataclass(frozen=True, slots=True)
class DataFile:
    """A live data file of a snapshot.

    Attributes
    ----------
    path
        On storage, relative to the table.
    prefix
        Its partition value.
    size
        In bytes.
    rows
        Number of rows, ``None`` when the log has no statistics of it.
    first_key, last_key
        Bounds of the key of the table, ``None`` when unknown.

    """

    path: str
    prefix: str
    size: int
    rows: int | None = None
    first_key: str | None = None
    last_key: str | None = None

    def may_hold(self, low: str, high: str) -> bool:
        """Return whether keys between two bounds, both included, may be in the file."""
        return (self.first_key is None or self.first_key <= high) and (self.last_key is None or self.last_key >= low)


class DataFileWriter:
    """Writes the rows of one prefix to one new data file.

    Parameters
    ----------
    filesystem
        Rooted at the table.
    table
        Its schema.
    prefix
        Partition value of all rows.

    """

    def __init__(self, filesystem: FileSystem, table: Table, prefix: str) -> None:
        self._filesystem = filesystem
        self._schema = table.file_schema
        self._key = table.key
        self._prefix = prefix
        self._path = new_data_file(prefix)
        self._statistics = StatisticsCollector(table.statistics_columns)
        self._pending: list[pa.RecordBatch] = []
        self._pending_bytes = 0
        self._rows = 0
        self._sink: pa.NativeFile | None = None
        self._writer: pq.ParquetWriter | None = None

    @property
    def rows(self) -> int:
        """Rows taken so far."""
        return self._rows

    def write(self, batch: pa.RecordBatch) -> None:
        """Take rows; columns that are not of the table (the partition) are left out."""
        batch = batch.select(self._schema.names)
        if not batch.schema.equals(self._schema):
            batch = batch.cast(self._schema)
        self._statistics.add(batch)
        self._pending.append(batch)
        self._pending_bytes += batch.nbytes
        self._rows += batch.num_rows
        if self._pending_bytes >= _ROW_GROUP_BYTES:
            self._flush()

    def close(self) -> AddAction:
        """Finish the file and return the action that would add it to the table."""
        self._flush()
        if self._writer is None or self._sink is None:
            raise ValueError("a data file has at least one row")
        self._writer.close()
        size = self._sink.tell()
        self._sink.close()
        return AddAction(
            path=self._path,
            size=size,
            partition_values={PARTITION: self._prefix},
            modification_time=int(time.time() * 1000),
            data_change=True,
            stats=self._statistics.json(),
        )

    def _flush(self) -> None:
        """Write the pending rows as one row group."""
        if not self._pending:
            return
        if self._writer is None:
            self._filesystem.create_dir(posixpath.dirname(self._path), recursive=True)
            self._sink = self._filesystem.open_output_stream(self._path)
            self._writer = pq.ParquetWriter(
                self._sink, self._schema, compression="zstd", use_dictionary=True, write_statistics=[self._key]
            )
        self._writer.write_table(pa.Table.from_batches(self._pending, self._schema))
        self._pending, self._pending_bytes = [], 0


class TableSink:
    """Writes rows to data files of one table: a new one wherever the prefix changes.

    Parameters
    ----------
    filesystem
        Rooted at the table.
    table
        Its schema.

    """

    def __init__(self, filesystem: FileSystem, table: Table) -> None:
        self._filesystem = filesystem
        self._table = table
        self._writer: DataFileWriter | None = None
        self._prefix: str | None = None
        self._done: list[AddAction] = []

    def write(self, batch: pa.RecordBatch) -> None:
        """Take rows; those of one prefix follow each other."""
        for prefix, part in _runs(batch):
            if self._writer is None or prefix != self._prefix:
                self._finish()
                self._writer, self._prefix = DataFileWriter(self._filesystem, self._table, prefix), prefix
            self._writer.write(part)

    def close(self) -> list[AddAction]:
        """Finish the last file and return the actions of all."""
        self._finish()
        return self._done

    def _finish(self) -> None:
        if self._writer is not None:
            self._done.append(self._writer.close())
            self._writer = None


def write_batches(filesystem: FileSystem, table: Table, batches: Iterable[pa.RecordBatch]) -> list[AddAction]:
    """Write rows that are grouped by prefix, one data file for each run of rows of one prefix."""
    sink = TableSink(filesystem, table)
    for batch in batches:
        sink.write(batch)
    return sink.close()


def _runs(batch: pa.RecordBatch) -> Iterator[tuple[str, pa.RecordBatch]]:
    """Split a batch where its partition value changes."""
    if not batch.num_rows:
        return
    encoded = pc.run_end_encode(batch.column(PARTITION))
    start = 0
    for end, prefix in zip(encoded.run_ends.to_pylist(), encoded.values.to_pylist(), strict=True):
        yield prefix, batch.slice(start, end - start)
        start = end


@contextmanager
def _opened(filesystem: FileSystem, file: DataFile) -> Iterator[pq.ParquetFile]:
    """Open a data file so that it is read on the thread that asks: those of Arrow must not call into Python."""
    with filesystem.open_input_file(file.path) as stream, pq.ParquetFile(stream, pre_buffer=False) as parquet:
        yield parquet


def read_file(filesystem: FileSystem, table: Table, file: DataFile, columns: Sequence[str]) -> Iterator[pa.RecordBatch]:
    """Yield the rows of a data file with the given columns, in the types of the table.

    The partition column is filled in; columns that the file does not have yet (it is older) are null.

    Parameters
    ----------
    filesystem
        Rooted at the table.
    table
        Its schema.
    file
        The data file.
    columns
        Names, in the order wanted.

    """
    with _opened(filesystem, file) as parquet:
        present = _present(parquet, columns)
        for batch in parquet.iter_batches(batch_size=4096, columns=present, use_threads=False):
            yield _complete(batch, table, file.prefix, columns)


def _present(parquet: pq.ParquetFile, columns: Sequence[str]) -> list[str]:
    """Return those of some columns that a data file has; its schema is decoded each time that it is asked for."""
    stored = frozenset(parquet.schema_arrow.names)
    return [name for name in columns if name in stored]


def _complete(batch: pa.RecordBatch, table: Table, prefix: str, columns: Sequence[str]) -> pa.RecordBatch:
    """Return a batch with exactly the columns wanted."""
    arrays = []
    for name in columns:
        type_ = table[name].type
        if name == PARTITION:
            arrays.append(pa.repeat(pa.scalar(prefix, type_), batch.num_rows))
        elif name in batch.schema.names:
            arrays.append(batch.column(name).cast(type_))
        else:
            arrays.append(pa.nulls(batch.num_rows, type_))
    return pa.RecordBatch.from_arrays(arrays, schema=pa.schema([table.schema.field(n) for n in columns]))


def _groups_within(parquet: pq.ParquetFile, by: str, keys: pa.Array) -> Iterator[int]:
    """Yield the row groups that may hold values between the least and the greatest of some, by their statistics."""
    columns = [parquet.metadata.schema.column(place).path for place in range(parquet.metadata.num_columns)]
    if by not in columns or not len(keys):
        return
    place, bounds = columns.index(by), pc.min_max(keys).as_py()
    for group in range(parquet.num_row_groups):
        held = parquet.metadata.row_group(group).column(place).statistics
        known = held is not None and held.has_min_max and isinstance(held.min, str)
        if not known or (held.min <= bounds["max"] and held.max >= bounds["min"]):
            yield group


def read_rows(
    filesystem: FileSystem,
    table: Table,
    file: DataFile,
    columns: Sequence[str],
    keys: pa.Array,
    by: str | None = None,
) -> Iterator[pa.RecordBatch]:
    """Yield the rows of a data file that have one of some values in a column; row groups without any are not read.

    Parameters
    ----------
    filesystem, table, file, columns
        As for :func:`read_file`.
    keys
        Values wanted.
    by
        The column that they are values of: text, by default the key of the table. A file that does not have it yet has
        no such rows.

    """
    by = by or table.key
    with _opened(filesystem, file) as parquet:
        present = _present(parquet, columns)
        for group in _groups_within(parquet, by, keys):
            # Other writers may have left views, which Arrow neither compares nor filters.
            held = parquet.read_row_group(group, columns=[by], use_threads=False)[by].cast(table[by].type)
            found = pc.is_in(held, keys)
            if pc.any(found).as_py():
                rows, start = parquet.read_row_group(group, columns=present, use_threads=False), 0
                for batch in rows.to_batches():
                    mask = found.slice(start, batch.num_rows).combine_chunks()
                    yield _complete(batch, table, file.prefix, columns).filter(mask)
                    start += batch.num_rows

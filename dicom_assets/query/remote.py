"""Data files on an object store, scanned on Python threads.

Arrow's scanner would call delta-rs's file system from its own threads: a query that ends early (``LIMIT``) would wait
for them for ever, and the interpreter sometimes aborts at exit. Here, each file is read on the thread that opened it.
"""

from collections import deque
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from itertools import islice
from typing import Any

import pyarrow as pa
import pyarrow.dataset as ds
import pyarrow.parquet as pq

_FILES_AT_A_TIME = 8
"""An object store answers slowly, but answers many requests at once."""


@dataclass(frozen=True, slots=True)
class Scan:
    """One pass over a dataset, as DuckDB wants it: a stream and its schema."""

    projected_schema: pa.Schema
    batches: Iterator[pa.RecordBatch]

    def to_reader(self) -> pa.RecordBatchReader:
        """Return the rows as a stream."""
        return pa.RecordBatchReader.from_batches(self.projected_schema, self.batches)


class RemoteDataset(ds.InMemoryDataset):  # type: ignore[misc]
    """A dataset that DuckDB scans with the columns and the filter of a query.

    DuckDB takes only what is a PyArrow dataset by class, and calls nothing but :meth:`scanner`.

    Parameters
    ----------
    files
        The data files, with what the log guarantees for each; only used to choose among them.

    """

    def __init__(self, files: ds.FileSystemDataset) -> None:
        super().__init__(files.schema.empty_table())
        self._files = files

    def scanner(self, columns: Sequence[str] | None = None, filter: ds.Expression | None = None) -> Scan:  # noqa: A002 - the name that DuckDB calls
        """Return a scan of the rows that pass a filter, in files that may hold such rows."""
        names = list(self.schema.names if columns is None else columns)
        read = partial(_read, schema=self.schema, names=names, condition=filter)
        return Scan(
            pa.schema([self.schema.field(name) for name in names]),
            _in_order(self._files.get_fragments(filter), read),
        )


def _in_order(fragments: Iterator[ds.ParquetFileFragment], read: Any) -> Iterator[pa.RecordBatch]:
    """Yield the rows of files in their order, reading some files ahead."""
    pool = ThreadPoolExecutor(_FILES_AT_A_TIME)
    try:
        ahead: deque[Future[pa.Table]] = deque(
            pool.submit(read, fragment) for fragment in islice(fragments, _FILES_AT_A_TIME)
        )
        while ahead:
            rows = ahead.popleft().result()
            ahead.extend(pool.submit(read, fragment) for fragment in islice(fragments, 1))
            yield from rows.to_batches()
    finally:  # also when the query has read enough
        pool.shutdown(wait=False, cancel_futures=True)


def _read(
    fragment: ds.ParquetFileFragment, schema: pa.Schema, names: list[str], condition: ds.Expression | None
) -> pa.Table:
    """Return the rows of one file that pass a filter."""
    # An expression does not list its columns, but their names are in its text.
    needed = [name for name in schema.names if name in names or (condition is not None and name in str(condition))]
    partitions = ds.get_partition_keys(fragment.partition_expression)
    with (
        fragment.filesystem.open_input_file(fragment.path) as stream,
        pq.ParquetFile(stream, pre_buffer=False) as parquet,
    ):
        stored = parquet.read([name for name in needed if name in parquet.schema_arrow.names], use_threads=False)
        count = parquet.metadata.num_rows
    arrays = [
        stored[name].cast(schema.field(name).type)
        if name in stored.column_names
        else pa.repeat(pa.scalar(partitions.get(name), schema.field(name).type), count)
        for name in needed
    ]
    rows = pa.Table.from_arrays(arrays, schema=pa.schema([schema.field(name) for name in needed]))
    return (rows if condition is None else rows.filter(condition)).select(names)

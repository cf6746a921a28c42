"""Data files on an object store, scanned on Python threads.

Arrow's scanner would call delta-rs's file system from its own threads: a query that ends early (``LIMIT``) would wait
for them for ever, and the interpreter sometimes aborts at exit. Here, each file is read on the thread that opened it.
"""

from collections import deque
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from functools import partial
from itertools import islice
from typing import Any

import pyarrow as pa
import pyarrow.dataset as ds
import pyarrow.parquet as pq

_FILES_AT_A_TIME = 8
"""An object store answers slowly, but answers many requests at once."""


def scan_remote(
    files: Sequence[ds.ParquetFileFragment],
    schema: pa.Schema,
    names: list[str],
    condition: ds.Expression | None,
    tested: Sequence[str],
) -> Iterator[pa.RecordBatch]:
    """Yield the rows of files that pass a filter, in the order of the files.

    Parameters
    ----------
    files, schema
        Of the table.
    names
        Of the columns to return.
    condition, tested
        The filter and the columns that it tests. Where no row of a file passes, only these are read.

    """
    return _in_order(iter(files), partial(_read, schema=schema, names=names, condition=condition, tested=tested))


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
    fragment: ds.ParquetFileFragment,
    schema: pa.Schema,
    names: list[str],
    condition: ds.Expression | None,
    tested: Sequence[str],
) -> pa.Table:
    """Return the rows of one file that pass a filter."""
    with (
        fragment.filesystem.open_input_file(fragment.path) as stream,
        pq.ParquetFile(stream, pre_buffer=False) as parquet,
    ):
        if condition is None:
            return _columns(fragment, parquet, schema, names)
        rows = _columns(fragment, parquet, schema, tested)
        if rows.filter(condition).num_rows == 0:
            return schema.empty_table().select(names)
        for field, column in zip(
            (others := [name for name in names if name not in tested]),
            _columns(fragment, parquet, schema, others).columns,
            strict=True,
        ):
            rows = rows.append_column(schema.field(field), column)
    return rows.filter(condition).select(names)


def _columns(
    fragment: ds.ParquetFileFragment, parquet: pq.ParquetFile, schema: pa.Schema, names: Sequence[str]
) -> pa.Table:
    """Return columns of one file: those of the partition from the log, and null where the file is older than they."""
    stored = parquet.read([name for name in names if name in parquet.schema_arrow.names], use_threads=False)
    partitions, count = ds.get_partition_keys(fragment.partition_expression), parquet.metadata.num_rows
    arrays = [
        stored[name].cast(schema.field(name).type)
        if name in stored.column_names
        else pa.repeat(pa.scalar(partitions.get(name), schema.field(name).type), count)
        for name in names
    ]
    return pa.Table.from_arrays(arrays, schema=pa.schema([schema.field(name) for name in names]))

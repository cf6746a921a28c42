"""Results of queries on the terminal and in files. Every format but ``table`` is complete, and is streamed."""

import sys
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from enum import StrEnum
from itertools import chain, count
from pathlib import Path
from typing import BinaryIO, cast

import duckdb
import orjson
import pyarrow as pa
import pyarrow.csv as pa_csv
import pyarrow.parquet as pq

from dicom_assets.query.errors import OutputError, QueryError, one_line
from dicom_assets.query.spreadsheet import Spreadsheet
from dicom_assets.query.terminal import write_table
from dicom_assets.query.values import csv_column, json_default
from dicom_assets.query.visible import TerminalSink

_BATCH_ROWS = 2048
"""Rows in memory at a time: with a header and a thumbnail each, some tens of megabytes."""


class Format(StrEnum):
    """How a result is written. Each but ``table`` is also the suffix of the files that hold it."""

    TABLE = "table"
    """For reading: aligned, long values cut, the first rows only."""
    CSV = "csv"
    """RFC 4180 with a header line; lists as JSON, binary as Base64, times in ISO 8601."""
    JSON = "json"
    """One array with an object per row, one row a line; binary as Base64, times in ISO 8601."""
    PARQUET = "parquet"
    """All types as they are."""


_BY_SUFFIX = {f".{form}": form for form in (Format.CSV, Format.JSON, Format.PARQUET)}


def choose_format(form: Format | None, output: Path | None) -> Format:
    """Return the format of a result: the one asked for, else that of the file's suffix, else ``table``.

    Parameters
    ----------
    form
        What was asked for, if anything.
    output
        The file to write, ``None`` for standard output.

    Raises
    ------
    OutputError
        The suffix stands for another format than the one asked for, or for none where none was asked for.

    """
    if output is None:
        return form or Format.TABLE
    named = _BY_SUFFIX.get(output.suffix.lower())
    wanted = form or named
    if wanted is None:
        raise OutputError(f"{output} is in no known format: let it end in {', '.join(_BY_SUFFIX)}, or give --format")
    if named not in (None, wanted):
        raise OutputError(f"{output} is the name of a {named} file, and --format asks for {wanted}")
    return wanted


def write(
    result: duckdb.DuckDBPyRelation | pa.RecordBatchReader,
    form: Format,
    output: Path | None = None,
    spreadsheet: Spreadsheet | None = None,
) -> int:
    """Write a result and return its number of rows.

    Control characters in values and names never reach a terminal, in any format: they are made visible. Files and
    pipes get values as they are.

    Parameters
    ----------
    result
        Of :meth:`Catalog.sql`, or any other rows as they come.
    form
        The format.
    output
        The file, which appears only when it is complete; by default standard output.
    spreadsheet
        Counts the texts in CSV that a spreadsheet would take for formulas, and defuses them if it is to.

    Raises
    ------
    QueryError
        The query failed on a value in the tables.
    OutputError
        The file cannot be written, or Parquet would go to a terminal.

    """
    terminal = output is None and sys.stdout.isatty()
    if terminal and form is Format.PARQUET:
        raise OutputError("Parquet is not for a terminal: name a file with -o")
    with _opened(output) as sink:
        try:
            rows = result if isinstance(result, pa.RecordBatchReader) else result.to_arrow_reader(_BATCH_ROWS)
            reader = _unambiguous(rows)
            # A table has colours of its own, and no control characters of values.
            safe = cast("BinaryIO", TerminalSink(sink)) if terminal and form is not Format.TABLE else sink
            if form is Format.CSV:
                return _write_csv(reader, safe, spreadsheet or Spreadsheet())
            return _WRITERS[form](reader, safe)
        except duckdb.Error as error:
            raise QueryError(one_line(error)) from error
        except (pa.ArrowException, OSError) as error:
            # What DuckDB meets while it is read arrives through the Arrow stream.
            if isinstance(error, BrokenPipeError):
                raise
            raise QueryError(one_line(error)) from error


def _unambiguous(reader: pa.RecordBatchReader) -> pa.RecordBatchReader:
    """Return a result whose columns all have different names, as JSON objects and Parquet files require."""
    names: list[str] = []
    for name in reader.schema.names:
        candidates = chain([name], (f"{name}_{number}" for number in count(1)))
        taken = {known.casefold() for known in names}
        names.append(next(candidate for candidate in candidates if candidate.casefold() not in taken))
    schema = pa.schema([field.with_name(name) for field, name in zip(reader.schema, names, strict=True)])
    return pa.RecordBatchReader.from_batches(
        schema, (pa.RecordBatch.from_arrays(batch.columns, schema=schema) for batch in reader)
    )


@contextmanager
def _opened(output: Path | None) -> Iterator[BinaryIO]:
    """Open standard output, or a file that gets its name only when it was written completely."""
    if output is None:
        yield sys.stdout.buffer
        sys.stdout.buffer.flush()
        return
    part = output.with_name(f".{output.name}.{uuid.uuid4().hex}.part")
    try:
        sink = part.open("xb")
    except OSError as error:
        raise OutputError(f"{output} cannot be written: {error.strerror}") from error
    try:
        with sink:
            yield sink
        part.replace(output)
    except OSError as error:
        raise OutputError(f"{output} cannot be written: {error.strerror}") from error
    finally:
        part.unlink(missing_ok=True)


def _write_csv(reader: pa.RecordBatchReader, sink: BinaryIO, spreadsheet: Spreadsheet) -> int:
    types = [csv_column(pa.array([], field.type)).type for field in reader.schema]
    names = spreadsheet.column(pa.array(reader.schema.names, pa.string())).to_pylist()
    schema = pa.schema(list(zip(names, types, strict=True)))
    rows = 0
    with pa_csv.CSVWriter(sink, schema) as writer:
        for batch in reader:
            columns = [spreadsheet.column(csv_column(column)) for column in batch.columns]
            writer.write_batch(pa.RecordBatch.from_arrays(columns, schema=schema))
            rows += batch.num_rows
    return rows


def _write_json(reader: pa.RecordBatchReader, sink: BinaryIO) -> int:
    rows = 0
    for batch in reader:
        for row in batch.to_pylist():
            sink.write(b",\n" if rows else b"[\n")
            sink.write(orjson.dumps(row, default=json_default, option=orjson.OPT_UTC_Z))
            rows += 1
    sink.write(b"\n]\n" if rows else b"[]\n")
    return rows


def _write_parquet(reader: pa.RecordBatchReader, sink: BinaryIO) -> int:
    rows = 0
    with pq.ParquetWriter(sink, reader.schema, compression="zstd") as writer:
        for batch in reader:
            writer.write_batch(batch)
            rows += batch.num_rows
    return rows


_WRITERS: dict[Format, Callable[[pa.RecordBatchReader, BinaryIO], int]] = {
    Format.TABLE: write_table,
    Format.JSON: _write_json,
    Format.PARQUET: _write_parquet,
}

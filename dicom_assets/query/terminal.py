"""Results for reading: an aligned table, or one line for each value when the columns do not fit."""

import io
import shutil
import sys
import time
from typing import Any, BinaryIO

import pyarrow as pa
from rich import box
from rich.cells import cell_len
from rich.console import Console
from rich.table import Table
from rich.text import Text

from dicom_assets.query.values import cell
from dicom_assets.query.visible import visible

SHOWN_ROWS = 100
COUNTING_SECONDS = 2.0
"""How long the rows that are not shown are counted."""
CELL = 64
"""Characters of a value that are shown to people: a UID is never cut."""
_WHOLE = sys.maxsize
_FILE_WIDTH = 10_000
"""Of a table that does not go to a terminal: nothing needs to be wrapped there."""
_EQUALS = " = "
_ALL = "; csv, json and parquet hold all"


def write_table(reader: pa.RecordBatchReader, sink: BinaryIO, longest: int | None = None) -> int:
    """Write the first rows for reading and return how many; a last line tells how many there are.

    Parameters
    ----------
    reader
        The rows.
    sink
        Where to.
    longest
        Characters of a value that are shown. By default :data:`CELL` in a terminal, and all of them elsewhere: whoever
        searches a file or a pipe for a value would take one that is cut for another.

    """
    names = [visible(name) for name in reader.schema.names]
    shown, read = _first(reader)
    terminal = sink is getattr(sys.stdout, "buffer", None) and sys.stdout.isatty()
    longest = longest or (CELL if terminal else _WHOLE)
    width = shutil.get_terminal_size().columns if terminal else _FILE_WIDTH
    text = io.StringIO()
    console = Console(file=text, width=width, force_terminal=terminal, highlight=False)
    grid = _grid(names, reader.schema.types, shown, longest)
    # What is measured is never wider than it may be.
    if console.measure(grid, options=console.options.update(width=width + 1)).maximum <= width:
        console.print(grid)
    else:
        for number, row in enumerate(shown, start=1):
            console.print(_record(names, row, number, max(width, longest)), soft_wrap=True)
    _flush(text, sink)
    console.print(Text(f"({_count(len(shown), read, reader)})", style="dim"), soft_wrap=True)
    _flush(text, sink)
    return len(shown)


def _flush(text: io.StringIO, sink: BinaryIO) -> None:
    """Move text to where it goes. Aligned lines would end in blanks, which shows in diffs and in copies."""
    sink.write("\n".join(line.rstrip() for line in text.getvalue().split("\n")).encode())
    sink.flush()
    text.seek(0)
    text.truncate()


def _first(reader: pa.RecordBatchReader) -> tuple[list[tuple[Any, ...]], int]:
    """Return the rows to show, and how many were read for that."""
    rows: list[tuple[Any, ...]] = []
    read = 0
    for batch in reader:
        part = batch.slice(0, SHOWN_ROWS - len(rows))
        rows += zip(*(column.to_pylist() for column in part.columns), strict=True)
        read += batch.num_rows
        if read > SHOWN_ROWS:
            break
    return rows, read


def _count(shown: int, read: int, reader: pa.RecordBatchReader) -> str:
    """Return how many rows are shown, and of how many: for a while, the rest of the result is read to count it."""
    if read == shown:
        return "1 row" if shown == 1 else f"{shown:,} rows"
    deadline = time.monotonic() + COUNTING_SECONDS
    for batch in reader:
        read += batch.num_rows
        if time.monotonic() > deadline:
            return f"{shown:,} of more than {read - 1:,} rows{_ALL}"
    return f"{shown:,} of {read:,} rows{_ALL}"


def _grid(names: list[str], types: list[pa.DataType], rows: list[tuple[Any, ...]], longest: int) -> Table:
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, show_edge=False, header_style="bold")
    for name, type_ in zip(names, types, strict=True):
        numeric = pa.types.is_integer(type_) or pa.types.is_floating(type_) or pa.types.is_decimal(type_)
        table.add_column(Text(name), justify="right" if numeric else "left", no_wrap=True)
    for row in rows:
        table.add_row(*(_value(value, longest) for value in row))
    return table


def _record(names: list[str], row: tuple[Any, ...], number: int, width: int) -> Text:
    """Return one row as lines of ``name = value``; the terminal wraps what is longer than its width."""
    longest = max(map(cell_len, names))
    lines = [Text(f"row {number}", style="dim")]
    for name, value in zip(names, row, strict=True):
        indent = " " * (longest - cell_len(name))
        room = max(CELL, width - longest - len(_EQUALS))
        lines.append(Text.assemble(indent, (name, "bold"), _EQUALS, _value(value, room)))
    return Text("\n").join(lines)


def _value(value: Any, width: int) -> Text:
    return Text(cell(value, width), style="dim" if value is None else "")

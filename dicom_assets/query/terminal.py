"""Results for reading: an aligned table, or one record below the other when the columns do not fit."""

import io
import shutil
import sys
from itertools import islice
from typing import Any, BinaryIO

import pyarrow as pa
from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

from dicom_assets.query.values import cell
from dicom_assets.query.visible import visible

SHOWN_ROWS = 100
_CELL = 60
_NARROWEST = 8
"""Characters below which a cut value says nothing."""
_FILE_WIDTH = 10_000
"""Of a table that does not go to a terminal: nothing needs to be wrapped there."""


def write_table(reader: pa.RecordBatchReader, sink: BinaryIO) -> int:
    """Write the first rows for reading and return how many; a last line tells when there are more."""
    names = [visible(name) for name in reader.schema.names]
    rows = list(
        islice(
            (row for batch in reader for row in zip(*(c.to_pylist() for c in batch.columns), strict=True)),
            SHOWN_ROWS + 1,
        )
    )
    shown, more = rows[:SHOWN_ROWS], len(rows) > SHOWN_ROWS
    terminal = sink is sys.stdout.buffer and sys.stdout.isatty()
    width = shutil.get_terminal_size().columns if terminal else _FILE_WIDTH
    text = io.StringIO()
    console = Console(file=text, width=width, force_terminal=terminal, highlight=False)
    if len(names) * (_NARROWEST + 2) <= width:
        console.print(_grid(names, reader.schema.types, shown))
    else:
        for number, row in enumerate(shown, start=1):
            console.print(_record(names, row, number, width))
    count = f"first {len(shown):,} rows; the other formats write all" if more else _rows(len(shown))
    console.print(Text(f"({count})", style="dim"))
    # Aligned lines would end in blanks, which shows in diffs and in copies.
    sink.write("\n".join(line.rstrip() for line in text.getvalue().split("\n")).encode())
    return len(shown)


def _rows(count: int) -> str:
    return "1 row" if count == 1 else f"{count:,} rows"


def _grid(names: list[str], types: list[pa.DataType], rows: list[tuple[Any, ...]]) -> Table:
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, show_edge=False, header_style="bold")
    for name, type_ in zip(names, types, strict=True):
        numeric = pa.types.is_integer(type_) or pa.types.is_floating(type_) or pa.types.is_decimal(type_)
        table.add_column(Text(name), justify="right" if numeric else "left", no_wrap=True, overflow="ellipsis")
    for row in rows:
        table.add_row(*(Text(cell(value, _CELL)) for value in row))
    return table


def _record(names: list[str], row: tuple[Any, ...], number: int, width: int) -> Table:
    table = Table(box=None, show_header=False, pad_edge=False, title=f"row {number}", title_justify="left")
    longest = max(len(name) for name in names)
    for name, value in zip(names, row, strict=True):
        table.add_row(Text(name, style="bold"), Text(cell(value, max(_NARROWEST, width - longest - 2)), no_wrap=True))
    return table

"""The rows that a researcher asked for, computed when they are taken, in whatever library they go on in."""

import base64
import io
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

import duckdb
import pyarrow as pa

from dicom_assets.dicom.showable import may_be_shown
from dicom_assets.errors import UserError
from dicom_assets.query.errors import QueryError, one_line
from dicom_assets.query.pages import template
from dicom_assets.query.sql_text import identifier
from dicom_assets.query.terminal import CELL, write_table
from dicom_assets.query.values import cell

if TYPE_CHECKING:
    import pandas as pd
    import polars as pl

IMAGE = "thumbnail"
"""Column that is shown as pictures."""

TELLING = ("BurnedInAnnotation", "header_status")
"""Columns that tell whether a picture may be shown unasked."""

HIDDEN = ("_burned_in_annotation", "_header_status")
"""Names of these columns where they are for display only."""

SHOWN_ROWS = 20
_BATCH_ROWS = 2048
_MEDIA_TYPES = {b"\xff\xd8\xff": "image/jpeg", b"\x89PNG\r\n\x1a\n": "image/png"}
"""Of pictures that are shown, by their first bytes."""


class MissingLibraryError(UserError, ImportError):
    """A library that the result was asked for in is not installed."""


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Selection:
    """Rows of one version of a catalog. Nothing is read before they are asked for; each method reads anew.

    In a notebook it shows the first rows, and thumbnails as pictures where their column was asked for. Images whose
    header says that text is burned into the pixels, and those of which that is not known, are left out there.

    Attributes
    ----------
    relation
        The query, which DuckDB's own methods work on, too. Any result of :meth:`Catalog.sql` can be wrapped.
    shown
        The same rows for display, followed by the columns :data:`HIDDEN`; by default `relation` itself, whose pictures
        are shown where it has the columns :data:`TELLING`.

    Examples
    --------
    >>> selection = catalog.select("Modality = 'CT'", ["path", "SeriesInstanceUID"])  # doctest: +SKIP
    >>> selection.to_pandas()  # doctest: +SKIP

    """

    relation: duckdb.DuckDBPyRelation
    shown: duckdb.DuckDBPyRelation | None = None

    @property
    def columns(self) -> tuple[str, ...]:
        """Names of the columns."""
        return tuple(self.relation.columns)

    def count(self) -> int:
        """Return the number of rows; raises :class:`QueryError` when the query fails on a value."""
        with _explained():
            (count,) = self.relation.aggregate("count(*)").fetchall()[0]
        return int(count)

    def to_pandas(self) -> "pd.DataFrame":
        """Return all rows as a data frame; raises :class:`QueryError` when the query fails on a value."""
        with _explained():
            frame: pd.DataFrame = self.relation.df()
            return frame

    def to_polars(self) -> "pl.DataFrame":
        """Return all rows as a data frame of Polars.

        Raises
        ------
        MissingLibraryError
            Polars is not installed.
        QueryError
            The query fails on a value.

        """
        if find_spec("polars") is None:
            raise MissingLibraryError("Polars is not installed: pip install polars")
        import polars as pl

        frame = pl.from_arrow(self.to_arrow())
        assert isinstance(frame, pl.DataFrame)
        return frame

    def to_arrow(self) -> pa.Table:
        """Return all rows as an Arrow table; raises :class:`QueryError` when the query fails on a value."""
        with _explained():
            return self.relation.to_arrow_table()

    def batches(self, rows: int = _BATCH_ROWS) -> Iterator[pa.RecordBatch]:
        """Yield the rows in batches, so that a selection of any size takes the memory of a few of them.

        Parameters
        ----------
        rows
            How many rows a batch has; the last one may have fewer.

        Raises
        ------
        QueryError
            The query fails on a value.

        """
        with _explained():
            yield from self.relation.to_arrow_reader(rows)

    def to_html(self, rows: int = SHOWN_ROWS, *, burned_in: bool = False) -> str:
        """Return the first rows as a table in HTML, which needs nothing else.

        Parameters
        ----------
        rows
            How many rows.
        burned_in
            Show images, too, whose header says that identifying text is burned into the pixels, or of which that is
            not known.

        Raises
        ------
        QueryError
            The query fails on a value.

        """
        with _explained():
            found = (self.shown or self.relation).limit(rows + 1).to_arrow_table()
        cells = [_cells(found, place, burned_in=burned_in) for place in range(min(rows, found.num_rows))]
        count = f"the first {rows:,} rows" if found.num_rows > rows else f"rows: {found.num_rows:,}"
        return template("selection.html.jinja").render(
            names=self.columns, rows=[row[: len(self.columns)] for row in cells], count=count
        )

    def _repr_html_(self) -> str:
        """Show the first rows in a notebook."""
        return self.to_html()

    def __repr__(self) -> str:
        """Name the columns; a representation lands in logs, so it holds no values."""
        return f"<Selection of {len(self.columns)} columns: {', '.join(self.columns)}>"

    def __str__(self) -> str:
        """Return the first rows as an aligned table."""
        sink = io.BytesIO()
        with _explained():
            write_table(self.relation.to_arrow_reader(_BATCH_ROWS), sink, CELL)
        return sink.getvalue().decode()


def with_hidden(relation: duckdb.DuckDBPyRelation) -> Selection:
    """Return a selection of a query whose last columns are :data:`HIDDEN`."""
    return Selection(relation.project(f"* EXCLUDE ({', '.join(map(identifier, HIDDEN))})"), relation)


@contextmanager
def _explained() -> Iterator[None]:
    """Turn what DuckDB meets while a result is read into an error of one line."""
    try:
        yield
    except (duckdb.Error, pa.ArrowException) as error:
        raise QueryError(one_line(error)) from error


@dataclass(frozen=True, slots=True)
class _Cell:
    """A value as it is shown: as a picture, or as text."""

    text: str
    image: str | None = None


def _cells(table: pa.Table, place: int, *, burned_in: bool) -> list[_Cell]:
    """Return the cells of one row; names of columns need not be different."""
    row = [column[place].as_py() for column in table.columns]
    by_name = dict(zip(table.column_names, row, strict=True))
    telling = HIDDEN if by_name.keys() >= set(HIDDEN) else TELLING
    shown = burned_in or may_be_shown(*(by_name.get(name) for name in telling))
    return [_cell(name, value, shown=shown) for name, value in zip(table.column_names, row, strict=True)]


def _cell(name: str, value: Any, *, shown: bool) -> _Cell:
    if name != IMAGE or not isinstance(value, bytes):
        return _Cell(cell(value, CELL))
    if not shown:
        return _Cell("not shown")
    media = next((kind for start, kind in _MEDIA_TYPES.items() if value.startswith(start)), None)
    if media is None:
        return _Cell(cell(value, CELL))
    return _Cell("", f"data:{media};base64,{base64.b64encode(value).decode()}")

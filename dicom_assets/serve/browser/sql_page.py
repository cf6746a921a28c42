"""Queries in people's own words: what the command line answers, bounded, as a page or a file.

The engine reaches the tables and nothing else: no file, no address, no setting, no extension, and nothing is written
(:mod:`dicom_assets.query.engine`). Time and memory are those of the site.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from uuid import uuid4

import duckdb
import pyarrow as pa

from dicom_assets.query.errors import QueryError, one_line
from dicom_assets.query.fixed import FixedCatalog
from dicom_assets.query.formats import Format, write
from dicom_assets.query.spreadsheet import Spreadsheet
from dicom_assets.serve.browser.formats import anything
from dicom_assets.serve.browser.selection import SelectionError
from dicom_assets.storage.scratch import scratch_folder

SHOWN_ROWS = 500
"""Rows on the page."""
FILE_ROWS = 1_000_000
"""Rows of a file."""
_SHOWN_COLUMNS = 200
_LONGEST_QUERY = 12_000
_KEYS = ("prefix", "path")

EXAMPLES: tuple[tuple[str, str], ...] = (
    ("Files by modality", "SELECT Modality, count(*) AS files, sum(size) AS bytes\nFROM object_catalog GROUP BY ALL"),
    (
        "Chest CT series with thin slices",
        (
            "SELECT PatientID, StudyDate, SeriesDescription, slices, slice_spacing\nFROM all_series\n"
            "WHERE Modality = 'CT' AND is_volume AND slice_spacing <= 1.5\nORDER BY StudyDate DESC"
        ),
    ),
    ("What is wrong, and how often", "SELECT status, reason, count(*) AS files FROM problems GROUP BY ALL"),
    (
        "Any attribute, by its name",
        (
            "SELECT path, dicom(header, 'StationName') AS station, dicom_number(header, 'KVP') AS kvp\n"
            "FROM object_catalog WHERE Modality = 'CT' LIMIT 100"
        ),
    ),
    ("Files that share their UID", "SELECT likeness, count(*) AS files FROM duplicates GROUP BY ALL"),
)


class AnswerError(SelectionError):
    """A query has no answer; the message says why."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What a query gave.

    Attributes
    ----------
    names, types
        Of the columns.
    numeric
        Which of them are numbers.
    rows
        Values as texts, at most :data:`SHOWN_ROWS`.
    files
        For each row the path and prefix of the file it is of, where it has both; else ``None``.
    is_cut
        Whether there are more rows.

    """

    names: tuple[str, ...]
    types: tuple[str, ...]
    numeric: tuple[bool, ...]
    rows: tuple[tuple[str, ...], ...]
    files: tuple[tuple[str, str] | None, ...]
    is_cut: bool


def answer(catalog: FixedCatalog, query: str) -> Answer:
    """Return the first rows of an answer; raises :class:`AnswerError`."""
    table = _read(_asked(catalog, query), SHOWN_ROWS + 1)
    shown = table.slice(0, SHOWN_ROWS)
    names = tuple(shown.column_names[:_SHOWN_COLUMNS])
    columns = [[anything(found) for found in shown.column(place).to_pylist()] for place in range(len(names))]
    types = [shown.schema.field(place).type for place in range(len(names))]
    return Answer(
        names,
        tuple(map(str, types)),
        tuple(map(_is_numeric, types)),
        tuple(zip(*columns, strict=True)) if columns else (),
        tuple(_files(shown)),
        table.num_rows > SHOWN_ROWS,
    )


def answer_file(catalog: FixedCatalog, query: str, form: Format) -> Path:
    """Write the answer to a temporary file, which is the caller's to remove; raises :class:`AnswerError`.

    In CSV, texts that a spreadsheet would take for formulas are defused: a browser opens such files with one.
    """
    relation = _asked(catalog, query)
    target = scratch_folder() / f"answer-{uuid4().hex}.{form}"
    try:
        write(relation.limit(FILE_ROWS), form, target, Spreadsheet(safe=True))
    except QueryError as error:
        raise AnswerError(str(error)) from error
    except duckdb.Error as error:
        raise AnswerError(one_line(error)) from error
    return target


def _asked(catalog: FixedCatalog, query: str) -> duckdb.DuckDBPyRelation:
    if len(query) > _LONGEST_QUERY:
        raise AnswerError(f"a query of more than {_LONGEST_QUERY} characters is not taken")
    try:
        return catalog.sql(query)
    except QueryError as error:
        raise AnswerError(str(error)) from error


def _read(relation: duckdb.DuckDBPyRelation, most: int) -> pa.Table:
    try:
        return relation.limit(most).to_arrow_table()
    except (duckdb.Error, pa.ArrowException, OSError) as error:
        raise AnswerError(one_line(error)) from error


def _is_numeric(type_: pa.DataType) -> bool:
    return any(is_a(type_) for is_a in (pa.types.is_integer, pa.types.is_floating, pa.types.is_decimal))


def _files(shown: pa.Table) -> Sequence[tuple[str, str] | None]:
    """Return which file each row is of."""
    if any(
        shown.column_names.count(name) != 1 or not pa.types.is_string(shown.schema.field(name).type) for name in _KEYS
    ):
        return [None] * shown.num_rows
    prefixes, paths = (shown[name].to_pylist() for name in _KEYS)
    return [None if path is None else (path, prefix or "") for prefix, path in zip(prefixes, paths, strict=True)]

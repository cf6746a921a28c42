"""What is wrong with a query, in one line, in the terms of a catalog rather than those of DuckDB."""

import re
from collections.abc import Callable, Collection, Mapping
from contextlib import suppress
from difflib import SequenceMatcher

import duckdb

from dicom_assets.dicom.header.attribute_path import nearest_keywords
from dicom_assets.extract.model import CATALOG_NAME
from dicom_assets.query.errors import one_line
from dicom_assets.query.references import fold, references
from dicom_assets.query.relations import Relations
from dicom_assets.query.sql_text import identifier
from dicom_assets.tables import KEY

_ALIKE = 0.85
"""So alike are a keyword and its misspelling; columns and keywords that have nothing to do with each other are less."""
_HEADER = "header"
_KEYS = (KEY, "SOPInstanceUID", "SeriesInstanceUID", "StudyInstanceUID", "PatientID")
"""By which rows are found that belong to files, the narrowest first."""
_NO_TABLE = re.compile(r"Catalog Error: Table with name (\S+) does not exist")
_NO_COLUMN = re.compile(
    r'Binder Error: (?:Referenced column "(?P<referenced>[^"]+)" not found|'
    r'.* does not have a column named "(?P<named>[^"]+)")'
)


def explain(
    error: duckdb.Error, columns: Callable[[], Collection[str]], relations: Relations, absent: Mapping[str, str]
) -> str:
    """Return what is wrong with a query.

    Parameters
    ----------
    error
        What DuckDB says.
    columns
        Asked for the columns of all that the query reads, where one is not there.
    relations
        The tables and views that there are: told when a query names one that is not there.
    absent
        Why the query did not get some views, by their names.

    """
    message = one_line(error)
    if isinstance(error, duckdb.PermissionException):
        denied = message.partition(" - file system operations")[0].removeprefix("Permission Error: ")
        return f"{denied}: name its folder with --allow-files, or give --unsafe"
    if isinstance(error, duckdb.InterruptException):
        return "the query took longer than it may"
    if isinstance(error, duckdb.CatalogException) and message.startswith("Catalog Error: Table"):
        return _no_table(message, relations, absent)
    if isinstance(error, duckdb.BinderException) and (found := _NO_COLUMN.match(message)):
        return _no_column(found["referenced"] or found["named"], message, columns())
    return message


def _no_table(message: str, relations: Relations, absent: Mapping[str, str]) -> str:
    """Return which tables exist, or why a view does not."""
    named = _NO_TABLE.match(message)
    if named and (reason := absent.get(fold(named[1]))):
        return reason
    # DuckDB's own suggestion may be one of its system tables.
    views = ", ".join(view.name for view in relations.readable())
    return f"{message.partition(' Did you mean')[0]} Tables here: {', '.join(relations.tables)}." + (
        f" Views: {views}." if views else ""
    )


def columns_of(connection: duckdb.DuckDBPyConnection, query: str, relations: Relations) -> frozenset[str]:
    """Return the columns of the tables and views that a query reads, of those that the engine has got."""
    found: set[str] = set()
    for name in references(connection, query, (*relations.tables, *relations.views, *relations.given)).tables:
        with suppress(duckdb.Error):  # a view that lacks a table
            found.update(connection.sql(f"FROM {identifier(name)}").columns)
    return frozenset(found)


def _no_column(name: str, message: str, columns: Collection[str]) -> str:
    """Return what to do about a column that is not there: an attribute without one is in the headers of files."""
    near = nearest_keywords(name)
    if not near or SequenceMatcher(None, name.lower(), near[0].lower()).ratio() < _ALIKE:
        return message
    keyword = near[0]
    if f'"{keyword}"' in message.partition("Candidate bindings:")[2]:
        return message
    there = "the header" if _HEADER in columns else "the headers of files"
    meant = f"is in {there}" if keyword == name else f"may be meant for {keyword}, which is in {there}"
    return f"there is no column {name}; it {meant}: {_where_it_is(keyword, columns)}"


def _where_it_is(keyword: str, columns: Collection[str]) -> str:
    """Return the expression of an attribute: in a query of no headers, one that finds the rows by those of files."""
    word = f"dicom({_HEADER}, '{keyword}')"
    if _HEADER in columns:
        return word
    key = next((key for key in _KEYS if key in columns), None)
    if key is None:
        return f"{word} in a query of {CATALOG_NAME}"
    return f"{key} IN (SELECT {key} FROM {CATALOG_NAME} WHERE {word} = '...')"  # noqa: S608 - a text to read

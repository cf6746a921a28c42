"""What is wrong with a query, in one line, in the terms of a catalog rather than those of DuckDB."""

import re
from collections.abc import Mapping
from difflib import SequenceMatcher

import duckdb

from dicom_assets.dicom.header.attribute_path import nearest_keywords
from dicom_assets.query.errors import one_line
from dicom_assets.query.references import fold
from dicom_assets.query.relations import Relations

_ALIKE = 0.85
"""So alike are a keyword and its misspelling; columns and keywords that have nothing to do with each other are less."""
_NO_TABLE = re.compile(r"Catalog Error: Table with name (\S+) does not exist")
_NO_COLUMN = re.compile(
    r'Binder Error: (?:Referenced column "(?P<referenced>[^"]+)" not found|'
    r'.* does not have a column named "(?P<named>[^"]+)")'
)


def explain(error: duckdb.Error, relations: Relations, absent: Mapping[str, str]) -> str:
    """Return what is wrong with a query.

    Parameters
    ----------
    error
        What DuckDB says.
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
        return _no_column(found["referenced"] or found["named"], message)
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


def _no_column(name: str, message: str) -> str:
    """Return what to do about a column that is not there: an attribute without one is in the header."""
    near = nearest_keywords(name)
    if not near or SequenceMatcher(None, name.lower(), near[0].lower()).ratio() < _ALIKE:
        return message
    keyword = near[0]
    if f'"{keyword}"' in message.partition("Candidate bindings:")[2]:
        return message
    meant = "is in the header" if keyword == name else f"may be meant for {keyword}, which is in the header"
    return f"there is no column {name}; it {meant}: dicom(header, '{keyword}')"

"""The words that a query can be made of: tables and views, their columns, keywords of DICOM, words of SQL."""

import re
from collections.abc import Iterable
from functools import cache

import duckdb
from pydicom.datadict import keyword_dict

from dicom_assets.errors import DicomAssetsError
from dicom_assets.query.database import Catalog
from dicom_assets.query.sql_text import identifier

_PLAIN = re.compile(r"[A-Za-z_]\w*")


class Vocabulary:
    """What a catalog offers, looked up once and only when it is asked for.

    A catalog that cannot be read has no words: who completes a query is not interrupted by errors.

    Parameters
    ----------
    catalog
        Whose tables.

    """

    def __init__(self, catalog: Catalog) -> None:
        self._catalog = catalog
        self._relations: tuple[str, ...] | None = None
        self._columns: dict[str, tuple[str, ...]] = {}

    @property
    def relations(self) -> tuple[str, ...]:
        """Names of the tables and views."""
        if self._relations is None:
            try:
                rows = self._catalog.sql("SHOW TABLES").fetchall()
            except (DicomAssetsError, duckdb.Error):
                return ()
            self._relations = tuple(row[0] for row in rows)
        return self._relations

    def columns(self, relation: str) -> tuple[str, ...]:
        """Return the columns of a table or view, none where there is no such."""
        if relation not in self._columns:
            try:
                found = self._catalog.sql(f"SELECT * FROM {quoted(relation)} LIMIT 0").columns  # noqa: S608 - quoted
            except (DicomAssetsError, duckdb.Error):
                return ()
            self._columns[relation] = tuple(found)
        return self._columns[relation]

    def mentioned(self, words: Iterable[str]) -> tuple[str, ...]:
        """Return the tables and views among some words."""
        folded = {word.casefold() for word in words}
        return tuple(name for name in self.relations if name.casefold() in folded)


@cache
def keywords() -> tuple[str, ...]:
    """Return all keywords of the DICOM dictionary (PS3.6), in order."""
    return tuple(sorted(keyword for keyword in keyword_dict if keyword))


@cache
def reserved_words() -> frozenset[str]:
    """Return the words of SQL that cannot be names, in lower case."""
    query = "SELECT keyword_name FROM duckdb_keywords() WHERE keyword_category IN ('reserved', 'type_function')"
    with duckdb.connect() as connection:
        return frozenset(row[0] for row in connection.execute(query).fetchall())


def quoted(name: str) -> str:
    """Return a name as SQL needs it: in quotes where it is not a plain word."""
    if _PLAIN.fullmatch(name) and name.lower() not in reserved_words():
        return name
    return identifier(name)

"""From a selection to SQL: a condition on ``object_catalog`` with bound values.

Only the condition that a user wrote is text of the query, on lines of its own. It is checked alone before: it has to be
part of one statement that reads. The engine itself reaches nothing but the tables.
"""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date
from typing import Any

from dicom_assets.extract.model import CATALOG_NAME
from dicom_assets.query.errors import QueryError
from dicom_assets.query.file_views import FINE
from dicom_assets.query.fixed import FixedCatalog
from dicom_assets.query.row_query import RowQuery
from dicom_assets.query.sql_text import literal
from dicom_assets.serve.browser.facet import FACETS, Facet
from dicom_assets.serve.browser.selection import Level, Selection, SelectionError
from dicom_assets.serve.remembered import Remembered

SCOPE_COLUMNS = {"patient": "PatientID", "study": "StudyInstanceUID", "series": "SeriesInstanceUID"}
"""Columns that tell which patient, study or series a file is of."""
WORDY = (
    "relative_path",
    "PatientName",
    "PatientID",
    "AccessionNumber",
    "StudyDescription",
    "SeriesDescription",
    "ProtocolName",
    "InstitutionName",
    "ReferringPhysicianName",
)
"""Columns that words are searched in."""
UIDS = ("StudyInstanceUID", "SeriesInstanceUID", "SOPInstanceUID")
"""Columns that words of digits and points are searched in, too."""
_OF_A_UID = re.compile(r"[0-9.]+")
_WHOLE_UID = re.compile(r"[0-9]+(\.[0-9]+){3,}")
_MONTH = re.compile(r"(\d{4})-(0[1-9]|1[0-2])")
_MOST_WORDS = 8
_LAST_YEAR = 9999
_HELD: Remembered[None] = Remembered(100)
"""Conditions that were tried on a version of ``object_catalog``, and hold."""


class ConditionError(SelectionError):
    """The condition that a user wrote is none on ``object_catalog``."""


class Bound:
    """The values of a query that is being made, in the order of their numbers."""

    def __init__(self, values: Iterable[Any] = ()) -> None:
        self._values: list[Any] = list(values)

    def __call__(self, value: Any) -> str:
        """Take in a value, and return its parameter."""
        self._values.append(value)
        return f"${len(self._values)}"

    def among(self, column: str, values: Iterable[str]) -> str:
        """Return the condition that a column has one of some values."""
        return f"{column} IN ({', '.join(map(self, values))})"

    @property
    def values(self) -> tuple[Any, ...]:
        """What was taken in."""
        return tuple(self._values)


class _Written(Bound):
    """Values that stand in the text itself."""

    def __call__(self, value: Any) -> str:
        return f"DATE '{value}'" if isinstance(value, date) else literal(str(value))


@dataclass(frozen=True, slots=True)
class Condition:
    """A condition, and the values of its parameters, ``$1`` and on."""

    sql: str
    values: tuple[Any, ...]


def condition_of(catalog: FixedCatalog, selection: Selection, *, with_facets: bool = True) -> Condition:
    """Return what the files of a selection meet.

    Parameters
    ----------
    catalog
        Tells which columns there are: an older catalog lacks some.
    selection
        Which files.
    with_facets
        Take in the chosen facets; without them it is what facets are counted of.

    Raises
    ------
    ConditionError
        The selection has a condition that does not hold on this catalog.
    SelectionError
        A value cannot be one of its facet.

    """
    bound = Bound()
    return Condition(_sql(_parts(catalog, selection, bound, with_facets=with_facets)), bound.values)


def condition_text(catalog: FixedCatalog, selection: Selection) -> str:
    """Return the same with its values in it, for people to go on with."""
    return _sql(_parts(catalog, selection, _Written(), with_facets=True))


def facets_of(selection: Selection, after: Condition) -> Condition:
    """Return the condition of the chosen facets alone; its values are those of another condition, and then its own."""
    bound = Bound(after.values)
    return Condition(_sql(_facets(selection, bound)), bound.values)


def check_where(catalog: FixedCatalog, where: str) -> None:
    """Refuse what is no condition on ``object_catalog``; raises :class:`ConditionError` with the reason.

    A page asks several times for its condition: one that held on a version of the table is not tried again.
    """
    _HELD.get(catalog.fixed.get(CATALOG_NAME), where, lambda: _try(catalog, where))


def _try(catalog: FixedCatalog, where: str) -> None:
    try:
        catalog.sql(RowQuery(CATALOG_NAME, where, "path", limit=1).sql)
    except QueryError as error:
        raise ConditionError(str(error)) from error


def _sql(parts: Iterable[str]) -> str:
    return "\nAND ".join(parts) or "true"


def _parts(catalog: FixedCatalog, selection: Selection, bound: Bound, *, with_facets: bool) -> Iterator[str]:
    known = catalog.columns(CATALOG_NAME)
    if "removed_at" in known:
        yield "removed_at IS NULL"
    for name, value in selection.scope:
        yield f"{SCOPE_COLUMNS[name]} = {bound(value)}"
    if selection.level is Level.PROBLEMS:
        yield f"status NOT IN ({', '.join(map(literal, FINE))})"
    yield from _words(known, selection.text, bound)
    if with_facets:
        yield from _facets(selection, bound)
    if selection.where:
        check_where(catalog, selection.where)
        yield f"(\n{selection.where}\n)"


def _facets(selection: Selection, bound: Bound) -> Iterator[str]:
    for facet in FACETS:
        if chosen := selection.chosen(facet.name):
            yield _of_facet(facet, chosen, bound)


def _words(known: frozenset[str], text: str, bound: Bound) -> Iterator[str]:
    """Yield a part for each word: some text of the file holds it, in any case."""
    words = text.split()
    if len(words) > _MOST_WORDS:
        raise SelectionError(f"more than {_MOST_WORDS} words are searched for")
    for word in words:
        value = bound(word.lower())
        # Other words are no part of a UID: these columns need not be read for them.
        uids = [name for name in UIDS if name in known] if _OF_A_UID.fullmatch(word) else []
        if _WHOLE_UID.fullmatch(word):
            yield f"({' OR '.join([*(f'{name} = {value}' for name in uids), f'contains(relative_path, {value})'])})"
        else:
            columns = [*(name for name in WORDY if name in known), *uids]
            yield f"({' OR '.join(f'contains(lower({name}), {value})' for name in columns)})"


def _of_facet(facet: Facet, chosen: tuple[str, ...], bound: Bound) -> str:
    stated = [value for value in chosen if value]
    if facet.is_month:
        alternatives = [_of_month(facet, value, bound) for value in stated]
    else:
        alternatives = [bound.among(facet.column, stated)] if stated else []
    if "" in chosen:
        alternatives.append(f"{facet.column} IS NULL" if facet.is_month else f"coalesce({facet.column}, '') = ''")
    return f"({' OR '.join(alternatives)})"


def _of_month(facet: Facet, value: str, bound: Bound) -> str:
    month = _MONTH.fullmatch(value)
    if month is None or not 0 < int(month[1]) < _LAST_YEAR:
        raise SelectionError("a month is written as 2024-01")
    year, number = int(month[1]), int(month[2])
    first, following = date(year, number, 1), date(year + number // 12, number % 12 + 1, 1)
    return f"{facet.column} >= {bound(first)} AND {facet.column} < {bound(following)}"

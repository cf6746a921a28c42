"""From a selection to SQL: a condition on ``object_catalog`` with bound values.

Only the condition that a user wrote is text of the query, on lines of its own. It is checked alone before: it has to be
part of one statement that reads. The engine itself reaches nothing but the tables.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
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

SCOPE_COLUMNS = {"patient": "PatientID", "study": "StudyInstanceUID", "series": "SeriesInstanceUID"}
"""Columns that tell which patient, study or series a file is of."""
_WORDY = (
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
_UIDS = ("StudyInstanceUID", "SeriesInstanceUID", "SOPInstanceUID")
_OF_A_UID = re.compile(r"[0-9.]+")
_WHOLE_UID = re.compile(r"[0-9]+(\.[0-9]+){3,}")
_MONTH = re.compile(r"(\d{4})-(0[1-9]|1[0-2])")
_MOST_WORDS = 8


class ConditionError(SelectionError):
    """The condition that a user wrote is none on ``object_catalog``."""


@dataclass(frozen=True, slots=True)
class Condition:
    """A condition, and the values of its parameters by name."""

    sql: str = "true"
    values: Mapping[str, Any] = field(default_factory=dict)

    @property
    def text(self) -> str:
        """The condition with its values in it, for people to go on with."""
        return re.sub(
            r"\$(\w+)", lambda found: _written(self.values[found[1]]) if found[1] in self.values else found[0], self.sql
        )


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
    known = catalog.columns(CATALOG_NAME)
    parts: list[str] = []
    values: dict[str, Any] = {}
    for part, bound in _parts(known, selection, with_facets=with_facets):
        parts.append(part)
        values |= bound
    if selection.where:
        check_where(catalog, selection.where)
        parts.append(f"(\n{selection.where}\n)")
    return Condition("\nAND ".join(parts) or "true", values)


def check_where(catalog: FixedCatalog, where: str) -> None:
    """Refuse what is no condition on ``object_catalog``; raises :class:`ConditionError` with the reason."""
    try:
        catalog.sql(RowQuery(CATALOG_NAME, where, "path", limit=1).sql)
    except QueryError as error:
        raise ConditionError(str(error)) from error


Part = tuple[str, Mapping[str, Any]]


def _parts(known: frozenset[str], selection: Selection, *, with_facets: bool) -> Iterator[Part]:
    if "removed_at" in known:
        yield "removed_at IS NULL", {}
    for name, value in selection.scope:
        yield f"{SCOPE_COLUMNS[name]} = ${name}", {name: value}
    if selection.level is Level.PROBLEMS:
        yield f"status NOT IN ({', '.join(map(literal, FINE))})", {}
    yield from _words(known, selection.text)
    for facet in FACETS if with_facets else ():
        if chosen := selection.chosen(facet.name):
            yield _of_facet(facet, chosen)


def _words(known: frozenset[str], text: str) -> Iterator[Part]:
    """Yield a part for each word: some text of the file holds it, in any case."""
    words = text.split()
    if len(words) > _MOST_WORDS:
        raise SelectionError(f"more than {_MOST_WORDS} words are searched for")
    for number, word in enumerate(words):
        name = f"word{number}"
        # Other words are no part of a UID: these columns need not be read for them.
        uids = _UIDS if _OF_A_UID.fullmatch(word) else ()
        if _WHOLE_UID.fullmatch(word):
            equal = " OR ".join(f"{uid} = ${name}" for uid in uids if uid in known)
            yield f"({equal or 'false'} OR contains(relative_path, ${name}))", {name: word}
            continue
        found = [f"contains(lower({column}), ${name})" for column in (*_WORDY, *uids) if column in known]
        yield f"({' OR '.join(found)})", {name: word.lower()}


def _of_facet(facet: Facet, chosen: Iterable[str]) -> Part:
    values = {f"{facet.name}{number}": value for number, value in enumerate(value for value in chosen if value)}
    if facet.is_month:
        alternatives, values = _months(facet, values)
    else:
        alternatives = [f"{facet.column} IN ({', '.join(f'${name}' for name in values)})"] if values else []
    if "" in chosen:
        alternatives.append(f"{facet.column} IS NULL" if facet.is_month else f"coalesce({facet.column}, '') = ''")
    return f"({' OR '.join(alternatives)})", values


def _months(facet: Facet, values: Mapping[str, Any]) -> tuple[list[str], dict[str, Any]]:
    alternatives: list[str] = []
    bound: dict[str, Any] = {}
    for name, value in values.items():
        month = _MONTH.fullmatch(value)
        if month is None or not 0 < int(month[1]) < 9999:
            raise SelectionError("a month is written as 2024-01")
        year, number = int(month[1]), int(month[2])
        bound[f"{name}a"] = date(year, number, 1)
        bound[f"{name}b"] = date(year + number // 12, number % 12 + 1, 1)
        alternatives.append(f"{facet.column} >= ${name}a AND {facet.column} < ${name}b")
    return alternatives, bound


def _written(value: Any) -> str:
    return f"DATE '{value}'" if isinstance(value, date) else literal(str(value))

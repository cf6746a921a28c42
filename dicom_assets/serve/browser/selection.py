"""What is looked at: a level, and which files. It is a value, and its query string is a link to the cohort."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import TypeVar
from urllib.parse import urlencode

from dicom_assets.serve.errors import RequestError

PAGE_ROWS = 60
"""Results on a page."""
MOST_RESULTS = 100_000
"""Results that can be leafed through; who needs others narrows the selection, or asks in SQL."""
_LONGEST_TEXT, _LONGEST_WHERE = 200, 4_000
_NO_PATIENT = "PatientID IS NULL"
_MOST_VALUES = 60
_Member = TypeVar("_Member", bound=StrEnum)


class SelectionError(RequestError):
    """A link says something that no page has."""


class Level(StrEnum):
    """What the rows of a list are."""

    PATIENTS = "patients"
    """One row a Patient ID."""
    STUDIES = "studies"
    """One row a Study Instance UID."""
    SERIES = "series"
    """One row a Series Instance UID."""
    FILES = "files"
    """One row a file."""
    PROBLEMS = "problems"
    """One row a file that is not as it should be."""


class View(StrEnum):
    """How rows are shown."""

    GRID = "grid"
    """Thumbnails."""
    TABLE = "table"
    """A line each."""


FACET_NAMES = ("modality", "body", "manufacturer", "month", "status", "syntax")
"""By which files can be narrowed, as query strings spell them."""
SCOPE_NAMES = ("patient", "study", "series")
"""Entities whose files alone are looked at, the widest first."""


@dataclass(frozen=True, slots=True)
class Selection:
    """What is looked at.

    Attributes
    ----------
    level
        What the rows are.
    facets
        Pairs of a name of :data:`FACET_NAMES` and a value, in the order of the names; the empty value stands for files
        that state none. Values of one facet add up, facets narrow each other.
    scope
        Pairs of a name of :data:`SCOPE_NAMES` and a Patient ID or UID.
    text
        Words that files match, all of them.
    where
        Condition in SQL on ``object_catalog``.
    sort
        What rows are ordered by, with ``-`` before it for the other way; empty for the order of the level.
    view
        How rows are shown; ``None`` for the way of the level.
    page
        From 1.

    """

    level: Level = Level.STUDIES
    facets: tuple[tuple[str, str], ...] = ()
    scope: tuple[tuple[str, str], ...] = ()
    text: str = ""
    where: str = ""
    sort: str = ""
    view: View | None = None
    page: int = 1

    @classmethod
    def parse(cls, pairs: Iterable[tuple[str, str]]) -> "Selection":
        """Return the selection of a query string, by its names and values; raises :class:`SelectionError`.

        A name that is unknown is refused: without it, the link would show other files than it was made for.
        """
        single: dict[str, str] = {}
        facets: list[tuple[str, str]] = []
        for name, value in pairs:
            _check_value(value)
            if name in FACET_NAMES:
                facets.append((name, value))
            elif name in SCOPE_NAMES or name in {"level", "q", "where", "sort", "view", "page"}:
                single[name] = value
            else:
                raise SelectionError(f"there is no filter of this name; filters are {', '.join(FACET_NAMES)}")
        if len(facets) > _MOST_VALUES:
            raise SelectionError(f"more than {_MOST_VALUES} values are chosen; ask for them in SQL")
        return cls(
            level=_member(Level, single.get("level") or Level.STUDIES),
            facets=_ordered(facets),
            scope=tuple((name, single[name]) for name in SCOPE_NAMES if single.get(name)),
            text=_bounded("the text that is searched for", " ".join(single.get("q", "").split()), _LONGEST_TEXT),
            where=_bounded("the condition", single.get("where", "").strip(), _LONGEST_WHERE),
            sort=single.get("sort", ""),
            view=_member(View, single["view"]) if single.get("view") else None,
            page=_page(single.get("page") or "1"),
        )

    @property
    def shown_as(self) -> View:
        """How rows are shown: studies and patients have no picture of their own."""
        if self.level in {Level.PATIENTS, Level.STUDIES, Level.PROBLEMS}:
            return View.TABLE
        return self.view or View.GRID

    @property
    def offset(self) -> int:
        """Rows before the page."""
        return (self.page - 1) * PAGE_ROWS

    @property
    def is_everything(self) -> bool:
        """Whether nothing is left out."""
        return not (self.facets or self.scope or self.text or self.where)

    def pairs(self) -> list[tuple[str, str]]:
        """Return the names and values of the query string; what is as usual is left out."""
        told = [
            ("level", "" if self.level is Level.STUDIES else self.level),
            ("q", self.text),
            ("where", self.where),
            ("sort", self.sort),
            ("view", self.view or ""),
            ("page", "" if self.page == 1 else str(self.page)),
        ]
        first, *others = [(name, str(value)) for name, value in told]
        return (
            [pair for pair in (first, *self.scope) if pair[1]] + [*self.facets] + [pair for pair in others if pair[1]]
        )

    def link(self, path: str = "/") -> str:
        """Return the address that shows it, below the path of a page."""
        pairs = self.pairs()
        return f"{path}?{urlencode(pairs, errors='replace')}" if pairs else path

    def at(self, page: int) -> "Selection":
        """Return another page of it."""
        return replace(self, page=page)

    def on(self, level: Level) -> "Selection":
        """Return the same files at another level."""
        return replace(self, level=level, sort="", page=1)

    def within(self, name: str, value: str, level: Level) -> "Selection":
        """Return the rows of a level below one patient, study or series."""
        kept = [pair for pair in self.scope if pair[0] != name]
        scope = sorted([*kept, (name, value)], key=lambda pair: SCOPE_NAMES.index(pair[0]))
        return replace(self, scope=tuple(scope), level=level, sort="", page=1)

    def without_scope(self, name: str) -> "Selection":
        """Return the same without one of the entities that it is narrowed to."""
        return replace(self, scope=tuple(pair for pair in self.scope if pair[0] != name), page=1)

    def toggled(self, facet: str, value: str) -> "Selection":
        """Return it with a value of a facet chosen, or without that value where it was."""
        pair = (facet, value)
        facets = [one for one in self.facets if one != pair] if pair in self.facets else [*self.facets, pair]
        return replace(self, facets=_ordered(facets), page=1)

    def sorted_by(self, name: str) -> "Selection":
        """Return it in the order of a column; a second time, in the other direction."""
        return replace(self, sort=f"-{name}" if self.sort == name else name, page=1)

    def narrowed(self, facet: str, value: str) -> "Selection":
        """Return it with one value of a facet, whatever others were chosen."""
        kept = [pair for pair in self.facets if pair[0] != facet]
        return replace(self, facets=_ordered([*kept, (facet, value)]), page=1)

    def searched(self, text: str) -> "Selection":
        """Return it with other words that are searched for."""
        return replace(self, text=text, page=1)

    def asked(self, where: str) -> "Selection":
        """Return it with another condition in SQL."""
        return replace(self, where=where, page=1)

    def nameless(self) -> "Selection":
        """Return those of its files that state no Patient ID."""
        where = f"({self.where}) AND {_NO_PATIENT}" if self.where else _NO_PATIENT
        return replace(self.on(Level.FILES), where=where)

    def shown(self, view: View) -> "Selection":
        """Return it shown in another way."""
        return replace(self, view=view)

    def chosen(self, facet: str) -> tuple[str, ...]:
        """Return the values of a facet that are chosen."""
        return tuple(value for name, value in self.facets if name == facet)


def _ordered(facets: Iterable[tuple[str, str]]) -> tuple[tuple[str, str], ...]:
    """Return pairs in one order, each once: two links to one cohort are equal."""
    return tuple(sorted(dict.fromkeys(facets), key=lambda pair: (FACET_NAMES.index(pair[0]), pair[1])))


def _check_value(value: str) -> None:
    if not value.isascii() and value != value.encode(errors="ignore").decode():
        raise SelectionError("the link holds bytes that are no UTF-8")


def _bounded(what: str, text: str, longest: int) -> str:
    if len(text) > longest:
        raise SelectionError(f"{what} is longer than {longest} characters")
    return text


def _member(kind: type[_Member], value: str) -> _Member:
    try:
        return kind(value)
    except ValueError:
        raise SelectionError(f"there is no such {kind.__name__.lower()}; there are {', '.join(kind)}") from None


def _page(text: str) -> int:
    last = -(-MOST_RESULTS // PAGE_ROWS)
    if not (text.isascii() and text.isdecimal() and len(text) < 10 and 1 <= int(text) <= last):
        raise SelectionError(f"pages are numbered from 1 to {last}")
    return int(text)

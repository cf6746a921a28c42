"""What a query can name, tables of the lake and views on them, and how an engine gets what it does name."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

import duckdb
import pyarrow as pa

from dicom_assets.query.dictionary import DICTIONARY, dictionary_table
from dicom_assets.query.errors import one_line
from dicom_assets.query.references import References, fold, references
from dicom_assets.query.sql_text import identifier
from dicom_assets.query.view import View
from dicom_assets.query.words import define_words

Register = Callable[[str, Callable[[str], bool]], object]
"""Gives an engine a table by its name, with a function that tells which columns a filter may mention."""


@dataclass(frozen=True, slots=True)
class Relations:
    """The tables and views of one catalog.

    Attributes
    ----------
    tables
        Names of the tables that exist.
    views
        Those that no table hides, whether or not they can be read here.
    given
        Tables that this package brings along, unless a table hides them.

    """

    tables: tuple[str, ...]
    views: Mapping[str, View]
    given: Mapping[str, Callable[[], pa.Table]]

    @classmethod
    def of(
        cls, tables: Sequence[str], views: Iterable[View], given: Mapping[str, Callable[[], pa.Table]] | None = None
    ) -> "Relations":
        """Return what can be named beside some tables: a table hides a view of its name, in any case."""
        hidden = {fold(name) for name in tables}
        given = {DICTIONARY: dictionary_table, **(given or {})}
        return cls(
            tuple(tables),
            {view.name: view for view in views if fold(view.name) not in hidden},
            {name: make for name, make in given.items() if fold(name) not in hidden},
        )

    def lacking(self, view: View) -> str | None:
        """Return what a view needs and this catalog does not have, ``None`` when it has all."""
        for need in view.needs:
            if need in self.views:
                if (lacks := self.lacking(self.views[need])) is not None:
                    return lacks
            elif need not in self.tables and need not in self.given:
                return need
        return None

    def readable(self) -> tuple[View, ...]:
        """Return the views whose tables exist, each after those that it needs."""
        return tuple(self.views[name] for name in self._with_needs(self.views) if name in self.views)

    def put(self, connection: duckdb.DuckDBPyConnection, query: str, register: Register) -> Mapping[str, str]:
        """Give an engine what a query names, and return why it does not get some of the views, by their names.

        That is no error yet: where a query cannot be parsed here, a name may be that of a column.

        Parameters
        ----------
        connection
            The engine.
        query
            SQL, which may be wrong.
        register
            Called for each table.

        Raises
        ------
        QueryError
            A word in the query names no attribute.

        """
        found = references(connection, query, (*self.tables, *self.views, *self.given))
        absent = {
            name: f"the view {name} reads the table {lacks}, which this catalog does not have"
            for name in found.tables
            if name in self.views and (lacks := self.lacking(self.views[name])) is not None
        }
        wanted = self._with_needs(found.tables)
        views = [self.views[name] for name in wanted if name in self.views]
        mentions = _any_of([found, *(references(connection, view.sql, ()) for view in views)])
        for name in wanted:
            if name in self.given:
                connection.register(name, self.given[name]())
            elif name not in self.views:
                register(name, mentions)
        define_words(connection, [query, *(view.sql for view in views)])
        for view in views:
            if (failure := _create(connection, view)) is not None:
                absent[view.name] = failure
        return absent

    def _with_needs(self, names: Iterable[str]) -> tuple[str, ...]:
        """Return tables and views with all that they need, before them; without views that lack something."""
        ordered: dict[str, None] = {}
        for name in names:
            view = self.views.get(name)
            if view is None:
                ordered[name] = None
            elif self.lacking(view) is None:
                ordered |= dict.fromkeys(self._with_needs(view.needs))
                ordered[name] = None
        return tuple(ordered)


def _any_of(parts: Sequence[References]) -> Callable[[str], bool]:
    return lambda column: any(part.mentions(column) for part in parts)


def _create(connection: duckdb.DuckDBPyConnection, view: View) -> str | None:
    """Create a view, and return why that is not possible."""
    try:
        connection.execute(f"CREATE TEMP VIEW {identifier(view.name)} AS {view.sql}")
    except (duckdb.BinderException, duckdb.CatalogException) as error:
        return (
            f"the view {view.name} reads columns that the tables of this catalog do not have: bring them up to date "
            f"with `dicom-assets catalog` ({one_line(error)})"
        )
    return None

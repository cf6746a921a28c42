"""A catalog whose tables stay at the versions that they were loaded at, for who answers from one state of all."""

import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import Any

import duckdb
import pyarrow as pa
from deltalake import DeltaTable

from dicom_assets.delta.location import TableLocation
from dicom_assets.query.database import Catalog
from dicom_assets.query.dataset import as_dataset
from dicom_assets.query.errors import CatalogError, QueryError, one_line
from dicom_assets.query.relations import Relations
from dicom_assets.query.scans import TableDataset
from dicom_assets.query.views import VIEWS


class FixedTable:
    """One version of one table, and what is remembered of its data files.

    Parameters
    ----------
    location, delta
        Of the table, loaded at the version.

    Attributes
    ----------
    delta
        The table.

    """

    def __init__(self, location: TableLocation, delta: DeltaTable) -> None:
        self._location, self.delta = location, delta
        self._lock = threading.Lock()
        self._columns: frozenset[str] = frozenset()
        self._dataset: TableDataset | None = None

    def dataset(self, wanted: Callable[[str], bool]) -> TableDataset:
        """Return the rows for DuckDB; `wanted` tells whether a column may occur in a filter."""
        with self._lock:
            columns = self._columns.union(one.name for one in self.delta.schema().fields if wanted(one.name))
            if self._dataset is None or columns != self._columns:
                self._dataset = as_dataset(self._location, self.delta, columns.__contains__)
                self._columns = columns
            return self._dataset


@dataclass(frozen=True, slots=True)
class FixedCatalog(Catalog):
    """The tables of one catalog as they were loaded, whatever is committed later.

    Data files that were vacuumed meanwhile are gone all the same: a query that needs one fails.

    Attributes
    ----------
    fixed
        The tables, by name in the order of the data flow.

    """

    fixed: Mapping[str, FixedTable] = field(default_factory=dict, repr=False, compare=False)

    @classmethod
    def of(cls, catalog: Catalog, fixed: Mapping[str, FixedTable]) -> "FixedCatalog":
        """Return a catalog at some versions of its tables; it shares the engine of the one that it is made of."""
        made = cls(catalog.lake, engine=catalog.engine, archive=catalog.archive, fixed=fixed)
        object.__setattr__(made, "_open", catalog._open)  # noqa: SLF001 - of the class that this one extends
        return made

    @property
    def versions(self) -> Mapping[str, int]:
        """Version of each table."""
        return {name: table.delta.version() for name, table in self.fixed.items()}

    def columns(self, table: str) -> frozenset[str]:
        """Return the names of the columns of a table, none where there is no such table: an older lake has fewer."""
        found = self.fixed.get(table)
        return frozenset() if found is None else frozenset(one.name for one in found.delta.schema().fields)

    def tables(self) -> tuple[str, ...]:
        """Return the names of the tables."""
        return tuple(self.fixed)

    def open_table(self, location: TableLocation) -> DeltaTable:
        """Return a table as it was loaded; raises :class:`CatalogError` where there was none."""
        name = location.uri.rpartition("/")[2]
        if name not in self.fixed:
            raise CatalogError(f"there is no table {name} yet: bring the catalog up to date")
        return self.fixed[name].delta

    def ask(self, query: str, values: Sequence[Any] = ()) -> pa.Table:
        """Return the answer to a query of this package.

        Parameters
        ----------
        query
            One statement. The text is trusted: nothing that a user wrote may be part of it.
        values
            Bound to its parameters, each a ``?``.

        Raises
        ------
        QueryError
            The tables lack a column, a data file is gone, or the query took too long.

        """
        with _one_line():
            return self._run(query, values, self.engine.seconds).to_arrow_table()

    def stream(
        self, query: str, values: Sequence[Any] = (), *, rows: int = 256, seconds: float = 3600.0
    ) -> Iterator[list[dict[str, Any]]]:
        """Yield the rows of an answer some at a time, as they are read; else as :meth:`ask`.

        Parameters
        ----------
        query, values
            As for :meth:`ask`.
        rows
            How many at a time.
        seconds
            Until the last of them is to be taken.

        """
        with _one_line():
            for batch in self._run(query, values, seconds).to_arrow_reader(rows):
                yield batch.to_pylist()

    def _run(self, query: str, values: Sequence[Any], seconds: float | None) -> duckdb.DuckDBPyRelation:
        session = self._open.session(replace(self.engine, seconds=seconds))
        relations = Relations.of(self.tables(), VIEWS)
        absent = relations.put(
            session, query, lambda name, mentioned: session.register(name, self._dataset(name, mentioned))
        )
        try:
            return session.sql(query, params=list(values) or None)
        except (duckdb.BinderException, duckdb.CatalogException) as error:
            reason = next((why for name, why in absent.items() if name in query), one_line(error))
            raise QueryError(reason) from error

    def _dataset(self, name: str, mentioned: Callable[[str], bool]) -> TableDataset:
        """Return a table that DuckDB can scan."""
        return self.fixed[name].dataset(mentioned)


@contextmanager
def _one_line() -> Iterator[None]:
    try:
        yield
    except (duckdb.Error, pa.ArrowException, OSError) as error:
        raise QueryError(one_line(error)) from error

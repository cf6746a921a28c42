"""A catalog whose tables stay at the versions that they were loaded at, for who answers from one state of all."""

import threading
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any

import duckdb
import pyarrow as pa
from deltalake import DeltaTable

from dicom_assets.delta.location import TableLocation
from dicom_assets.extract.rollups import ROLLUPS
from dicom_assets.query.database import Catalog
from dicom_assets.query.dataset import as_dataset
from dicom_assets.query.errors import CatalogError, QueryError, one_line
from dicom_assets.query.keeping import Keeper
from dicom_assets.query.kept import Kept
from dicom_assets.query.scans import TableDataset
from dicom_assets.tables import KEY, RUN_ID

_LEVELS = ("Study", "Series", "SOP")
_ROLLUPS = frozenset(table.name for table in ROLLUPS)
_KEPT_FILES = 20_000
_NARROW = "kept_"
"""What the names of columns in memory begin with."""
_TOLD = frozenset({KEY, RUN_ID.name, "status", "PatientID", "StudyDate", *(f"{one}InstanceUID" for one in _LEVELS)})
"""Columns whose statistics are used to skip data files. To prepare them takes time for every file, so it is done once
for a version of a table, and not for each query that mentions other columns."""


class FixedTable:
    """One version of one table, and what is remembered of its data files.

    Parameters
    ----------
    location, delta
        Of the table, loaded at the version.
    before
        Another version of it: what was read of data files that both have is not read again.
    keeper
        Keeps columns of the table in memory.

    Attributes
    ----------
    delta
        The table.

    """

    def __init__(
        self,
        location: TableLocation,
        delta: DeltaTable,
        before: "FixedTable | None" = None,
        keeper: Keeper | None = None,
    ) -> None:
        self._location, self.delta, self._keeper = location, delta, keeper
        self._lock = threading.Lock()
        self._before, self._whole = (None, Kept()) if before is None else before.remembered
        self._dataset: TableDataset | None = None
        self._rows: TableDataset | pa.Table | None = None
        self._narrow: pa.Table | None = None

    def dataset(self) -> TableDataset:
        """Return the data files."""
        with self._lock:
            if self._dataset is None:
                self._dataset = as_dataset(self._location, self.delta, _TOLD.__contains__, self._before)
                self._before = None
            return self._dataset

    def rows(self) -> TableDataset | pa.Table:
        """Return the rows for DuckDB.

        Those of a rollup stay in memory, unless they are many: they are spread over as many files as there are
        prefixes, and to open these takes longer than to read them.
        """
        dataset = self.dataset()
        with self._lock:
            if self._rows is None:
                is_rollup = self._location.uri.rpartition("/")[2] in _ROLLUPS
                self._rows = self._all_of(dataset) if is_rollup and 1 < dataset.file_count <= _KEPT_FILES else dataset
            return self._rows

    def narrow(self) -> pa.Table | None:
        """Return the rows with the columns that are kept in memory; ``None`` where none are, or not yet.

        Raises
        ------
        OSError, pyarrow.ArrowException
            A data file is gone, or cannot be read.

        """
        if self._keeper is not None and self._narrow is None:
            self._narrow = self._keeper.rows(self.dataset())
        return self._narrow

    @property
    def remembered(self) -> tuple[TableDataset | None, Kept]:
        """What another version goes on from: data files that are prepared, and rows of a rollup."""
        return self._dataset or self._before, self._whole

    @property
    def kept(self) -> pa.Table | None:
        """The same, as far as somebody has asked for it."""
        return self._narrow

    def _all_of(self, dataset: TableDataset) -> TableDataset | pa.Table:
        names = dataset.schema.names
        if self._whole.rows is not None and self._whole.rows.column_names != names:
            self._whole = Kept()
        self._whole = self._whole.followed(dataset.fragments, lambda paths: dataset.read(paths, names))
        return dataset if self._whole.rows is None else self._whole.rows


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

    def narrow(self, table: str, condition: str = "", columns: Iterable[str] = ()) -> str:
        """Return what stands after ``FROM`` for a table: its columns in memory, where a query needs no others.

        Parameters
        ----------
        table
            Name of the table, which the columns can be qualified by either way.
        condition
            That a user wrote, and that is part of the query.
        columns
            That the query reads beside columns that are known to be kept.

        Raises
        ------
        QueryError
            A data file is gone.

        """
        try:
            rows = self.fixed[table].narrow()
        except (pa.ArrowException, OSError) as error:
            raise QueryError(one_line(error)) from error
        if rows is None or not set(columns).issubset(rows.column_names):
            return table
        if condition and self._may_need_more(table, rows, condition):
            return table
        return f"{_NARROW}{table} AS {table}"

    def _may_need_more(self, table: str, rows: pa.Table, condition: str) -> bool:
        """Return whether a condition may be about columns that are not kept, or about a row as a whole."""
        text = condition.casefold()
        others = self.columns(table).difference(rows.column_names)
        return any(name.casefold() in text for name in (*others, table, "columns", "*"))

    def _in_memory(self) -> Mapping[str, Callable[[], pa.Table]]:
        """Return the columns that are kept, by the names that :meth:`narrow` gives them."""
        kept = {name: table.kept for name, table in self.fixed.items()}
        return {f"{_NARROW}{name}": partial(_same, rows) for name, rows in kept.items() if rows is not None}

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
        session, _, absent = self._session(query, replace(self.engine, seconds=seconds))
        try:
            return session.sql(query, params=list(values) or None)
        except (duckdb.BinderException, duckdb.CatalogException) as error:
            reason = next((why for name, why in absent.items() if name in query), one_line(error))
            raise QueryError(reason) from error

    def _dataset(self, name: str, mentioned: Callable[[str], bool]) -> Any:  # noqa: ARG002 - of all queries
        """Return a table that DuckDB can scan."""
        return self.fixed[name].rows()


def _same(rows: pa.Table) -> pa.Table:
    return rows


@contextmanager
def _one_line() -> Iterator[None]:
    try:
        yield
    except (duckdb.Error, pa.ArrowException, OSError) as error:
        raise QueryError(one_line(error)) from error

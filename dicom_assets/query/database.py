"""The catalog as a database: SQL over the Delta tables by their names, answered by DuckDB."""

import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial
from typing import TYPE_CHECKING

import duckdb
import pyarrow as pa
from deltalake import DeltaTable
from deltalake.exceptions import DeltaError, TableNotFoundError
from pyarrow.fs import FileSelector, FileType

from dicom_assets.archive.base import Archive
from dicom_assets.delta.lake import Lake
from dicom_assets.delta.location import TableLocation
from dicom_assets.delta.newest import newest
from dicom_assets.extract.model import CATALOG_NAME, DEFAULT_MODEL
from dicom_assets.query.engine import EngineOptions, check_reads_only
from dicom_assets.query.errors import CatalogError, NoCatalogError, QueryError, one_line
from dicom_assets.query.explain import columns_of, explain
from dicom_assets.query.opened import Opened
from dicom_assets.query.relations import Relations
from dicom_assets.query.research import Research
from dicom_assets.query.scans import TableDataset
from dicom_assets.query.versions import load_version
from dicom_assets.query.views import VIEWS, View

if TYPE_CHECKING:
    from dicom_assets.query.lineage_model import Lineage, RunLineage

_CLOCKS_DIFFER = 600
"""Seconds at most, between those who commit and this machine: until then a version of the past may not be its last."""


@dataclass(frozen=True, slots=True)
class Catalog(Research):
    """The tables of one catalog, for queries, and what researchers take out of them.

    Attributes
    ----------
    lake
        Where the tables are.
    as_of
        Read every table as it was at this time, which needs an offset from UTC; by default, as it is now.
    engine
        What queries may do beyond reading the tables, and how much of the machine they may take.
    version
        Read ``object_catalog`` at this version, and every other table as it was then
        (:mod:`dicom_assets.query.versions`).
    archive
        The archive as it is reached from here, or its root, where that is not as it was cataloged: a bucket with
        options of its own, a share that is mounted elsewhere, a copy. Only frames and volumes are read from it.

    Raises
    ------
    CatalogError
        Both a time and a version are given.

    Examples
    --------
    >>> catalog = Catalog(Lake("/data/lake"))
    >>> catalog.sql("SELECT Modality, count(*) FROM object_catalog GROUP BY Modality").df()  # doctest: +SKIP

    """

    lake: Lake
    as_of: datetime | None = None
    engine: EngineOptions = field(default_factory=EngineOptions)
    version: int | None = None
    archive: Archive | str | None = None
    _open: Opened = field(default_factory=Opened, init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        if self.as_of is not None and self.version is not None:
            raise CatalogError("a catalog is opened as of a time or at a version: give one of them")

    def tables(self) -> tuple[str, ...]:
        """Return the names of the tables: those of the catalog in the order of the data flow, then those of users.

        Raises
        ------
        NoCatalogError
            There is no table at all.

        """
        order = {table.name: place for place, table in enumerate(DEFAULT_MODEL.tables)}
        names = sorted(self._existing(), key=lambda name: (order.get(name, len(order)), name))
        if not names:
            raise NoCatalogError(f"there is no catalog at {self._folder.uri}")
        return tuple(names)

    def views(self) -> tuple[View, ...]:
        """Return the views that can be read here, each after those that it needs.

        Raises
        ------
        NoCatalogError
            There is no table at all.

        """
        return Relations.of(self.tables(), VIEWS).readable()

    def sql(self, query: str) -> duckdb.DuckDBPyRelation:
        """Run a query and return its result, which is computed while it is read.

        Only tables that the query refers to are opened, only columns that it uses are read, and data files are skipped
        by partition and statistics. A query can name :meth:`views` like tables, and attributes of a header by
        :data:`~dicom_assets.query.words.WORDS`. Times are in UTC. Files that :attr:`engine` allows can be joined
        (``... JOIN 'cohort.csv' USING (PatientID)``); nothing else can be reached, and nothing can be written.

        Parameters
        ----------
        query
            One statement that reads, in the SQL of DuckDB.

        Returns
        -------
        duckdb.DuckDBPyRelation
            Has ``df()``, ``pl()``, ``fetchall()``, ``to_arrow_table()`` and ``to_arrow_reader()``.

        Raises
        ------
        QueryError
            The query does not parse, names a table or column that does not exist, or does what it is not allowed to.
        NoCatalogError
            There is no table at all.
        CatalogError
            A table cannot be opened, or an allowed file does not exist.

        """
        if not query.isascii() and query != query.encode(errors="ignore").decode():
            raise QueryError("the query holds bytes that are no UTF-8")
        connection, relations, absent = self._session(query, self.engine)
        try:
            if not self.engine.unsafe:
                check_reads_only(connection, query)
            result = connection.sql(query)
        except duckdb.Error as error:
            columns = partial(columns_of, connection, query, relations)
            raise QueryError(explain(error, columns, relations, absent)) from error
        if result is None:
            raise QueryError("the query is empty")
        return result

    def lineage(self, path_or_uid: str) -> "Lineage":
        """Return where the rows of a file come from, or those of an instance, a series or a study.

        Parameters
        ----------
        path_or_uid
            Path or URI of a file, absolute or relative to the working directory or to the root of the archive; or a
            SOP Instance, Series Instance or Study Instance UID.

        Returns
        -------
        Lineage
            Shows as a table for reading.

        Raises
        ------
        LineageError
            The catalog holds no such file.
        NoCatalogError
            There is no catalog.

        """
        from dicom_assets.query.lineage_asking import Asking

        return Asking(self).lineage(path_or_uid)

    def lineage_of_run(self, run_id: str, *, paths: bool = False) -> "RunLineage":
        """Return what a run wrote, and how much of it is still there.

        Parameters
        ----------
        run_id
            Of Dagster, or of ``CatalogUpdate.run_id``; its first characters are enough where they name one run.
        paths
            Tell the paths of the rows, too.

        Raises
        ------
        LineageError
            No table knows the run, or several begin so.
        NoCatalogError
            There is no catalog.

        """
        from dicom_assets.query.lineage_asking import Asking

        return Asking(self).of_run(run_id, paths=paths)

    def _session(
        self, query: str, engine: EngineOptions
    ) -> tuple[duckdb.DuckDBPyConnection, Relations, Mapping[str, str]]:
        """Return a session that has what a query names, all that can be named, and why it lacks some of the views."""
        relations = Relations.of(self.tables(), VIEWS, self._in_memory())
        session = self._open.session(engine)
        absent = relations.put(
            session, query, lambda name, mentioned: session.register(name, self._dataset(name, mentioned))
        )
        return session, relations, absent

    def _dataset(self, name: str, mentioned: Callable[[str], bool]) -> TableDataset:
        """Return a table that DuckDB can scan, with the statistics of the columns that a query mentions."""
        location = self.location(name)
        past = self.as_of is not None and self.as_of.timestamp() < time.time() - _CLOCKS_DIFFER
        pinned = past or (self.version is not None and name == CATALOG_NAME)
        return self._open.dataset(location, lambda: self.open_table(location), mentioned, pinned=pinned)

    def _in_memory(self) -> Mapping[str, Callable[[], pa.Table]]:
        """Return tables beside those of the lake that a query of this package may name."""
        return {}

    @property
    def _folder(self) -> TableLocation:
        return TableLocation(f"{self.lake.root.rstrip('/')}/{self.lake.schema}", self.lake.storage_options)

    def location(self, name: str) -> TableLocation:
        """Return where a table is, of the catalog or of a user."""
        return TableLocation(f"{self._folder.uri}/{name}", self.lake.storage_options)

    def _existing(self) -> Iterator[str]:
        """Yield the names of the folders that are Delta tables."""
        try:
            entries = self._folder.filesystem().get_file_info(FileSelector("", allow_not_found=True))
        except TableNotFoundError:
            return
        except (DeltaError, OSError) as error:
            raise NoCatalogError(f"{self._folder.uri} cannot be listed: {one_line(error)}") from error
        for entry in entries:
            name = entry.path.rstrip("/").rpartition("/")[2]
            if entry.type == FileType.Directory and self._open.exists(self.location(name)):
                yield name

    def archive_at(self, root: str) -> Archive:
        """Return the archive that was cataloged at a root, or the one that :attr:`archive` names in its place."""
        if self.archive is None or isinstance(self.archive, str):
            return self._open.archive(self.archive or root)
        return self.archive

    def open_table(self, location: TableLocation) -> DeltaTable:
        """Return a table as it was at :attr:`as_of` or :attr:`version`; raises :class:`CatalogError`."""
        try:
            if self.as_of is None and self.version is None:
                return newest(location)
            delta = location.open()
            if self.as_of is not None:
                delta.load_as_version(self.as_of)
            if self.version is not None:
                load_version(self.location(CATALOG_NAME), self.version, location, delta)
        except DeltaError as error:
            raise CatalogError(f"{location.uri} cannot be opened: {one_line(error)}") from error
        return delta

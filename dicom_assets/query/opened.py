"""What stays open: engines, archives, and tables, whose logs are read again when they have moved on."""

import os
import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import duckdb
from deltalake import DeltaTable

from dicom_assets.archive.base import Archive
from dicom_assets.delta.location import TableLocation
from dicom_assets.delta.newest import Stamp, stamp_of
from dicom_assets.query.dataset import as_dataset
from dicom_assets.query.engine import EngineOptions, connect, start
from dicom_assets.query.engine_pool import SHARED, EnginePool
from dicom_assets.query.scans import TableDataset

_FILES_KEPT = 5_000
"""Of tables with more data files only the log is kept: what is remembered of a file takes up to 100 KB."""


@dataclass(frozen=True, slots=True)
class _OpenTable:
    """A version of a table.

    Attributes
    ----------
    delta
        The table.
    stamp
        Of its last commit.
    columns
        Those whose statistics the dataset uses.
    dataset
        The table for DuckDB.

    """

    delta: DeltaTable
    stamp: Stamp | None
    columns: frozenset[str] = frozenset()
    dataset: TableDataset | None = None


class Opened:
    """What one catalog has opened, safe to use from several threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._own_engines = EnginePool()
        self._opened: dict[str, _OpenTable] = {}
        self._existing: set[str] = set()
        self._archives: dict[tuple[int, str], Archive] = {}

    def __reduce__(self) -> tuple[Any, ...]:
        """In another process nothing is open."""
        return Opened, ()

    def session(self, options: EngineOptions) -> duckdb.DuckDBPyConnection:
        """Return a session for one query; raises :class:`CatalogError` where no engine can start.

        One that may change things gets an engine of its own.
        """
        if options.unsafe:
            return connect(start(options), options)
        pool = self._own_engines if options.allow_files else SHARED
        return connect(pool.engine(options), options)

    def archive(self, root: str) -> Archive:
        """Return the archive at a folder or URI, with the connections that it has; a forked process gets its own."""
        from dicom_assets.archive.opening import open_archive  # which queries of the tables do not need

        known = os.getpid(), root
        if known not in self._archives:  # without the lock: a share that hangs holds up no query of the tables
            self._archives.setdefault(known, open_archive(root, 0))
        return self._archives[known]

    def exists(self, location: TableLocation) -> bool:
        """Return whether there is a table; of one that was there once, that is believed."""
        if location.uri not in self._existing and location.exists():
            self._existing.add(location.uri)
        return location.uri in self._existing

    def dataset(
        self, location: TableLocation, load: Callable[[], DeltaTable], wanted: Callable[[str], bool], *, pinned: bool
    ) -> TableDataset:
        """Return the present version of a table for DuckDB.

        Parameters
        ----------
        location
            Of the table.
        load
            Reads its log.
        wanted
            Whether a column may occur in a filter: only then are its statistics used to skip files.
        pinned
            Later commits do not change which version it is.

        Raises
        ------
        CatalogError
            The table cannot be opened or read.

        """
        known = self._opened.get(location.uri)
        if (
            known is None
            or known.stamp is None
            or stamp_of(location, known.delta.version(), pinned=pinned) != known.stamp
        ):
            delta = load()
            known = _OpenTable(delta, stamp_of(location, delta.version(), pinned=pinned))
        columns = known.columns.union(field.name for field in known.delta.schema().fields if wanted(field.name))
        if known.dataset is None or columns != known.columns:
            dataset = as_dataset(location, known.delta, columns.__contains__)
            known = _OpenTable(known.delta, known.stamp, columns, dataset)
        assert known.dataset is not None
        self._keep(location, known)
        return known.dataset

    def _keep(self, location: TableLocation, known: _OpenTable) -> None:
        if known.dataset is not None and known.dataset.file_count > _FILES_KEPT:
            known = _OpenTable(known.delta, known.stamp)
        with self._lock:
            self._opened[location.uri] = known

"""Engines that stay: to start one takes longer than most queries of a small lake."""

import os
import threading

import duckdb

from dicom_assets.query.engine import EngineOptions, start


class EnginePool:
    """An engine for each limit of memory and threads, safe to use from several threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._engines: dict[tuple[int, int | None, int | None], duckdb.DuckDBPyConnection] = {}

    def engine(self, options: EngineOptions) -> duckdb.DuckDBPyConnection:
        """Return an engine to open sessions of; raises :class:`CatalogError` where none can start.

        A process that was forked gets its own: the threads of an engine stay behind. So does who comes after a query
        that broke one.
        """
        known = os.getpid(), options.memory_bytes, options.threads
        with self._lock:
            engine = self._engines.get(known)
            if engine is None or not _works(engine):
                engine = self._engines[known] = start(options)
            return engine

    def renew_lock(self) -> None:
        """Let a process that was forked go on, whatever other threads did at that moment."""
        self._lock = threading.Lock()


SHARED = EnginePool()
"""For catalogs that allow no files: their engines differ in nothing else, and sessions see nothing of one another."""

if hasattr(os, "register_at_fork"):  # Windows has no fork
    os.register_at_fork(after_in_child=SHARED.renew_lock)


def _works(engine: duckdb.DuckDBPyConnection) -> bool:
    """Return whether an engine answers: after an error inside of DuckDB, it refuses everything."""
    try:
        return engine.execute("SELECT true").fetchall() == [(True,)]
    except duckdb.Error:
        return False

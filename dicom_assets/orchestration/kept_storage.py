"""Dagster's SQLite storage with connections that are kept: a command's own, beside which others use the same files.

Dagster opens a database anew for each statement, with an SQLAlchemy engine that compiles each statement anew, and the
last connection to close a database in WAL mode writes its log back. A run of one partition stores some 170 events, so
that this costs more than cataloging ten files does. A process that runs alone and ends keeps one connection instead.

Nor does each of the 600 transactions of such a run wait for the disk: with ``synchronous = NORMAL``, a power failure
may take back the last events, never damage a database in WAL mode
(https://www.sqlite.org/pragma.html#pragma_synchronous).
Their run is then one that ended without a word, which the next command finds like that of a killed process.

Events that come at once, such as those of the partitions of one output, are one transaction of each database.
"""

import os
import threading
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from functools import cache
from typing import Any, Self

from alembic.script import ScriptDirectory
from dagster import EventLogEntry
from sqlalchemy import Connection, Engine, create_engine, event, inspect
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.pool import ConnectionPoolEntry, QueuePool

from dicom_assets.orchestration.dagster_internals import (
    INDEX_SHARD_NAME,
    SQLITE_BUSY_TIMEOUT_SECONDS,
    ConfigurableClassData,
    DagsterSqliteStorage,
    InstanceRef,
    SqliteEventLogStorage,
    SqliteRunStorage,
)

_BATCH_SIZE = "DAGSTER_EVENT_BATCH_SIZE"
_EVENTS_AT_ONCE = "500"

_KEPT_RUNS = 2
"""Each run has a database of its own; a command executes one run after the other."""


def with_kept_connections(instance: InstanceRef) -> InstanceRef:
    """Return an instance with this storage in place of Dagster's own; one with another database stays as it is."""
    storage = instance.storage_data
    if storage is None or storage.class_name != DagsterSqliteStorage.__name__:
        return instance
    kept = ConfigurableClassData(__name__, KeptSqliteStorage.__name__, storage.config_yaml)
    return instance._replace(storage_data=kept)


def _engine(address: str) -> Engine:
    engine = create_engine(
        address, poolclass=QueuePool, pool_size=1, connect_args={"timeout": SQLITE_BUSY_TIMEOUT_SECONDS}
    )
    event.listen(engine, "connect", _do_not_wait_for_the_disk)
    return engine


def _do_not_wait_for_the_disk(connection: DBAPIConnection, _: ConnectionPoolEntry) -> None:
    cursor = connection.cursor()
    cursor.execute("PRAGMA synchronous = NORMAL")
    cursor.close()


def _read_migrations_once() -> None:
    """Let alembic read Dagster's ninety migrations once for each kind of database, not at each one that is opened.

    Opening asks for the newest of them, and a run has a database of its own.
    """
    if not hasattr(ScriptDirectory.from_config, "cache_info"):
        ScriptDirectory.from_config = cache(ScriptDirectory.from_config)  # type: ignore[method-assign]


class _KeptEventLog(SqliteEventLogStorage):
    """Events, with the connections to the index and to the runs of late."""

    def __init__(self, base_dir: str) -> None:
        self._engines: dict[str, Engine] = {}
        self._batch: ExitStack | None = None
        self._of_batch: dict[str, Connection] = {}
        self._tables: set[str] = set()
        super().__init__(base_dir)
        # Dagster's own would shut out the events of a batch themselves.
        self._db_lock = threading.RLock()  # type: ignore[assignment]

    def store_event_batch(self, events: Sequence[EventLogEntry]) -> None:
        """Store all events or none."""
        with self._db_lock:
            try:
                with ExitStack() as self._batch:
                    super().store_event_batch(events)
            finally:
                self._batch = None
                self._of_batch.clear()

    @contextmanager
    def _connect(self, shard: str) -> Iterator[Connection]:
        """Yield a connection in a transaction: that of the batch, or one that ends with the block."""
        with self._db_lock:
            if self._batch is None:
                with self._begun(shard) as connection:
                    yield connection
            else:
                if shard not in self._of_batch:
                    self._of_batch[shard] = self._batch.enter_context(self._begun(shard))
                yield self._of_batch[shard]

    @contextmanager
    def _begun(self, shard: str) -> Iterator[Connection]:
        engine = self._kept(shard)
        if shard not in self._initialized_dbs:
            self._initdb(engine)
            self._initialized_dbs.add(shard)
        with engine.begin() as connection:
            yield connection

    def has_table(self, table_name: str) -> bool:
        # Asked at each event; migrations of Dagster add tables and take none away.
        if table_name not in self._tables and inspect(self._kept(INDEX_SHARD_NAME)).has_table(table_name):
            self._tables.add(table_name)
        return table_name in self._tables

    def dispose(self) -> None:
        for engine in self._engines.values():
            engine.dispose()
        self._engines.clear()
        super().dispose()

    def _kept(self, shard: str) -> Engine:
        """Return the engine of a database; that of the run which was over first is let go."""
        if shard not in self._engines:
            runs = [name for name in self._engines if name != INDEX_SHARD_NAME]
            if len(runs) >= _KEPT_RUNS and shard != INDEX_SHARD_NAME:
                self._engines.pop(runs[0]).dispose()
            self._engines[shard] = _engine(self.conn_string_for_shard(shard))
        return self._engines[shard]


class _KeptRuns(SqliteRunStorage):
    """Runs, with one connection."""

    def __init__(self, conn_string: str, inst_data: ConfigurableClassData | None = None) -> None:
        super().__init__(conn_string, inst_data)
        self._engine = _engine(conn_string)

    @contextmanager
    def connect(self) -> Iterator[Connection]:
        with self._engine.begin() as connection:
            yield connection

    def dispose(self) -> None:
        self._engine.dispose()
        super().dispose()


class KeptSqliteStorage(DagsterSqliteStorage):
    """Dagster's storage in a folder, with connections that are kept until the instance is disposed of."""

    def __init__(self, base_dir: str, inst_data: ConfigurableClassData | None = None) -> None:
        os.environ.setdefault(_BATCH_SIZE, _EVENTS_AT_ONCE)
        _read_migrations_once()
        # It makes the databases where there are none yet.
        super().__init__(base_dir, inst_data)
        self._run_storage: SqliteRunStorage = _KeptRuns(self._run_storage._conn_string)  # noqa: SLF001
        self._event_log_storage: SqliteEventLogStorage = _KeptEventLog(self._event_log_storage._base_dir)  # noqa: SLF001

    @classmethod
    def from_config_value(cls, inst_data: ConfigurableClassData | None, config_value: Any) -> Self:
        """Return the storage of a configuration: Dagster's own method names its class."""
        return cls.from_local(inst_data=inst_data, **config_value)

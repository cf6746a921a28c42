"""Where a Delta table is, and how to reach it."""

import platform
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pyarrow as pa
from deltalake import CommitProperties, DeltaTable, Field, Schema
from deltalake.exceptions import CommitFailedError, DeltaError, TableNotFoundError
from deltalake.fs import DeltaStorageHandler
from pyarrow.fs import FileSelector, FileSystem, FileType, LocalFileSystem, PyFileSystem, SubTreeFileSystem

from dicom_assets.delta.format import FORMAT, KEY_COLUMN, format_for, format_of
from dicom_assets.errors import InfrastructureError, UserError
from dicom_assets.storage.addresses import absolute, is_remote
from dicom_assets.storage.errors import why
from dicom_assets.storage.retries import retry_listing, retry_lost_race
from dicom_assets.tables import KEY, PARTITION, Table

STATISTICS = "delta.dataSkippingStatsColumns"
"""Property of a table: the columns that its writers keep statistics of."""
_ATTEMPTS = 10
"""At an upgrade, beside others."""
_NO_PREFIX = "\0"
"""A partition value that no file has."""


class TableSchemaError(UserError, ValueError):
    """What is on storage is not the table that this version of the package writes: other types, or another key."""


class LakeError(InfrastructureError, OSError):
    """The lake cannot be reached: an infrastructure fault, or wrong credentials."""


class LakeNotHereError(UserError, OSError):
    """The lake is a folder that a worker of a cluster does not have, or has of its own."""


@dataclass(frozen=True, slots=True)
class TableLocation:
    """Address of one Delta table.

    Attributes
    ----------
    uri
        Absolute local path, or URI of an object store (``s3://``, ``gs://``, ``az://``). A ``file://`` URI, or a
        relative path, is taken too and becomes an absolute path.
    storage_options
        Options of the object store, as delta-rs names them. Never logged: they hold credentials.

    Raises
    ------
    AddressError
        It is a folder of another machine.

    """

    uri: str
    storage_options: Mapping[str, str] = field(default_factory=dict, repr=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "uri", absolute(self.uri))

    @property
    def is_local(self) -> bool:
        """Whether the table is on a file system of this machine."""
        return not is_remote(self.uri)

    def filesystem(self) -> FileSystem:
        """Return a file system rooted at the table.

        A local table is on Arrow's own: one that calls back into Python can hang or crash a process that ends.
        """
        if self.is_local:
            return SubTreeFileSystem(self.uri, LocalFileSystem())
        return PyFileSystem(DeltaStorageHandler(self.uri, dict(self.storage_options)))

    def for_writing(self) -> FileSystem:
        """Return :meth:`filesystem`, where the table is there: a worker would make a folder of its own.

        Raises
        ------
        LakeNotHereError
            This machine has no such folder.

        """
        if self.is_local and not Path(self.uri, "_delta_log").is_dir():
            raise LakeNotHereError(
                f"the worker {platform.node()} has no table at {self.uri}: put the lake into a bucket, or on a share "
                "that all workers mount at that path"
            )
        return self.filesystem()

    def confirm_written(self, paths: Iterable[str]) -> None:
        """Raise ``LakeNotHereError`` unless data files that workers wrote can be seen from here."""
        if self.is_local and any(not Path(self.uri, path).is_file() for path in paths):
            raise LakeNotHereError(
                f"workers wrote data files to a {self.uri} that is not the one of this machine: put the lake into a "
                "bucket, or on a share that all workers mount at that path. Nothing was committed"
            )

    def exists(self) -> bool:
        """Return whether there is a Delta table."""
        with self._reached():
            return retry_listing(lambda: DeltaTable.is_deltatable(self.uri, dict(self.storage_options)))

    def open(self, version: int | None = None) -> DeltaTable:
        """Return the table at a version, by default the latest.

        Raises
        ------
        TableNotFoundError
            There is none.
        LakeFormatError
            A newer version of this package has written it.

        """
        with self._reached():
            options = dict(self.storage_options)
            delta = retry_listing(lambda: DeltaTable(self.uri, version=version, storage_options=options))
        format_of(delta.metadata().configuration, self.uri)
        return delta

    def make_folder(self) -> None:
        """Make the folder of a local table; an object store needs none."""
        if self.is_local:
            Path(self.uri).mkdir(parents=True, exist_ok=True)

    def folders(self) -> list[str]:
        """Return the names of the folders below; none where there is nothing."""
        try:
            with self._reached():
                below = FileSelector("", allow_not_found=True)
                entries = retry_listing(lambda: self.filesystem().get_file_info(below))
        except TableNotFoundError:
            return []
        return [entry.path.rstrip("/").rpartition("/")[2] for entry in entries if entry.type == FileType.Directory]

    def create(self, table: Table, properties: Mapping[str, str] | None = None) -> None:
        """Create the table of a catalog, unless there is one; our own properties are kept beside those of Delta."""
        with self._reached():
            self.create_empty(
                table.schema,
                [PARTITION],
                name=table.name,
                description=table.description,
                configuration={
                    STATISTICS: ",".join(table.statistics_columns),
                    FORMAT: str(format_for(table)),
                    **({} if table.key == KEY else {KEY_COLUMN: table.key}),
                    **(properties or {}),
                },
            )

    def create_empty(self, schema: pa.Schema, partition_by: Sequence[str], **stated: Any) -> None:
        """Create a table without rows, unless there is one.

        Of two that do so at once, the second leaves the table as the first has made it.

        Parameters
        ----------
        schema, partition_by
            Of the table.
        **stated
            Name, description and configuration, as ``DeltaTable.create`` takes them.

        """
        self.make_folder()
        try:
            DeltaTable.create(
                self.uri,
                Schema.from_arrow(schema),
                mode="ignore",
                partition_by=list(partition_by),
                storage_options=dict(self.storage_options),
                raise_if_key_not_exists=False,
                # Tried again, the commit would put its properties in the place of those of the table that was first.
                commit_properties=CommitProperties(max_commit_retries=0),
                **stated,
            )
        except CommitFailedError:  # delta-rs may fail the second one, whatever the mode
            if not self.exists():
                raise

    @contextmanager
    def _reached(self) -> Iterator[None]:
        """Say in one line why the store failed, where it did."""
        try:
            yield
        except (DeltaError, OSError) as error:
            reason = why(str(error))
            if reason is None:
                raise
            raise LakeError(f"the table at {self.uri} cannot be reached: {reason}") from error


def ensure_table(location: TableLocation, table: Table, properties: Mapping[str, str] | None = None) -> None:
    """Create a table, or bring an existing one up to the columns and the format of this version of the package.

    Safe beside others that do the same: creation ignores a table that appeared meanwhile, and an upgrade that another
    one got in the way of looks again. Killed between its two commits, it is completed by the next.

    Parameters
    ----------
    location, table
        Where it is, and what it should be.
    properties
        Of a table that is created.

    Raises
    ------
    TableSchemaError
        An existing column has another type, or the table is one of a user that has the name of this one.
    LakeFormatError
        A newer version of this package has written it.

    """
    retry_lost_race(lambda: _ensure(location, table, properties), CommitFailedError, _ATTEMPTS)


def _ensure(location: TableLocation, table: Table, properties: Mapping[str, str] | None) -> None:
    """Create or upgrade a table; raises ``CommitFailedError`` where another upgrade was faster."""
    try:
        existing = location.open()
    except TableNotFoundError:
        location.create(table, properties)
        return
    if existing.metadata().configuration.get(KEY_COLUMN, KEY) != table.key:
        raise TableSchemaError(
            f"the table at {location.uri} is not the {table.name} of a catalog, which would stand there: rename it, or "
            "give the catalog a schema of its own (--schema, or DICOM_ASSETS_SCHEMA)"
        )
    _add_missing_columns(existing, table)
    if format_of(existing.metadata().configuration, location.uri) < (wanted := format_for(table)):
        existing.alter.set_table_properties({FORMAT: str(wanted)}, raise_if_not_exists=False)


def _add_missing_columns(existing: DeltaTable, table: Table) -> None:
    """Extend the schema of a table that an older version of this package created."""
    present = {column.name: column.type for column in existing.schema().fields}
    missing: list[Field] = []
    for column in Schema.from_arrow(pa.schema(table.schema)).fields:
        if column.name not in present:
            missing.append(Field(column.name, column.type, nullable=True))
        elif present[column.name] != column.type:
            raise TableSchemaError(
                f"table {table.name}: column {column.name} is {present[column.name]} on storage and "
                f"{column.type} in this version; move the table away to have it rebuilt"
            )
    if missing:
        existing.alter.add_columns(missing)


def drop_columns(location: TableLocation, names: Collection[str]) -> None:
    """Take columns out of the schema of a table; those that it does not have are passed over.

    Data files are left as they are: readers pass over columns that the schema does not have. Whoever wants them gone
    from the files, too, has rewritten these before, for a column of the name that comes later would show them again.

    Parameters
    ----------
    location
        Of an existing table.
    names
        Neither key nor partition are among them.

    """

    def drop_once() -> None:
        delta = location.open()
        fields = delta.schema().fields
        kept = [field for field in fields if field.name not in names]
        if len(kept) < len(fields):
            # delta-rs drops no column by itself; an overwrite of no partition is a commit of the schema alone.
            delta.create_write_transaction(
                [],
                mode="overwrite",
                schema=Schema(kept),
                partition_by=[PARTITION],
                partition_filters=[(PARTITION, "=", _NO_PREFIX)],
            )

    retry_lost_race(drop_once, CommitFailedError, _ATTEMPTS)

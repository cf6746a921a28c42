"""Where a Delta table is, and how to reach it."""

import platform
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pyarrow as pa
from deltalake import CommitProperties, DeltaTable, Schema
from deltalake.exceptions import CommitFailedError, DeltaError, TableNotFoundError
from deltalake.fs import DeltaStorageHandler
from pyarrow.fs import FileSelector, FileSystem, FileType, LocalFileSystem, PyFileSystem, SubTreeFileSystem

from dicom_assets.delta.format import FORMAT, KEY_COLUMN, format_for, format_of
from dicom_assets.errors import InfrastructureError, UserError
from dicom_assets.storage.addresses import absolute, is_remote
from dicom_assets.storage.errors import why
from dicom_assets.storage.retries import retry_listing
from dicom_assets.tables import KEY, PARTITION, Table

STATISTICS = "delta.dataSkippingStatsColumns"
"""Property of a table: the columns that its writers keep statistics of."""


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

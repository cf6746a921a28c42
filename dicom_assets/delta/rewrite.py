"""Taking rows out of a table: only the data files that hold them are written anew."""

import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Protocol

import pyarrow as pa
import pyarrow.compute as pc
from deltalake.transaction import AddAction, RemoveAction
from pyarrow.fs import FileSystem

from dicom_assets.delta.files import DataFile, read_file, write_batches
from dicom_assets.delta.location import TableLocation
from dicom_assets.delta.snapshot import FILE, Snapshot
from dicom_assets.tables import PARTITION, Table


class FileRewrite(Protocol):
    """One data file to be written anew, or some together. Instances travel to Spark workers."""

    @property
    def size(self) -> int:
        """Bytes that are read."""
        ...

    def run(self) -> list[AddAction]:
        """Write what takes their place."""
        ...


@dataclass(frozen=True, slots=True)
class Rewrite:
    """One data file to be replaced by itself less some of its rows."""

    location: TableLocation
    table: Table
    file: DataFile
    drop: frozenset[str]

    @property
    def size(self) -> int:
        """Bytes of the data file."""
        return self.file.size

    def run(self) -> list[AddAction]:
        """Write the rows that stay; returns no action when none does."""
        if self.file.rows is not None and len(self.drop) >= self.file.rows:
            return []
        filesystem = self.location.for_writing()
        return write_batches(filesystem, self.table, self._kept(filesystem))

    def _kept(self, filesystem: FileSystem) -> Iterator[pa.RecordBatch]:
        drop = pa.array(self.drop, pa.string())
        for batch in read_file(filesystem, self.table, self.file, self.table.schema.names):
            kept = batch.filter(pc.invert(pc.is_in(batch.column(self.table.key), drop)))
            if kept.num_rows:
                yield kept


def rewrites(snapshot: Snapshot, obsolete: pa.Table) -> list[Rewrite]:
    """Return the rewrites that take rows out of a table.

    Parameters
    ----------
    snapshot
        The table.
    obsolete
        The key of the table and :data:`~dicom_assets.delta.snapshot.FILE`: rows as :meth:`Snapshot.keys` returned them.

    """
    files = {file.path: file for file in snapshot.files}
    return [
        Rewrite(snapshot.location, snapshot.table, files[name], drop)
        for name, drop in sorted(keys_by_file(obsolete, snapshot.table.key).items())
    ]


def keys_by_file(rows: pa.Table, key: str) -> dict[str, frozenset[str]]:
    """Return the keys of rows by the data file that holds them.

    Parameters
    ----------
    rows
        The key of their table and :data:`~dicom_assets.delta.snapshot.FILE`.
    key
        Name of the key.

    """
    found: dict[str, set[str]] = {}
    for value, file in zip(rows[key].to_pylist(), rows[FILE].to_pylist(), strict=True):
        found.setdefault(file, set()).add(value)
    return {file: frozenset(keys) for file, keys in found.items()}


def removal(file: DataFile) -> RemoveAction:
    """Return the action that takes a data file out of its table."""
    return RemoveAction(
        file.path, True, int(time.time() * 1000), size=file.size, partition_values={PARTITION: file.prefix}
    )

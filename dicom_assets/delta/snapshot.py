"""One version of a table: its data files, the versions of its writers, and the keys that it holds."""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

import pyarrow as pa
from deltalake import DeltaTable

from dicom_assets.delta.file_list import FileList
from dicom_assets.delta.files import DataFile, read_file, read_rows
from dicom_assets.delta.location import TableLocation
from dicom_assets.delta.newest import newest
from dicom_assets.tables import KEY, Table

FILE = "_file"
"""Name of the column that tells which data file a key was read from (its path on storage)."""

_READERS = 16
_READERS_OF_A_DISK = 4
"""Of data files on this machine: more wait for Python's lock, 1.7 ms a file for 16 where 4 take 1.1 on two cores."""


@dataclass(frozen=True, slots=True)
class Snapshot:
    """What a table holds at one version, for some prefixes or all.

    Attributes
    ----------
    location, table
        Where and what the table is.
    version
        Of the table.
    files
        Live data files, in the order of prefix and first key.
    writes
        For each prefix asked for, how many commits of ours it has seen (its application transaction); all
        prefixes are 0 when the snapshot was taken of the whole table.
    properties
        Of the table, ours and Delta's.

    """

    location: TableLocation
    table: Table
    version: int
    files: tuple[DataFile, ...]
    writes: Mapping[str, int]
    properties: Mapping[str, str] = field(default_factory=dict)

    def of_prefix(self, prefix: str) -> tuple[DataFile, ...]:
        """Return the data files of one prefix."""
        return tuple(file for file in self.files if file.prefix == prefix)

    def rows(
        self, columns: Sequence[str], files: Iterable[DataFile] | None = None
    ) -> Iterator[tuple[DataFile, pa.RecordBatch]]:
        """Yield the rows of the data files (by default all), column-pruned, batch by batch."""
        filesystem = self.location.filesystem()

        def read(file: DataFile) -> list[pa.RecordBatch]:
            return list(read_file(filesystem, self.table, file, columns))

        wanted = list(self.files if files is None else files)
        with ThreadPoolExecutor(_READERS_OF_A_DISK if self.location.is_local else _READERS) as pool:
            for file, batches in zip(wanted, pool.map(read, wanted), strict=True):
                for batch in batches:
                    yield file, batch

    def rows_of(self, keys: pa.Array, files: Iterable[DataFile] | None = None) -> pa.Table:
        """Return the whole rows of some keys, in the order of the data files (by default all)."""
        filesystem, names = self.location.filesystem(), self.table.schema.names
        batches = [
            batch
            for file in (self.files if files is None else files)
            for batch in read_rows(filesystem, self.table, file, names, keys)
        ]
        return pa.Table.from_batches(batches, self.table.schema)

    def keys(self, columns: Sequence[str]) -> pa.Table:
        """Return the key, the given columns and the data file (:data:`FILE`) of every row."""
        names = [*self.table.identity, *columns]
        schema = pa.schema([self.table.schema.field(n) for n in names]).append(pa.field(FILE, pa.string()))
        batches = [
            pa.RecordBatch.from_arrays([*batch.columns, pa.repeat(pa.scalar(file.path), batch.num_rows)], schema=schema)
            for file, batch in self.rows(names)
        ]
        return pa.Table.from_batches(batches, schema)


def take_snapshot(location: TableLocation, table: Table, prefixes: Sequence[str] | None = None) -> Snapshot:
    """Read the log of an existing table; raises ``TableNotFoundError``.

    Parameters
    ----------
    location, table
        Where and what the table is.
    prefixes
        Look at these only.

    """
    delta = newest(location)
    wanted = None if prefixes is None else frozenset(prefixes)
    return Snapshot(
        location,
        table,
        delta.version(),
        live_files(delta, wanted, table.key),
        count_writes(delta, prefixes or ()),
        delta.metadata().configuration,
    )


def count_writes(delta: DeltaTable, prefixes: Collection[str]) -> dict[str, int]:
    """Return how many commits of ours a loaded table has seen of some prefixes.

    delta-rs reads the log anew for each, so they are asked for side by side.
    """
    with ThreadPoolExecutor(_READERS) as pool:
        versions = pool.map(delta.transaction_version, map(transaction_id, prefixes))
        return {prefix: version or 0 for prefix, version in zip(prefixes, versions, strict=True)}


def transaction_id(prefix: str) -> str:
    """Return the id of the application transaction that orders the writers of one prefix."""
    return f"dicom-assets/{prefix}"


def live_files(delta: DeltaTable, prefixes: frozenset[str] | None = None, key: str = KEY) -> tuple[DataFile, ...]:
    """Return the live data files of a loaded table, in the order of prefix and first key.

    Parameters
    ----------
    delta
        The table.
    prefixes
        Those wanted, by default all.
    key
        Column whose bounds the data files tell.

    """
    return FileList.of(delta, prefixes, key).all()

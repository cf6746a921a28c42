"""What the tables of a catalog hold, prefix by prefix, as of one moment: the one side of change detection."""

from collections.abc import Sequence
from functools import cached_property
from hashlib import blake2b

import pyarrow as pa
import pyarrow.compute as pc
from deltalake import DeltaTable

from dicom_assets.delta.file_list import FileList
from dicom_assets.delta.files import read_file
from dicom_assets.delta.lake import Lake
from dicom_assets.delta.newest import newest
from dicom_assets.delta.snapshot import transaction_id
from dicom_assets.extract.model import DEFAULT_MODEL, CatalogModel
from dicom_assets.pipeline.columns import join_text
from dicom_assets.tables import FILE_INDEX, KEY

DIGEST_BYTES = 8
"""Length of the digests by which listings and tables are compared."""

_VERSION = [KEY, "fingerprint"]
_DIGEST_ROWS = 1 << 16


def digest(rows: pa.Table) -> str:
    """Return a short name of some versions of files, whatever their order.

    Parameters
    ----------
    rows
        Columns ``path`` and ``fingerprint``; paths are unique.

    """
    ordered = rows.select(_VERSION).sort_by(KEY)
    hasher = blake2b(digest_size=DIGEST_BYTES)
    for batch in ordered.to_batches(max_chunksize=_DIGEST_ROWS):
        lines = pc.fill_null(join_text(batch.column(KEY), batch.column("fingerprint"), separator="\0"), "")
        joined = pc.binary_join(pa.ListArray.from_arrays([0, len(lines)], lines), "\n")
        hasher.update(joined[0].as_buffer())
        hasher.update(b"\n")
    return hasher.hexdigest()


class CatalogState:
    """What the tables of a lake hold, as of one moment.

    Parameters
    ----------
    lake
        The tables; those that do not exist yet hold nothing.
    model
        What the catalog consists of.

    """

    def __init__(self, lake: Lake, model: CatalogModel = DEFAULT_MODEL) -> None:
        self._lake = lake
        self.model = model
        locations = {table: lake.location(table) for table in model.tables}
        there = {table: location for table, location in locations.items() if location.exists()}
        self._filesystems = {table.name: location.filesystem() for table, location in there.items()}
        # One after the other: a loaded table holds the statistics of all its data files, and of those little is kept.
        self._files = {table.name: FileList.of(location.open(), key=table.key) for table, location in there.items()}

    @cached_property
    def prefixes(self) -> frozenset[str]:
        """Prefixes that any table has rows of."""
        return frozenset(prefix for files in self._files.values() for prefix in files.prefixes)

    @cached_property
    def _index(self) -> DeltaTable:
        return newest(self._lake.location(FILE_INDEX))

    def writes(self, prefix: str) -> int:
        """Return how many commits of runs the index has seen of a prefix."""
        return (self._index.transaction_version(transaction_id(prefix)) or 0) if FILE_INDEX.name in self._files else 0

    def rows(self, name: str, prefix: str, columns: Sequence[str]) -> pa.Table:
        """Return the rows that a table holds of a prefix: the key of the table and some columns.

        Prefixes are many and their files few: files are read one after the other, prefixes side by side.
        """
        table = self.model.table(name)
        names = [table.key, *columns]
        batches = [
            batch
            for file in (self._files[name].of_prefix(prefix) if name in self._files else ())
            for batch in read_file(self._filesystems[name], table, file, names)
        ]
        return pa.Table.from_batches(batches, pa.schema([table.schema.field(name) for name in names]))

    def count(self, name: str, prefix: str) -> int | None:
        """Return how many rows a table holds of a prefix by its log, ``None`` where the log does not tell."""
        return self._files[name].rows(prefix) if name in self._files else 0

    def counts(self, name: str) -> dict[str, int]:
        """Return how many rows a table holds of each prefix by its log; what the log does not tell counts nothing."""
        return self._files[name].rows_by_prefix() if name in self._files else {}

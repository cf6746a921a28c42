"""Data files written anew under other prefixes: many small ones together, where all their rows go to one."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import pyarrow as pa
from deltalake.transaction import AddAction

from dicom_assets.archive.containers.kinds import stored_file
from dicom_assets.archive.prefixes import PrefixCut, PrefixError, moved_prefix
from dicom_assets.archive.sources import directories_below
from dicom_assets.delta.files import DataFile, read_file, write_batches
from dicom_assets.delta.location import TableLocation
from dicom_assets.delta.snapshot import Snapshot
from dicom_assets.tables import KEY, PARTITION, Table

_BYTES_TOGETHER = 128 << 20
"""As many bytes of data files become one: more would be one task for long."""


@dataclass(frozen=True, slots=True)
class Regrouping:
    """Some data files to be replaced by their rows under other prefixes.

    Attributes
    ----------
    location, table, files
        What is rewritten.
    source, cut
        Root of the archive, and how it is cut from now on.
    prefix
        Of all rows, where that is known without looking at them.

    """

    location: TableLocation
    table: Table
    files: tuple[DataFile, ...]
    source: str
    cut: PrefixCut
    prefix: str | None

    @property
    def size(self) -> int:
        """Bytes of the data files."""
        return sum(file.size for file in self.files)

    def run(self) -> list[AddAction]:
        """Write the rows under their new prefixes."""
        return write_batches(self.location.for_writing(), self.table, self._moved())

    def _moved(self) -> Iterator[pa.RecordBatch]:
        filesystem, names = self.location.filesystem(), self.table.schema.names
        for file in self.files:
            for batch in read_file(filesystem, self.table, file, names):
                if self.prefix is not None:
                    yield _with_prefixes(batch, pa.repeat(self.prefix, batch.num_rows))
                else:
                    # Rows are in the order of paths, so those of a folder follow each other from batch to batch.
                    moved = _with_prefixes(batch, pa.array(self._prefixes(batch, file.prefix), pa.string()))
                    yield moved.sort_by([(PARTITION, "ascending"), (KEY, "ascending")])

    def _prefixes(self, rows: pa.RecordBatch, present: str) -> Iterator[str]:
        for path in rows.column(KEY).to_pylist():
            directories = directories_below(stored_file(path), self.source)
            yield present if directories is None else self.cut.key(directories)


def regroupings(snapshot: Snapshot, source: str, old: PrefixCut, new: PrefixCut) -> list[Regrouping]:
    """Return what moves the rows of a table of files to other prefixes; data files that stay are not among it.

    Parameters
    ----------
    snapshot
        The whole table.
    source
        Root of the archive, as the rows have it.
    old, new
        How it was cut, and is to be.

    """
    together: dict[str, list[DataFile]] = {}
    alone: list[DataFile] = []
    for file in snapshot.files:
        prefix = _moved(file.prefix, old, new)
        if prefix is None:
            alone.append(file)
        elif prefix != file.prefix:
            together.setdefault(prefix, []).append(file)
    groups = [(prefix, group) for prefix, files in together.items() for group in _groups(files)]
    return [
        Regrouping(snapshot.location, snapshot.table, tuple(files), source, new, prefix)
        for prefix, files in (*groups, *((None, [file]) for file in alone))
    ]


def _moved(prefix: str, old: PrefixCut, new: PrefixCut) -> str | None:
    try:
        return moved_prefix(prefix, old, new)
    except PrefixError:
        return None  # rows of another cut, whatever made them: their paths decide


def _groups(files: Iterable[DataFile]) -> Iterator[list[DataFile]]:
    """Yield data files in the order of their rows, in groups of so many bytes."""
    group: list[DataFile] = []
    size = 0
    for file in sorted(files, key=lambda file: (file.first_key or "", file.path)):
        if group and size + file.size > _BYTES_TOGETHER:
            yield group
            group, size = [], 0
        group.append(file)
        size += file.size
    if group:
        yield group


def _with_prefixes(rows: pa.RecordBatch, prefixes: pa.Array) -> pa.RecordBatch:
    place = rows.schema.get_field_index(PARTITION)
    columns = [prefixes if number == place else column for number, column in enumerate(rows.columns)]
    return pa.RecordBatch.from_arrays(columns, schema=rows.schema)

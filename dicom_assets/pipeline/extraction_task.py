"""What a worker does of the pass: it reads files, calls the extractors, and writes the rows where it is."""

import time
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass

from dicom_assets.archive.base import Archive
from dicom_assets.archive.identity import Witness
from dicom_assets.archive.versions import Listed
from dicom_assets.delta.files import TableSink
from dicom_assets.delta.location import TableLocation
from dicom_assets.delta.origin import Origin
from dicom_assets.extract.ahead import opened_ahead
from dicom_assets.extract.extractor import Extractor
from dicom_assets.extract.rows import Row, Wanted, extract_rows, to_batch
from dicom_assets.extract.source_file import FileKey
from dicom_assets.pipeline.engine import StagedFile, from_piece, results_of
from dicom_assets.pipeline.task_times import TaskTime
from dicom_assets.tables import KEY, PARTITION

FILE_COLUMNS = ("relative_path", "fingerprint", "size", "etag", "source_version")
"""What the pass needs to know of a file besides its key."""
KEY_COLUMNS = (PARTITION, KEY, *FILE_COLUMNS)
_BATCH_FILES = 64
_BATCH_MEMBERS = 50_000
"""Members of lists that rows wait with until they are a batch: the frames of one file alone may be more."""


@dataclass(frozen=True, slots=True)
class ExtractionTask:
    """What a worker does with a piece of the pass: a table of wanted files, in the order of prefix and path.

    Attributes
    ----------
    archive, witness
        Where the files are, and what was known of that when the pass began.
    extractors, locations
        What is extracted, and the tables that it is written to.
    origin
        What the rows say of where they come from.

    """

    archive: Archive
    witness: Witness
    extractors: tuple[Extractor, ...]
    locations: tuple[TableLocation, ...]
    origin: Origin

    def __call__(self, piece: bytes) -> Iterator[bytes | float]:
        """Read the files of a piece, write their rows, and yield the data files that hold them.

        In between, the share of the piece that is read; last, how long all of it took.
        """
        started = time.monotonic()
        writers = {
            extractor.table.name: _Writer(extractor, TableSink(location.for_writing(), extractor.table), self.origin)
            for extractor, location in zip(self.extractors, self.locations, strict=True)
        }
        files = wanted_of(piece)
        with closing(opened_ahead(self.archive, self.extractors, files)) as opened:
            for number, file in enumerate(opened):
                rows = extract_rows(self.archive, self.extractors, file.wanted, self.witness, file.meter, file.opened)
                for name, row in rows.items():
                    writers[name].take(row, file.meter.bytes)
                if number % _BATCH_FILES == _BATCH_FILES - 1:
                    yield (number + 1) / len(files)
        for writer in writers.values():
            yield from results_of(writer.close())
        yield TaskTime(time.monotonic() - started).to_bytes()


class _Writer:
    """Gathers the rows of one table into batches, and counts by prefix what was read and what could not be."""

    def __init__(self, extractor: Extractor, sink: TableSink, origin: Origin) -> None:
        self._table = extractor.table
        self._sink = sink
        self._origin = origin
        self._rows: list[Row] = []
        self._members = 0
        self._unread: dict[str, int] = {}
        self._read: dict[str, int] = {}

    def take(self, row: Row, bytes_read: int) -> None:
        prefix = row[PARTITION]
        if row["fingerprint"] is None:
            self._unread[prefix] = self._unread.get(prefix, 0) + 1
        self._read[prefix] = self._read.get(prefix, 0) + bytes_read
        self._rows.append(row)
        self._members += sum(len(value) for value in row.values() if isinstance(value, list))
        if len(self._rows) == _BATCH_FILES or self._members >= _BATCH_MEMBERS:
            self._flush()

    def close(self) -> Iterator[StagedFile]:
        """Write what is left and yield the data files; a piece has one of each prefix."""
        self._flush()
        for add in self._sink.close():
            prefix = str(add.partition_values[PARTITION])
            yield StagedFile(self._table.name, add, self._unread.get(prefix, 0), self._read[prefix])

    def _flush(self) -> None:
        if self._rows:
            self._sink.write(self._origin.stamp(to_batch(self._rows, self._table)))
            self._rows, self._members = [], 0


def wanted_of(piece: bytes) -> list[Wanted]:
    """Return the files of a piece of work."""
    table = from_piece(piece)
    names = [name for name in table.column_names if name not in KEY_COLUMNS]
    found = []
    for row in table.to_pylist():
        key = FileKey(row[PARTITION], row[KEY], row["relative_path"], row["fingerprint"], Listed.of(row))
        found.append(Wanted(key, frozenset(name for name in names if row[name])))
    return found

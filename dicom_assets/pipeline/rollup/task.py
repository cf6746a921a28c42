"""What a worker does with a piece of a rollup: entities in, data files with their rows out."""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import pyarrow as pa

from dicom_assets.delta.files import TableSink
from dicom_assets.delta.location import TableLocation
from dicom_assets.delta.origin import Origin
from dicom_assets.delta.snapshot import Snapshot
from dicom_assets.extract.rollups import SERIES_UID, RollupTable
from dicom_assets.pipeline.engine import StagedFile, from_piece, results_of, to_piece
from dicom_assets.pipeline.join import by_prefix
from dicom_assets.pipeline.rollup.frames import FrameReader
from dicom_assets.pipeline.rollup.members import read_members
from dicom_assets.pipeline.rollup.rows import Row, study_rows
from dicom_assets.pipeline.rollup.series import series_rows

PLACES = "_places"
"""Column of a piece: the data files of ``object_catalog`` that hold the members of the entity."""

_MOST_FILES, _FEWEST_FILES = 20_000, 1_000
"""Files of a piece: what is read of them fits into memory, and they are worth a data file of their own."""
_PIECES_PER_CORE = 4


@dataclass(frozen=True, slots=True)
class RollupTask:
    """What a worker does with a piece: entities with ``prefix``, the key, ``extractor_version`` and :data:`PLACES`.

    Attributes
    ----------
    table
        The rollup.
    catalog, headers
        Snapshots of ``object_catalog`` and ``dicom_headers``.
    location
        Of the rollup.
    origin
        What the rows say of where they come from.

    """

    table: RollupTable
    catalog: Snapshot
    headers: Snapshot
    location: TableLocation
    origin: Origin

    def __call__(self, piece: bytes) -> Iterator[bytes]:
        """Write the rows of the entities of a piece, and yield the data files that hold them."""
        sink = TableSink(self.location.for_writing(), self.table)
        for work in by_prefix(from_piece(piece)):
            rows = pa.Table.from_pylist(self._rows(work), self.table.schema)
            for batch in self.origin.stamp(rows).to_batches():
                sink.write(batch)
        yield from results_of(StagedFile(self.table.name, add) for add in sink.close())

    def _rows(self, work: pa.Table) -> list[Row]:
        keys = work[self.table.key].combine_chunks()
        places = sorted({place for listed in work[PLACES].to_pylist() for place in listed})
        members = read_members(self.catalog, self.table, keys, places)
        if self.table.key == SERIES_UID:
            rows = series_rows(members, self.table, FrameReader(self.catalog, self.headers))
        else:
            rows = study_rows(members, self.table)
        versions = dict(zip(keys.to_pylist(), work["extractor_version"].to_pylist(), strict=True))
        return [{**row, "extractor_version": versions[row[self.table.key]]} for row in rows]


def cut_by_files(work: pa.Table, cores: int) -> list[bytes]:
    """Cut entities into pieces with about as many files each; one with more than its share is a piece alone.

    Parameters
    ----------
    work
        Entities with a column ``files``, which pieces keep, in the order of prefixes.
    cores
        How many pieces run side by side.

    """
    files = work["files"].to_numpy()
    wanted = 1 if cores == 1 else cores * _PIECES_PER_CORE
    size = min(_MOST_FILES, max(_FEWEST_FILES, -(-int(files.sum()) // wanted)))
    piece = (np.cumsum(files) - files) // size
    bounds = [0, *(np.flatnonzero(np.diff(piece)) + 1).tolist(), work.num_rows]
    return [to_piece(work.slice(start, end - start)) for start, end in pairwise(bounds)]

"""Tables of users that hold files of the catalog: any Delta table beside it with their paths or SOP Instance UIDs."""

from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from deltalake import DeltaTable
from pyarrow.fs import FileSystem

from dicom_assets.delta.history import CommitLog
from dicom_assets.delta.layout import from_log
from dicom_assets.delta.location import TableLocation
from dicom_assets.query.dataset import refuse_unreadable
from dicom_assets.query.errors import CatalogError
from dicom_assets.query.lineage import brought
from dicom_assets.query.lineage_model import Holder, Made
from dicom_assets.tables import KEY

INSTANCE = "SOPInstanceUID"
_READERS = 16


@dataclass(frozen=True, slots=True)
class UserTableAt:
    """A table of a user, at the version to look into."""

    name: str
    location: TableLocation
    delta: DeltaTable

    def holder(self, paths: Sequence[str], instances: Sequence[str]) -> Holder | None:
        """Return whether, and by whose doing, the table holds some files.

        Parameters
        ----------
        paths, instances
            Paths and SOP Instance UIDs of the files. Where a table has both columns, the path counts: files may share
            an instance.

        """
        wanted: Mapping[str, Sequence[str]] = {KEY: paths, INSTANCE: instances}
        types = {field.name: field.type for field in pa.schema(self.delta.schema().to_arrow())}
        column = next((name for name in wanted if name in types and _is_text(types[name])), None)
        if column is None or not wanted[column]:
            return None
        try:
            refuse_unreadable(self.location, self.delta)
        except CatalogError as error:
            return Holder(self.name, column, 0, problem=str(error))
        counts = self._count(column, pa.array(wanted[column], pa.string()))
        if not counts:
            return None
        log = CommitLog(self.location, self.delta.version())
        made = {brought(log, file, written) for (file, written), _ in counts}
        return Holder(self.name, column, sum(count for _, count in counts), max(made, key=_newest))

    def _count(self, column: str, values: pa.Array) -> list[tuple[tuple[str, datetime], int]]:
        """Return the data files that hold some values, when they were written, and how many rows of theirs do."""
        filesystem = self.location.filesystem()
        files = list(self._candidates(column, values))

        def count(file: tuple[str, datetime]) -> int:
            return _count_in(filesystem, file[0], column, values)

        with ThreadPoolExecutor(_READERS) as pool:
            return [(file, held) for file, held in zip(files, pool.map(count, files), strict=True) if held]

    def _candidates(self, column: str, values: pa.Array) -> Iterator[tuple[str, datetime]]:
        """Yield the data files that may hold one of some values, by their statistics."""
        low, high = (bound.as_py() for bound in pc.min_max(values).values())
        for action in pa.table(self.delta.get_add_actions(flatten=True)).to_pylist():
            first, last = action.get(f"min.{column}"), action.get(f"max.{column}")
            # Other writers cut long texts, so that what begins with a bound may be there too.
            if (first is None or first <= high) and (last is None or last >= low or low.startswith(last)):
                yield from_log(action["path"]), datetime.fromtimestamp(action["modification_time"] / 1000, UTC)


def _count_in(filesystem: FileSystem, path: str, column: str, values: pa.Array) -> int:
    """Return how many rows of a data file have one of some values; one that lacks the column has none."""
    found = 0
    with filesystem.open_input_file(path) as stream, pq.ParquetFile(stream, pre_buffer=False) as parquet:
        if column in parquet.schema_arrow.names:
            for batch in parquet.iter_batches(columns=[column], use_threads=False):
                found += pc.sum(pc.is_in(batch.column(0).cast(pa.string()), values)).as_py() or 0
    return found


def _is_text(type_: pa.DataType) -> bool:
    return bool(pa.types.is_string(type_) or pa.types.is_large_string(type_) or pa.types.is_string_view(type_))


def _newest(made: Made) -> int:
    return -1 if made.version is None else made.version

"""Work of the pipeline as pieces for an engine: cut into pieces, and data files that pieces write."""

import io
import pickle
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

import orjson
import pyarrow as pa
from deltalake.transaction import AddAction

from dicom_assets.delta.rewrite import FileRewrite
from dicom_assets.spark.work import REWRITES, Engine, Runner
from dicom_assets.tables import PARTITION

__all__ = ["Engine", "Runner", "StagedFile", "from_piece", "run_rewrites", "to_piece"]


@dataclass(frozen=True, slots=True)
class StagedFile:
    """A data file that a piece of work wrote.

    Attributes
    ----------
    table
        Name of its table.
    add
        The action that would add it.
    unread
        Number of its rows that are of files that could not be read.
    bytes_read
        Bytes that were read of the files that its rows are of.

    """

    table: str
    add: AddAction
    unread: int = 0
    bytes_read: int = 0

    @property
    def prefix(self) -> str:
        """Prefix of all its rows."""
        return str(self.add.partition_values[PARTITION])

    def to_bytes(self) -> bytes:
        """Return it as a result."""
        return orjson.dumps([self.table, vars(self.add), self.unread, self.bytes_read])

    @classmethod
    def from_bytes(cls, result: bytes) -> "StagedFile":
        """Return what :meth:`to_bytes` made a result of."""
        table, add, unread, bytes_read = orjson.loads(result)
        return cls(table, AddAction(**add), unread, bytes_read)


def to_piece(table: pa.Table) -> bytes:
    """Return a table as bytes (an Arrow IPC stream)."""
    sink = io.BytesIO()
    with pa.ipc.new_stream(sink, table.schema) as writer:
        writer.write_table(table)
    return sink.getvalue()


def from_piece(piece: bytes) -> pa.Table:
    """Return the table of :func:`to_piece`."""
    return pa.ipc.open_stream(piece).read_all()


def run_rewrites(engine: Engine, rewrites: Sequence[FileRewrite]) -> list[AddAction]:
    """Rewrite data files: few and small ones in this process, others on the workers."""
    if not rewrites:
        return []
    runner = engine.runner(len(rewrites), sum(rewrite.size for rewrite in rewrites), REWRITES)
    results = runner.run(_rewrite, [pickle.dumps(rewrite) for rewrite in rewrites])
    return [StagedFile.from_bytes(result).add for result in results]


def _rewrite(piece: bytes) -> Iterator[bytes]:
    rewrite: FileRewrite = pickle.loads(piece)  # noqa: S301 - our own
    yield from results_of(StagedFile("", add) for add in rewrite.run())


def results_of(files: Iterable[StagedFile]) -> Iterator[bytes]:
    """Return data files as the results of a piece."""
    return (file.to_bytes() for file in files)

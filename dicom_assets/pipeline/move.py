"""The tables follow an archive that was moved: paths are rewritten, nothing is read anew.

The move is stated first, in the properties of ``file_index``, and from then on every run is refused. Then each table is
rewritten in one commit that carries a transaction of the move, by which a repetition knows that it is done. At last the
index states its new source. Killed anywhere in between, the same move is taken up where it was left.
"""

import json
import uuid
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import pyarrow as pa
from deltalake.exceptions import CommitFailedError
from deltalake.transaction import AddAction

from dicom_assets.archive.base import Archive
from dicom_assets.archive.sources import read, rebased, same_source, written
from dicom_assets.delta.commit import Change, CommitConflictError
from dicom_assets.delta.files import DataFile, read_file, write_batches
from dicom_assets.delta.lake import Lake
from dicom_assets.delta.location import TableLocation
from dicom_assets.delta.snapshot import Snapshot
from dicom_assets.pipeline.engine import Engine, run_rewrites
from dicom_assets.pipeline.follow_move import ATTEMPTS, follow_once
from dicom_assets.pipeline.ownership import (
    MOVE,
    MOVED,
    Owner,
    SourceMismatchError,
    catalog_at,
    derived,
    pending_move,
    refuse_moving,
    set_properties,
)
from dicom_assets.storage.retries import retry_lost_race
from dicom_assets.tables import FILE_INDEX, KEY, PATHS, Table

_SAMPLE = 32
_MOST_MISSING = 0.5


@dataclass(frozen=True, slots=True)
class Relocation:
    """One data file to be replaced by itself with other paths.

    Attributes
    ----------
    location, table, file
        What is rewritten.
    old, new
        Roots of the archive.

    """

    location: TableLocation
    table: Table
    file: DataFile
    old: str
    new: str

    @property
    def size(self) -> int:
        """Bytes of the data file."""
        return self.file.size

    def run(self) -> list[AddAction]:
        """Write the rows under their new paths."""
        return write_batches(self.location.for_writing(), self.table, self._moved())

    def _moved(self) -> Iterator[pa.RecordBatch]:
        names = self.table.schema.names
        for batch in read_file(self.location.filesystem(), self.table, self.file, names):
            columns = [self._rebased(batch[name]) if name in PATHS else batch[name] for name in names]
            yield pa.RecordBatch.from_arrays(columns, schema=batch.schema)

    def _rebased(self, paths: pa.Array) -> pa.Array:
        moved = (None if path is None else rebased(path, self.old, self.new) for path in paths.to_pylist())
        return pa.array(moved, pa.string())


@dataclass(frozen=True, slots=True)
class Move:
    """A move of an archive.

    Attributes
    ----------
    id
        Of its own: an archive may move back and forth.
    old, new
        Roots of the archive, as tables hold them.

    """

    id: str
    old: str
    new: str

    @property
    def mark(self) -> str:
        """Key of the transaction that tells that a table has followed; no prefix has one with an asterisk."""
        return f"*moved/{self.id}"

    def text(self) -> str:
        """Return the move as a property states it."""
        return json.dumps({"id": self.id, "from": self.old, "to": self.new})


def move_source(
    lake: Lake, archive: Archive, tables: Sequence[Table], engine: Engine, *, unseen: bool = False
) -> Move | None:
    """Make a catalog follow its archive to another place.

    Parameters
    ----------
    lake
        The tables.
    archive
        Where the files are now.
    tables
        Those of the catalog's model; others that an extractor has filled follow too.
    engine
        Where data files are rewritten.
    unseen
        Whether to believe that it is the same archive though most files that are looked for are not there.

    Returns
    -------
    What was done; ``None`` where there is no catalog, or the archive is where it was.

    Raises
    ------
    SourceMismatchError
        It does not look like the same archive, it is cut into other prefixes, or another move is not done.

    """
    if not lake.location(FILE_INDEX).exists():
        return None
    move = retry_lost_race(lambda: _stated(lake, archive, unseen=unseen), CommitFailedError, ATTEMPTS)
    if move is None:
        return None
    for table in reversed(lake.existing(tables)):
        _relocate(lake.location(table), lake, table, move, engine)
    set_properties(
        lake.location(FILE_INDEX), {**Owner(read(move.new), archive.cut).properties(), MOVE: "", MOVED: move.id}
    )
    return move


def _stated(lake: Lake, archive: Archive, *, unseen: bool) -> Move | None:
    """Return the move that the index states: one that was interrupted, or this one from now on.

    Raises ``CommitFailedError`` when another writer was faster.
    """
    delta = lake.location(FILE_INDEX).open()
    properties = delta.metadata().configuration
    if pending := pending_move(properties):
        if "prefixes" in pending or not same_source(pending["to"], archive.root):
            refuse_moving(lake, properties)
        return Move(pending["id"], pending["from"], pending["to"])
    index = lake.snapshot(FILE_INDEX)
    owner = Owner.read(properties) or derived(index, archive)
    if owner is None:
        return None
    replace(owner, source=archive.root).admit(archive, catalog_at(lake))
    if same_source(owner.source, archive.root):
        return None
    if not unseen:
        _check_same_files(index, owner, archive)
    move = Move(uuid.uuid4().hex, written(owner.source), written(archive.root))
    stated = Owner(owner.source, archive.cut).properties()
    # On the version that was read: of two moves at once, the second is refused.
    delta.alter.set_table_properties({**stated, MOVE: move.text()}, raise_if_not_exists=False)
    return move


def _check_same_files(index: Snapshot, owner: Owner, archive: Archive) -> None:
    """Raise ``SourceMismatchError`` unless most of some files of the index are where the archive is now."""
    files = index.files[:: max(1, len(index.files) // _SAMPLE)][:_SAMPLE]
    looked_for = [
        row[KEY]
        for file in files
        for _, batch in list(index.rows([KEY, "removed_at"], [file]))[:1]
        for row in batch.slice(0, max(1, _SAMPLE // len(files))).to_pylist()
        if row["removed_at"] is None
    ]
    missing = sum(not archive.exists(rebased(path, owner.source, archive.root)) for path in looked_for)
    if missing > _MOST_MISSING * len(looked_for):
        raise SourceMismatchError(
            f"{missing} of {len(looked_for)} files that were looked for are not at {written(archive.root)}: it is not "
            f"the archive that was at {written(owner.source)}. If it is, run again with --allow-mass-deletion"
        )


def _relocate(location: TableLocation, lake: Lake, table: Table, move: Move, engine: Engine) -> None:
    """Rewrite the paths of a table."""

    def relocated() -> Change | None:
        prefixes = sorted({file.prefix for file in lake.snapshot(table).files})
        if not prefixes:
            return None
        snapshot = lake.snapshot(table, prefixes)
        todo = [Relocation(location, table, file, read(move.old), read(move.new)) for file in snapshot.files]
        return Change(run_rewrites(engine, todo), snapshot.files, snapshot.writes)

    if not follow_once(location, move, relocated):
        raise CommitConflictError(f"table {table.name}: runs that began before the move kept changing it")

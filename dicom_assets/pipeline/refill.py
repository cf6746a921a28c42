"""Rows of an older version that hold all that the present one needs: made anew from themselves, without their files."""

import pickle
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

import pyarrow as pa
import pyarrow.compute as pc
from deltalake.transaction import AddAction

from dicom_assets.delta.files import DataFile, read_file, write_batches
from dicom_assets.delta.lake import Lake
from dicom_assets.delta.location import TableLocation
from dicom_assets.delta.origin import Origin, Rows
from dicom_assets.delta.rewrite import keys_by_file
from dicom_assets.delta.snapshot import FILE, Snapshot
from dicom_assets.pipeline.difference import difference
from dicom_assets.pipeline.engine import Engine, StagedFile, results_of
from dicom_assets.pipeline.ownership import refuse_moving
from dicom_assets.pipeline.plan import Staged, TablePlan
from dicom_assets.pipeline.row_versions import with_row_version
from dicom_assets.spark.work import REWRITES
from dicom_assets.tables import FILE_INDEX, KEY, Table

_VERSION = "extractor_version"
_STATE = ("fingerprint", _VERSION)
_COPIES = "_copies"


class Refiller(Protocol):
    """Makes rows of a table anew from themselves, as some extractors do. Instances travel to Spark workers."""

    @property
    def table(self) -> Table:
        """The table."""
        ...

    def refilled(self, version: str) -> str | None:
        """Return the version that rows of a version become, ``None`` where they stay as they are."""
        ...

    def refill(self, rows: pa.RecordBatch) -> pa.RecordBatch:
        """Return rows as their new version has them; the version itself is not set."""
        ...


@dataclass(frozen=True, slots=True)
class Refill:
    """Some rows of one data file, to be written as another version has them.

    Attributes
    ----------
    location
        Of the table.
    refiller
        Makes the rows.
    file
        The data file that holds them.
    paths
        Their keys.
    origin
        What the rows say of where they come from.

    """

    location: TableLocation
    refiller: Refiller
    file: DataFile
    paths: frozenset[str]
    origin: Origin

    def run(self) -> list[AddAction]:
        """Write the rows, as data files that are not yet part of the table."""
        return write_batches(self.location.for_writing(), self.refiller.table, self._rows())

    def _rows(self) -> Iterator[pa.RecordBatch]:
        table = self.refiller.table
        wanted = pa.array(sorted(self.paths), pa.string())
        whole = self.file.rows == len(self.paths)
        for batch in read_file(self.location.filesystem(), table, self.file, table.schema.names):
            some = batch if whole else batch.filter(pc.is_in(batch.column(KEY), wanted))
            if some.num_rows:
                yield self.origin.stamp(_with_version(self.refiller, self.refiller.refill(some)))


def refillable(refiller: Refiller, held: pa.Table) -> pa.Table:
    """Return the rows of a table that are made anew from themselves.

    Parameters
    ----------
    refiller
        Knows which versions it makes of others.
    held
        Columns ``path``, ``fingerprint``, ``extractor_version`` and any others, of all rows.

    Returns
    -------
    Those that were made from a version of their file, and stand once.

    """
    versions = list(_new_versions(refiller, held[_VERSION]))
    enough = pc.and_(pc.is_in(held[_VERSION], pa.array(versions, pa.string())), pc.is_valid(held["fingerprint"]))
    found = held.filter(enough)
    counts = held.group_by(KEY).aggregate([([], "count_all")]).rename_columns([KEY, _COPIES])
    twice = counts.filter(pc.greater(counts[_COPIES], 1))[KEY].combine_chunks()
    return found.filter(pc.invert(pc.is_in(found[KEY], twice)))


def _new_versions(refiller: Refiller, held: pa.Array | pa.ChunkedArray) -> dict[str, str]:
    """Return what versions become, for those that do not stay."""
    stored = (version for version in pc.unique(held).to_pylist() if version)
    return {version: new for version in stored if (new := refiller.refilled(version)) is not None}


def _with_version(refiller: Refiller, rows: Rows) -> Rows:
    """Return rows under the version that they become."""
    place = rows.schema.get_field_index(_VERSION)
    versions = _new_versions(refiller, rows.column(place))
    old, new = pa.array(list(versions), pa.string()), pa.array(list(versions.values()), pa.string())
    named = new.take(pc.index_in(pa.array(rows.column(place).to_pylist(), pa.string()), value_set=old))
    return rows.set_column(place, rows.schema.field(place), named)


def stage_refills(
    refillers: Sequence[Refiller],
    snapshots: Mapping[str, Snapshot],
    rows: Mapping[str, pa.Table],
    engine: Engine,
    origin: Origin,
) -> Staged:
    """Write rows that are made anew from themselves.

    Parameters
    ----------
    refillers
        Those whose rows are wanted.
    snapshots
        Of their tables, by name.
    rows
        By table, the columns ``path`` and :data:`~dicom_assets.delta.snapshot.FILE` of what :func:`refillable` found.
    engine
        Where the work runs.
    origin
        What the rows say of where they come from.

    """
    refills = [
        refill
        for refiller in refillers
        for refill in _by_file(refiller, snapshots[refiller.table.name], rows[refiller.table.name], origin)
    ]
    if not refills:
        return Staged({}, origin=origin)
    runner = engine.runner(len(refills), sum(refill.file.size for refill in refills), REWRITES)
    files = list(map(StagedFile.from_bytes, runner.run(_refill, [pickle.dumps(refill) for refill in refills])))
    adds = {name: [file.add for file in files if file.table == name] for name in snapshots}
    return Staged(adds, runner.name, runner.url, origin=origin)


def _by_file(refiller: Refiller, snapshot: Snapshot, rows: pa.Table, origin: Origin) -> Iterator[Refill]:
    paths = keys_by_file(rows, KEY)
    for file in snapshot.files:
        if file.path in paths:
            yield Refill(snapshot.location, refiller, file, paths[file.path], origin)


def _refill(piece: bytes) -> Iterator[bytes]:
    refill: Refill = pickle.loads(piece)  # noqa: S301 - our own
    yield from results_of(StagedFile(refill.refiller.table.name, add) for add in refill.run())


@dataclass(frozen=True, slots=True)
class RefillPlan:
    """Which rows are made anew from themselves.

    Attributes
    ----------
    tables
        What is to be done to the table.
    rows
        Columns ``path`` and :data:`~dicom_assets.delta.snapshot.FILE` of the rows.

    """

    tables: Mapping[str, TablePlan]
    rows: pa.Table

    def confirm(self) -> None:
        """Do nothing: the rows are made of the table, whose own commit tells whether it changed."""


@dataclass(frozen=True, slots=True)
class RefillStep:
    """Makes the rows of one table that it can anew from themselves, and leaves all others as they are."""

    lake: Lake
    refiller: Refiller
    prefixes: Sequence[str]
    run_id: str | None = None

    def plan(self) -> RefillPlan:
        """Find the rows of other versions; raises ``SourceMismatchError`` while the archive is being moved."""
        table = self.refiller.table
        snapshot = self.lake.snapshot(table, self.prefixes)
        refuse_moving(self.lake, self.lake.snapshot(FILE_INDEX, self.prefixes).properties)
        rows = refillable(self.refiller, snapshot.keys(_STATE))
        due = _with_version(self.refiller, rows)
        lacking = difference(with_row_version(due, *_STATE), with_row_version(rows, *_STATE))
        return RefillPlan({table.name: TablePlan(snapshot, lacking)}, rows.select([KEY, FILE]))

    def stage(self, plan: RefillPlan, names: Collection[str], engine: Engine) -> Staged:
        """Write the rows, as data files that are not yet part of the table."""
        snapshots = {name: plan.tables[name].snapshot for name in names}
        return stage_refills(
            [self.refiller], snapshots, dict.fromkeys(names, plan.rows), engine, Origin.now(self.run_id)
        )

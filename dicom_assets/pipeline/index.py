"""The file index follows the archive: what is listed is in it, once, as listed."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace

import pyarrow as pa
import pyarrow.compute as pc
from deltalake.transaction import AddAction

from dicom_assets.archive.base import Archive
from dicom_assets.archive.identity import Witness
from dicom_assets.delta.files import write_batches
from dicom_assets.delta.lake import Lake
from dicom_assets.delta.origin import Origin
from dicom_assets.delta.snapshot import Snapshot
from dicom_assets.pipeline.deletions import DeletionGuard, emptied_prefixes, vanished
from dicom_assets.pipeline.difference import Difference, UpdateMode, count_by_prefix, difference
from dicom_assets.pipeline.engine import Engine
from dicom_assets.pipeline.head_check import HeadCheck
from dicom_assets.pipeline.listings import Listings, known_of, list_prefixes
from dicom_assets.pipeline.ownership import claim
from dicom_assets.pipeline.plan import Staged, TablePlan
from dicom_assets.pipeline.row_versions import ROW_VERSION, with_row_version, without_row_version
from dicom_assets.pipeline.versions import INDEXED, Verified, Verify, settle
from dicom_assets.spark.work import Progress, ignore_progress
from dicom_assets.tables import FILE_INDEX, KEY, PARTITION, PROVENANCE

_LIVE, _GONE = "", "removed"


@dataclass(frozen=True, slots=True)
class IndexPlan:
    """What a listing says of the index.

    Attributes
    ----------
    archive
        What was listed, as the catalog knows it.
    witness
        What was known of the archive when the listing began.
    prefixes
        Those that were listed.
    listings
        What was listed. Of prefixes that were not listed whole, files are added and changed as listed, and none is
        removed.
    listing
        The files that something was learnt of, as the index is to hold them.
    gone
        Number of files that the index holds and the listing does not, by prefix.
    verified
        What was found of files that may be other versions.
    tables
        What is to be done to the index.

    """

    archive: Archive
    witness: Witness
    prefixes: Sequence[str]
    listings: Listings
    listing: pa.Table
    gone: Mapping[str, int]
    verified: Verified
    tables: Mapping[str, TablePlan]

    def confirm(self) -> None:
        """Raise ``ArchiveError`` unless the archive is the one whose listing began, with its folders in place."""
        self.witness.confirm(self.archive, self.prefixes)


@dataclass(frozen=True, slots=True)
class IndexStep:
    """Brings the index of some prefixes up to date.

    Attributes
    ----------
    lake, archive, prefixes, mode
        What to do, and where.
    guard
        Refuses mass deletion; ``None`` allows it.
    verify
        Tells whether files are other versions that do not differ in size and time; by default by their heads.
    progress
        Is told the share of the prefixes that is listed.
    run_id
        What rows say of who made them.

    """

    lake: Lake
    archive: Archive
    prefixes: Sequence[str]
    mode: UpdateMode = UpdateMode.SYNC
    guard: DeletionGuard | None = field(default_factory=DeletionGuard)
    verify: Verify | None = None
    progress: Progress = ignore_progress
    run_id: str | None = None

    def plan(self) -> IndexPlan:
        """List the prefixes and compare.

        Raises
        ------
        SourceMismatchError
            The catalog belongs to another source.
        ArchiveError
            The root of the archive cannot be listed, or is another one than it was when its listing began.
        MassDeletionError
            The guard refuses.

        """
        snapshot = self.lake.snapshot(FILE_INDEX, self.prefixes)
        archive = claim(self.lake, self.archive, snapshot.properties)
        witness = Witness.of(archive, self.prefixes)
        listings = list_prefixes(archive, self.prefixes, self.progress, known_of(snapshot))
        witness.confirm(archive, self.prefixes)
        rows = snapshot.keys(INDEXED)
        untold = listings.untold(rows)
        actual = rows.join(untold.select([KEY]), KEY, join_type="left anti") if untold.num_rows else rows
        settled = settle(listings.without(untold), actual, self.verify or HeadCheck(self.lake, archive, self.prefixes))
        gone = actual.join(settled.listing.select([KEY]), KEY, join_type="left anti")
        self._check_losses(archive, actual, settled.listing, gone)
        found = self._difference(actual, settled.listing, gone)
        kept = _sum(found.kept, count_by_prefix(untold))
        adopted = found.adopted if self.mode is UpdateMode.OVERWRITE else settled.adopted
        plan = TablePlan(snapshot, replace(found, kept=kept, adopted=adopted))
        return IndexPlan(
            archive,
            witness,
            self.prefixes,
            listings,
            settled.listing,
            _count_live(gone),
            settled.verified,
            {FILE_INDEX.name: plan},
        )

    def _difference(self, actual: pa.Table, listing: pa.Table, gone: pa.Table) -> Difference:
        """Compare the rows that something was learnt of."""
        expected = _state(listing, _LIVE)
        if self.mode is UpdateMode.APPEND:
            flagged = _state(gone, _GONE).select([PARTITION, KEY, ROW_VERSION])
            # A join takes "not null" off its columns: the schemas differ in that alone.
            expected = pa.concat_tables(
                [expected.select([PARTITION, KEY, ROW_VERSION]), flagged], promote_options="permissive"
            )
        if self.mode is UpdateMode.OVERWRITE:
            return difference(expected, without_row_version(actual))
        removed = pc.if_else(pc.is_valid(actual["removed_at"]), _GONE, _LIVE)
        return difference(expected, _with_state(actual, removed))

    def _check_losses(self, archive: Archive, actual: pa.Table, listing: pa.Table, missing: pa.Table) -> None:
        """Raise ``MassDeletionError`` when too much is gone, of these prefixes or of the whole archive."""
        gone = _count_live(missing)
        if self.guard is None or self.mode is UpdateMode.APPEND or not gone:
            return
        known = _count_live(actual)
        self.guard.check(known, gone)
        self.guard.check_emptied(emptied_prefixes(archive, known, count_by_prefix(listing)))
        rows = self.lake.file_list(FILE_INDEX).rows_by_prefix()
        elsewhere = sum(count for prefix, count in rows.items() if prefix not in known)
        lost = vanished(archive, archive.prefixes(), rows, self.prefixes)
        self.guard.check_whole(elsewhere + sum(known.values()), lost + sum(gone.values()))

    def stage(self, plan: IndexPlan, names: Collection[str], engine: Engine) -> Staged:  # noqa: ARG002
        """Write the new rows, as data files that are not yet part of the table; they are made in this process."""
        origin = Origin.now(self.run_id)
        return Staged({name: _write(plan, plan.tables[name], origin) for name in names}, origin=origin)


def _write(plan: IndexPlan, table: TablePlan, origin: Origin) -> list[AddAction]:
    """Write the rows that the index lacks."""
    work = table.difference.work
    now = pa.scalar(origin.made_at, FILE_INDEX["indexed_at"].type)
    listed = plan.listing.join(work.select([KEY]), KEY, join_type="left semi")
    listed = listed.append_column("_now", pc.fill_null(listed["indexed_at"], now)).drop_columns("indexed_at")
    listed = listed.rename_columns({"_now": "indexed_at"})
    listed = listed.append_column("removed_at", pa.nulls(listed.num_rows, now.type))
    gone = work.join(plan.listing.select([KEY]), KEY, join_type="left anti")
    listed = _with_origin(listed, table, origin)
    rows = [listed.select(FILE_INDEX.schema.names).cast(FILE_INDEX.schema)]
    if gone.num_rows:
        rows.append(origin.stamp(_flag_removed(table.snapshot, gone[KEY].combine_chunks(), now)))
    ordered = pa.concat_tables(rows).sort_by([(PARTITION, "ascending"), (KEY, "ascending")])
    return write_batches(table.snapshot.location.filesystem(), FILE_INDEX, ordered.to_batches())


def _with_origin(listed: pa.Table, table: TablePlan, origin: Origin) -> pa.Table:
    """Return listed rows with their origin; those that are only written anew keep the one that they have."""
    adopted = table.difference.adopted[KEY].combine_chunks()
    if not len(adopted):
        return origin.stamp(listed)
    before = table.snapshot.rows_of(adopted)
    made = listed.filter(pc.invert(pc.is_in(listed[KEY], adopted)))
    same = listed.filter(pc.is_in(listed[KEY], adopted))
    before = before.take(pc.index_in(same[KEY].combine_chunks(), before[KEY].combine_chunks()))
    for column in PROVENANCE:
        same = same.append_column(column.name, before[column.name])
    return pa.concat_tables([origin.stamp(made), same])


def _flag_removed(snapshot: Snapshot, paths: pa.Array, now: pa.Scalar) -> pa.Table:
    """Return the rows of files that are gone, with the time they were found gone."""
    rows = snapshot.rows_of(paths)
    position = rows.schema.get_field_index("removed_at")
    return rows.set_column(position, FILE_INDEX.schema.field("removed_at"), pa.repeat(now, rows.num_rows))


def _count_live(rows: pa.Table) -> dict[str, int]:
    return count_by_prefix(rows.filter(pc.is_null(rows["removed_at"])))


def _state(rows: pa.Table, removed: str) -> pa.Table:
    return _with_state(rows, pa.repeat(removed, rows.num_rows))


def _with_state(rows: pa.Table, removed: pa.Array | pa.ChunkedArray) -> pa.Table:
    """Return rows with a version made of all that the index says of one."""
    rows = rows.append_column("_version", pc.fill_null(rows["source_version"], ""))
    return with_row_version(rows.append_column("_removed", removed), "fingerprint", "_version", "_removed")


def _sum(one: Mapping[str, int], other: Mapping[str, int]) -> dict[str, int]:
    return {prefix: one.get(prefix, 0) + other.get(prefix, 0) for prefix in {*one, *other}}

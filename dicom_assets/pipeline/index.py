"""The file index follows the archive: what is listed is in it, once, as listed."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime

import pyarrow as pa
import pyarrow.compute as pc
from deltalake.transaction import AddAction

from dicom_assets.archive.base import Archive
from dicom_assets.archive.identity import Witness
from dicom_assets.delta.files import write_batches
from dicom_assets.delta.lake import Lake
from dicom_assets.delta.snapshot import Snapshot, live_files
from dicom_assets.pipeline.deletions import DeletionGuard, emptied_prefixes, rows_by_prefix, vanished
from dicom_assets.pipeline.head_check import HeadCheck
from dicom_assets.pipeline.listings import Listings, list_prefixes
from dicom_assets.pipeline.ownership import claim
from dicom_assets.pipeline.reconcile import TOKEN, Difference, Plan, UpdateMode, count_by_prefix, difference
from dicom_assets.pipeline.row_versions import with_null_token, with_token
from dicom_assets.pipeline.versions import INDEXED, Verified, Verify, settle
from dicom_assets.tables import FILE_INDEX, KEY, PARTITION

_LIVE, _GONE = "", "removed"


@dataclass
class IndexStep:
    """Brings the index of some prefixes up to date.

    Attributes
    ----------
    lake, archive, prefixes, mode
        What to do, and where.
    guard
        Refuses mass deletion; ``None`` allows it.
    listings
        What was listed; filled by :meth:`plan`. Of prefixes that were not listed whole, files are added and changed as
        listed, and none is removed.
    verify
        Tells whether files are other versions that do not differ in size and time; by default by their heads.
    verified
        What it told, in all plans.
    gone
        Number of files that the index holds and the last listing does not, by prefix.

    """

    lake: Lake
    archive: Archive
    prefixes: Sequence[str]
    mode: UpdateMode = UpdateMode.SYNC
    guard: DeletionGuard | None = field(default_factory=DeletionGuard)
    verify: Verify | None = None
    verified: Verified = field(default=Verified(), init=False)
    gone: Mapping[str, int] = field(default_factory=dict, init=False, repr=False)
    listings: Listings = field(init=False, repr=False)
    _listing: pa.Table = field(init=False, repr=False)
    _witness: Witness = field(init=False, repr=False)

    def plan(self, name: str) -> Plan:  # noqa: ARG002 - part of the protocol, this step has one table
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
        self.archive = claim(self.lake, self.archive, snapshot.properties)
        self._witness = Witness.of(self.archive, self.prefixes)
        self.listings = list_prefixes(self.archive, self.prefixes)
        self.confirm()
        rows = snapshot.keys(INDEXED)
        untold = self.listings.untold(rows)
        actual = rows.join(untold.select([KEY]), KEY, join_type="left anti") if untold.num_rows else rows
        listing = self.listings.without(untold)
        settled = settle(listing, actual, self.verify or HeadCheck(self.lake, self.archive, self.prefixes))
        self._listing = settled.listing
        self.verified += settled.verified
        found = self._difference(actual)
        kept = _sum(found.kept, count_by_prefix(untold))
        adopted = found.adopted if self.mode is UpdateMode.OVERWRITE else settled.adopted
        return Plan(snapshot, replace(found, kept=kept, adopted=adopted))

    def confirm(self) -> None:
        """Raise ``ArchiveError`` unless the archive is the one whose listing began, with its folders in place."""
        self._witness.confirm(self.archive, self.prefixes)

    def _difference(self, actual: pa.Table) -> Difference:
        """Compare the rows that something was learnt of."""
        expected = _state(self._listing, _LIVE)
        gone = actual.join(self._listing.select([KEY]), KEY, join_type="left anti")
        self.gone = _count_live(gone)
        if self.mode is UpdateMode.APPEND:
            flagged = _state(gone, _GONE).select([PARTITION, KEY, TOKEN])
            # A join takes "not null" off its columns: the schemas differ in that alone.
            expected = pa.concat_tables(
                [expected.select([PARTITION, KEY, TOKEN]), flagged], promote_options="permissive"
            )
        elif self.guard is not None:
            self._check_losses(self.guard, _count_live(actual))
        if self.mode is UpdateMode.OVERWRITE:
            return difference(expected, with_null_token(actual))
        removed = pc.if_else(pc.is_valid(actual["removed_at"]), _GONE, _LIVE)
        return difference(expected, _with_state(actual, removed))

    def _check_losses(self, guard: DeletionGuard, known: Mapping[str, int]) -> None:
        """Raise ``MassDeletionError`` when too much is gone, of these prefixes or of the whole archive."""
        if not self.gone:
            return
        guard.check(known, self.gone)
        guard.check_emptied(emptied_prefixes(self.archive, known, count_by_prefix(self._listing)))
        rows = rows_by_prefix(live_files(self.lake.location(FILE_INDEX).open()))
        elsewhere = sum(count for prefix, count in rows.items() if prefix not in known)
        lost = vanished(self.archive, self.archive.prefixes(), rows, self.prefixes)
        guard.check_whole(elsewhere + sum(known.values()), lost + sum(self.gone.values()))

    def stage(self, plans: Mapping[str, Plan]) -> dict[str, list[AddAction]]:
        """Write the new rows, as data files that are not yet part of the table."""
        return {name: self._stage(plan) for name, plan in plans.items()}

    def _stage(self, plan: Plan) -> list[AddAction]:
        work = plan.difference.work
        now = pa.scalar(datetime.now(UTC), FILE_INDEX["indexed_at"].type)
        listed = self._listing.join(work.select([KEY]), KEY, join_type="left semi")
        listed = listed.append_column("_now", pc.fill_null(listed["indexed_at"], now)).drop_columns("indexed_at")
        listed = listed.rename_columns({"_now": "indexed_at"})
        listed = listed.append_column("removed_at", pa.nulls(listed.num_rows, now.type))
        gone = work.join(self._listing.select([KEY]), KEY, join_type="left anti")
        rows = [listed.select(FILE_INDEX.schema.names).cast(FILE_INDEX.schema)]
        if gone.num_rows:
            rows.append(_flag_removed(plan.snapshot, gone[KEY].combine_chunks(), now))
        ordered = pa.concat_tables(rows).sort_by([(PARTITION, "ascending"), (KEY, "ascending")])
        return write_batches(plan.snapshot.location.filesystem(), FILE_INDEX, ordered.to_batches())


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
    """Return rows with a token of all that the index says of a version."""
    rows = rows.append_column("_version", pc.fill_null(rows["source_version"], ""))
    return with_token(rows.append_column("_removed", removed), "fingerprint", "_version", "_removed")


def _sum(one: Mapping[str, int], other: Mapping[str, int]) -> dict[str, int]:
    return {prefix: one.get(prefix, 0) + other.get(prefix, 0) for prefix in {*one, *other}}

"""What was listed of some prefixes, and of which known files that says nothing: what cannot be seen is not gone."""

from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import pyarrow as pa
import pyarrow.compute as pc

from dicom_assets.archive.base import Archive, Known
from dicom_assets.archive.knowing import knowing
from dicom_assets.archive.listing import LISTING_SCHEMA, UNKNOWN, ListingError
from dicom_assets.archive.prefetch import ONE_BY_ONE
from dicom_assets.delta.snapshot import Snapshot
from dicom_assets.spark.work import Progress, ignore_progress
from dicom_assets.tables import FILE_INDEX, KEY, PARTITION

_LISTERS = 8
"""Prefixes of a store or a share that are listed at a time: each is waited for."""
_ON_A_DISK = 4
"""Of a disk of this machine, which answers most of the time from memory: more would wait for Python's lock. Of a
million files in a thousand folders, one took 42 s, two 31, four 37, eight 55, sixteen 67."""


@dataclass(frozen=True, slots=True)
class Listings:
    """What was listed of some prefixes.

    Attributes
    ----------
    files
        As :data:`~dicom_assets.archive.listing.LISTING_SCHEMA`.
    unlisted
        Why a prefix could not be listed whole, by prefix.

    """

    files: pa.Table
    unlisted: Mapping[str, str]

    def failed(self, prefixes: Sequence[str]) -> bool:
        """Return whether nothing could be listed at all: no file, and none of the prefixes whole."""
        return not self.files.num_rows and bool(self.unlisted) and set(prefixes) <= self.unlisted.keys()

    def untold(self, known: pa.Table) -> pa.Table:
        """Return the known rows that nothing was learnt of.

        Those are the rows of prefixes that were not listed whole, save what was listed of them, and the rows of files
        that the storage shows and tells nothing of.

        Parameters
        ----------
        known
            Columns ``prefix``, ``path`` and any others.

        """
        unsure = pc.equal(self.files["fingerprint"], UNKNOWN)
        if not self.unlisted and not pc.any(unsure).as_py():
            return known.slice(0, 0)
        told = self.files.filter(pc.invert(unsure))
        unlisted = pc.is_in(known[PARTITION], pa.array(list(self.unlisted), pa.string()))
        missing = known.filter(unlisted).join(told.select([KEY]), KEY, join_type="left anti")
        rest = known.filter(pc.invert(unlisted))
        seen = rest.join(self.files.filter(unsure).select([KEY]), KEY, join_type="left semi")
        return pa.concat_tables([missing, seen], promote_options="permissive")

    def without(self, untold: pa.Table) -> pa.Table:
        """Return the listed files less those that nothing was learnt of."""
        return self.files.join(untold.select([KEY]), KEY, join_type="left anti") if untold.num_rows else self.files


def list_prefix(archive: Archive, prefix: str, known: Known | None = None) -> Listings:
    """List one prefix.

    Parameters
    ----------
    archive, prefix
        What is listed.
    known
        What the index has, so that containers that did not change are not read again, and that an inventory is not
        believed where it is old.

    Raises
    ------
    ArchiveError
        The archive cannot be listed.

    """
    try:
        return Listings(knowing(archive, known).list(prefix), {})
    except ListingError as error:
        return Listings(error.listed, {prefix: str(error)})


def known_of(index: Snapshot) -> Known:
    """Return what an index has of a prefix, read when a listing asks for it: for containers and an inventory."""

    def rows(prefix: str) -> pa.Table:
        names = [*LISTING_SCHEMA.names, "removed_at"]
        batches = [batch for _, batch in index.rows(names, index.of_prefix(prefix))]
        return still_there(pa.Table.from_batches(batches, pa.schema([FILE_INDEX.schema.field(name) for name in names])))

    return rows


def still_there(rows: pa.Table) -> pa.Table:
    """Return the rows of an index whose files are there."""
    return rows.filter(pc.is_null(rows["removed_at"]))


def at_a_time(archive: Archive) -> int:
    """Return how many prefixes to list side by side."""
    return _ON_A_DISK if archive.prefetch == ONE_BY_ONE else _LISTERS


def list_prefixes(
    archive: Archive, prefixes: Sequence[str], progress: Progress = ignore_progress, known: Known | None = None
) -> Listings:
    """List prefixes side by side and tell the share of them that is listed; raises as :func:`list_prefix`."""
    listings = []
    with ThreadPoolExecutor(at_a_time(archive)) as pool:
        for number, listing in enumerate(pool.map(lambda prefix: list_prefix(archive, prefix, known), prefixes), 1):
            listings.append(listing)
            progress(number / len(prefixes))
    files = [LISTING_SCHEMA.empty_table(), *(listing.files for listing in listings)]
    unlisted = {prefix: reason for listing in listings for prefix, reason in listing.unlisted.items()}
    return Listings(pa.concat_tables(files), unlisted)

"""Which version of each listed file is before us: the one that the index has, or another.

Size and time of last modification do not tell all: two slices can change places by ``mv``, or one replace the other by
``cp -p``, with neither any different. The time of status change or the inode number then is. But so it is after a
``chmod -R``, and for every file of a restored backup or of a share that was mounted anew. Such files are *suspects*:
they are verified before they are taken for other versions. Another version of equal size and time has a fingerprint
that names it by more than those. Members of containers are suspects where their container has changed and no checksum
tells them apart.
"""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import pyarrow as pa
import pyarrow.compute as pc

from dicom_assets.archive.listing import with_column
from dicom_assets.tables import KEY, PARTITION

INDEXED = ("fingerprint", "source_version", "indexed_at", "removed_at")
"""Columns of the index that tell versions of files."""

KNOWN = "known"
"""Column of suspects: the fingerprint that the index has."""

Verify = Callable[[pa.Table], Sequence[str | None]]
"""Takes suspects: columns of a listing and :data:`KNOWN`; returns their fingerprints, ``None`` where it cannot tell."""

_MARK = r"^(\d+--?\d+(?:@\d+--?\d+)?)-[0-9a-f]+$"
_BY_CONTENT = r"^crc32:|![a-z]+$"
"""Fingerprints that need no verifying: of members of a ZIP, by their checksums; of containers that cannot be listed."""


def marked(fingerprint: str, digest: str) -> str:
    """Return the fingerprint of another version of equal size and time, by a digest in hexadecimal."""
    return f"{fingerprint}-{digest}"


def mark_of(fingerprint: str) -> str | None:
    """Return the digest that :func:`marked` put into a fingerprint, ``None`` where there is none."""
    return fingerprint.rpartition("-")[2] if re.match(_MARK, fingerprint) else None


@dataclass(frozen=True, slots=True)
class Verified:
    """What became of suspects.

    Attributes
    ----------
    same, other, unread
        Number of files that are the versions that the index has, of those that are not, and of those that could not be
        read: these stay as the index has them, and are suspects again in the next run.

    """

    same: int = 0
    other: int = 0
    unread: int = 0

    def __add__(self, more: "Verified") -> "Verified":
        """Return the sums."""
        return Verified(self.same + more.same, self.other + more.other, self.unread + more.unread)


@dataclass(frozen=True, slots=True)
class Settled:
    """A listing in the words of the index.

    Attributes
    ----------
    listing
        As listed, but ``fingerprint`` and ``source_version`` as the index is to hold them, with ``indexed_at`` of the
        versions that it has, null of others.
    adopted
        Columns ``prefix`` and ``path`` of files whose version the index has, and only another ``source_version`` of it,
        or none, as indexes of older releases do.
    verified
        What became of suspects.

    """

    listing: pa.Table
    adopted: pa.Table
    verified: Verified


def settle(listing: pa.Table, index: pa.Table, verify: Verify) -> Settled:
    """Tell which files of a listing are the versions that the index has.

    Parameters
    ----------
    listing
        As an archive returns it.
    index
        Columns ``path`` and :data:`INDEXED` of the same prefixes.
    verify
        Is asked about suspects, if there are any.

    """
    before = index.select(list(INDEXED)).take(
        pc.index_in(listing[KEY], value_set=index[KEY].combine_chunks()).combine_chunks()
    )
    on_disk = pc.is_valid(listing["source_version"])
    unmarked = pc.replace_substring_regex(before["fingerprint"], _MARK, r"\1")
    alike = pc.and_(on_disk, _sure(pc.equal(unmarked, listing["fingerprint"])))
    doubtful = pc.invert(pc.match_substring_regex(listing["fingerprint"], _BY_CONTENT))
    moved = _sure(pc.not_equal(before["source_version"], listing["source_version"]))
    suspect = pc.and_(pc.and_(alike, doubtful), moved)
    fingerprint = pc.if_else(alike, before["fingerprint"], listing["fingerprint"])
    version, verified = listing["source_version"], Verified()
    if pc.any(suspect).as_py():
        known = before["fingerprint"].filter(suspect)
        told = pa.array(verify(listing.filter(suspect).append_column(KNOWN, known)), pa.string())
        verified = _count(told, known)
        fingerprint = _replaced(fingerprint, suspect, pc.coalesce(told, known.combine_chunks()))
        unread = _replaced(suspect, suspect, pc.is_null(told))
        version = pc.if_else(unread, before["source_version"], version)
    same = _sure(pc.equal(fingerprint, before["fingerprint"]))
    noted = _sure(pc.equal(version, before["source_version"]))
    adopted = pc.and_(pc.and_(same, on_disk), pc.and_(pc.invert(noted), pc.is_null(before["removed_at"])))
    settled = with_column(listing, "fingerprint", fingerprint)
    settled = with_column(settled, "source_version", version)
    indexed_at = pc.if_else(same, before["indexed_at"], pa.scalar(None, before["indexed_at"].type))
    return Settled(
        settled.append_column("indexed_at", indexed_at), listing.select([PARTITION, KEY]).filter(adopted), verified
    )


def _sure(flags: pa.ChunkedArray) -> pa.ChunkedArray:
    """Return flags, false where nothing is known."""
    return pc.fill_null(flags, fill_value=False)


def _count(told: pa.Array, known: pa.ChunkedArray) -> Verified:
    same = pc.sum(pc.equal(told, known.combine_chunks())).as_py() or 0
    return Verified(same, len(told) - told.null_count - same, told.null_count)


def _replaced(column: pa.ChunkedArray, mask: pa.ChunkedArray, values: pa.Array) -> pa.Array:
    """Return a column with other values where a mask is set, one for each such place."""
    return pc.replace_with_mask(column.combine_chunks(), mask.combine_chunks(), values)

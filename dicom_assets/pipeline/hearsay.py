"""What an inventory says is held against the catalog, and the store is asked where the two do not go together.

An inventory that is old or cut off lacks files that are there, and names versions that were replaced. Believed, it
would delete rows and bring back old ones; so a file counts as gone when the store says so, and a version that is not
newer than that of the catalog is looked up. Where that is many files of a prefix, the prefix is listed: the inventory
saves requests and never decides.
"""

from concurrent.futures import ThreadPoolExecutor

import pyarrow as pa
import pyarrow.compute as pc

from dicom_assets.archive.inventory import InventoryArchive
from dicom_assets.archive.listing import ListingError, to_table
from dicom_assets.delta.snapshot import Snapshot
from dicom_assets.pipeline.listings import Listings, list_prefix
from dicom_assets.tables import KEY, PARTITION

_ASKED_AT_ONCE = 16
_MOST_ASKED = 100
"""Files of a prefix that are asked for one by one: a listing tells of a thousand with one request."""


def ask_the_store(archive: InventoryArchive, listings: Listings, index: Snapshot) -> Listings:
    """Return listings in which the store has the last word on all that an inventory cannot know.

    Parameters
    ----------
    archive, listings
        The inventory, and what it says of some prefixes.
    index
        ``file_index`` of these prefixes.

    """
    known = index.keys(["fingerprint", "modified_at", "removed_at"])
    known = known.filter(pc.is_null(known["removed_at"]))
    doubtful = _doubtful(listings.files, known)
    files, unlisted = listings.files, dict(listings.unlisted)
    for prefix in pc.unique(doubtful[PARTITION]).to_pylist():
        paths = doubtful.filter(pc.equal(doubtful[PARTITION], prefix))[KEY].combine_chunks()
        told = _asked(archive, prefix, paths)
        unlisted |= told.unlisted
        of_prefix = pc.equal(files[PARTITION], prefix)
        settled = of_prefix if len(paths) > _MOST_ASKED else pc.and_(of_prefix, pc.is_in(files[KEY], paths))
        files = pa.concat_tables([files.filter(pc.invert(settled)), told.files])
    return Listings(files, unlisted)


def _doubtful(listed: pa.Table, known: pa.Table) -> pa.Table:
    """Return prefix and path of files that an inventory lacks, or has in another version that is not newer."""
    said = listed.select([KEY, "fingerprint", "modified_at"]).rename_columns([KEY, "_fingerprint", "_modified"])
    both = known.select([PARTITION, KEY, "fingerprint", "modified_at"]).join(said, KEY, join_type="left outer")
    other = pc.not_equal(both["fingerprint"], both["_fingerprint"])
    newer = pc.fill_null(pc.greater(both["_modified"], both["modified_at"]), fill_value=False)
    doubt = pc.or_(pc.is_null(both["_fingerprint"]), pc.and_(other, pc.invert(newer)))
    return both.filter(pc.fill_null(doubt, fill_value=True)).select([PARTITION, KEY])


def _asked(archive: InventoryArchive, prefix: str, paths: pa.Array) -> Listings:
    """Return what the store says of some files of a prefix, or of the whole prefix."""
    if len(paths) > _MOST_ASKED:
        return list_prefix(archive.bucket, prefix)
    try:
        with ThreadPoolExecutor(_ASKED_AT_ONCE) as pool:
            found = [one for one in pool.map(archive.bucket.look, paths.to_pylist()) if one is not None]
    except ListingError as error:
        return Listings(to_table(prefix, ()), {prefix: str(error)})
    return Listings(to_table(prefix, found), {})

"""What an inventory says is held against the catalog, and the store is asked where the two do not go together.

An inventory that is old or cut off lacks files that are there, and names versions that were replaced. Believed, it
would delete rows and bring back old ones; so a file counts as gone when the store says so, and a version that is not
newer than that of the catalog is looked up. Where that is many files of a prefix, the prefix is listed: the inventory
saves requests and never decides.
"""

from concurrent.futures import ThreadPoolExecutor

import pyarrow as pa
import pyarrow.compute as pc

from dicom_assets.archive.bucket import BucketArchive
from dicom_assets.archive.containers.remembered import are_members
from dicom_assets.archive.listing import ListingError, to_table
from dicom_assets.tables import KEY

_ASKED_AT_ONCE = 16
_MOST_ASKED = 100
"""Files of a prefix that are asked for one by one: a listing tells of a thousand with one request."""


def ask_the_store(bucket: BucketArchive, prefix: str, said: pa.Table, known: pa.Table) -> pa.Table:
    """Return a listing in which the store has the last word on all that an inventory cannot know.

    Parameters
    ----------
    bucket, prefix
        Where the files are.
    said
        What the inventory says of the prefix, as a listing.
    known
        What the index has of it: columns of a listing, of files that are there. Members of containers are none of the
        inventory's business.

    Raises
    ------
    ListingError
        The store cannot be asked; what was listed is the inventory's, less what is in doubt.

    """
    doubtful = _doubtful(said, known.filter(pc.invert(are_members(known))))
    if not len(doubtful):
        return said
    if len(doubtful) > _MOST_ASKED:
        return bucket.list(prefix)
    certain = said.filter(pc.invert(pc.is_in(said[KEY], doubtful)))
    try:
        with ThreadPoolExecutor(_ASKED_AT_ONCE) as pool:
            found = [one for one in pool.map(bucket.look, doubtful.to_pylist()) if one is not None]
    except ListingError as error:
        raise ListingError(str(error), certain) from error
    return pa.concat_tables([certain, to_table(prefix, found)]).sort_by(KEY)


def _doubtful(said: pa.Table, known: pa.Table) -> pa.Array:
    """Return the paths of files that an inventory lacks, or has in another version that is not newer."""
    theirs = said.select([KEY, "fingerprint", "modified_at"]).rename_columns([KEY, "_fingerprint", "_modified"])
    both = known.select([KEY, "fingerprint", "modified_at"]).join(theirs, KEY, join_type="left outer")
    other = pc.not_equal(both["fingerprint"], both["_fingerprint"])
    newer = pc.fill_null(pc.greater(both["_modified"], both["modified_at"]), fill_value=False)
    doubt = pc.or_(pc.is_null(both["_fingerprint"]), pc.and_(other, pc.invert(newer)))
    return both.filter(pc.fill_null(doubt, fill_value=True))[KEY].combine_chunks()

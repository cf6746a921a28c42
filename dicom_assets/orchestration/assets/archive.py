"""``archive``: where the files come from. Dagster does not make it; it is observed when ``file_index`` lists it."""

from collections.abc import Sequence

import pyarrow.compute as pc
from dagster import AssetObservation, AssetSpec, DataVersion, MetadataValue

from dicom_assets.orchestration.assets.look import PLAIN, Look
from dicom_assets.orchestration.naming import ALONE, CatalogNames
from dicom_assets.pipeline.listings import Listings

ARCHIVE = "archive"
"""Last part of its asset key."""

NEVER_NEWER = DataVersion("INITIAL")
"""The version that Dagster takes an archive to have that was never observed. Any other would mark the index as out of
date as soon as the run that lists the archive says what it saw; what changed there, the sensor finds."""


def build_archive(names: CatalogNames = ALONE, look: Look = PLAIN) -> AssetSpec:
    """Return the external asset at the head of the graph."""
    return AssetSpec(
        names.key(ARCHIVE),
        description="The archive of DICOM files: a folder or a bucket, which is read and never written.",
        metadata={"dagster/uri": look.source} if look.source else {},
        **look.asset(names, "source", {"dicom"}),
    )


def observation(names: CatalogNames, listings: Listings, prefixes: Sequence[str], seconds: float) -> AssetObservation:
    """Return what a run saw of the archive."""
    files = listings.files
    return AssetObservation(
        names.key(ARCHIVE),
        description=f"{len(prefixes)} {'prefix' if len(prefixes) == 1 else 'prefixes'} listed",
        metadata={
            "files": MetadataValue.int(files.num_rows),
            "bytes": MetadataValue.int(pc.sum(files["size"]).as_py() or 0),
            "prefixes": MetadataValue.int(len(prefixes)),
            "prefixes not listed whole": MetadataValue.int(len(listings.unlisted)),
            "seconds": MetadataValue.float(round(seconds, 3)),
        },
        tags={"dagster/data_version": NEVER_NEWER.value},
    )

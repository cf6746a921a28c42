"""Archives in buckets: objects with awkward keys, and catalogs of them that are compared with those of folders."""

from collections.abc import Mapping

import obstore
from obstore.store import from_url

from dicom_assets.delta.lake import Lake
from dicom_assets.extract.model import DEFAULT_MODEL
from dicom_assets_tests.support.whole import contents, tiny_dicom

ODD_KEYS = [
    "with space/a b.dcm",
    "plus+/a+b.dcm",
    "100%/a%20b%2F.dcm",
    "ünï/日本 é.dcm",
    "date=2024/k=v.dcm",
    "q?h#/x&y.dcm",
]
_OF_THE_STORAGE = {"fingerprint", "source_version", "etag", "modified_at", "path"}
_ROLLUPS = {table.name for table in DEFAULT_MODEL.rollups}


def upload(uri: str, objects: Mapping[str, int]) -> None:
    """Put images into an archive, by key."""
    store = from_url(uri)
    for key, number in objects.items():
        obstore.put(store, key, tiny_dicom(number))


def versions(lake: Lake) -> list[int]:
    """Return the version of each table."""
    return [lake.location(table).open().version() for table in DEFAULT_MODEL.tables]


def comparable(lake: Lake) -> dict[str, list]:
    """Return all rows, without what another storage tells otherwise."""
    found = contents(lake)
    relative = {row["path"]: row["relative_path"] for row in found["object_catalog"]}
    for row in (row for name in _ROLLUPS for row in found[name]):
        # Behind the version of the code is a digest of the fingerprints of the files.
        row["extractor_version"] = row["extractor_version"].split(" ")[0]
        if "thumbnail_path" in row:
            row["thumbnail_path"] = relative[row["thumbnail_path"]]
    return {
        name: sorted(
            ({k: v for k, v in row.items() if k not in _OF_THE_STORAGE} for row in rows),
            key=lambda row: (row["prefix"], str(sorted(row.items(), key=str))),
        )
        for name, rows in found.items()
    }

"""A few thumbnails of a prefix as one picture, for those who allow images in run metadata."""

from collections.abc import Iterator
from itertools import islice

from dicom_assets.delta.snapshot import Snapshot
from dicom_assets.dicom.contact_sheet import SheetEntry, contact_sheet
from dicom_assets.dicom.showable import may_be_shown

_COLUMNS = ("thumbnail", "BurnedInAnnotation", "header_status")


def preview(catalog: Snapshot, prefix: str, most: int) -> bytes | None:
    """Return up to `most` thumbnails of a prefix as a JPEG, ``None`` when there is none that may be shown.

    Parameters
    ----------
    catalog
        Snapshot of ``object_catalog``.
    prefix
        Whose thumbnails.
    most
        How many.

    """
    return contact_sheet(list(islice(_showable(catalog, prefix), most)), most=most)


def _showable(catalog: Snapshot, prefix: str) -> Iterator[SheetEntry]:
    for file in catalog.of_prefix(prefix):
        for _, batch in catalog.rows(_COLUMNS, [file]):
            for row in batch.to_pylist():
                marked = row["BurnedInAnnotation"]
                if row["thumbnail"] is not None and may_be_shown(marked, row["header_status"]):
                    yield SheetEntry(row["thumbnail"], marked)

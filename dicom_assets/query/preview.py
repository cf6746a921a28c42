"""A few thumbnails of a prefix as one picture, for those who allow images in run metadata."""

from collections.abc import Iterator

from dicom_assets.delta.snapshot import Snapshot
from dicom_assets.dicom.contact_sheet import SheetEntry, contact_sheet

_COLUMNS = ("thumbnail", "BurnedInAnnotation", "header_status")


def preview(catalog: Snapshot, prefix: str, most: int) -> bytes | None:
    """Return up to `most` thumbnails of a prefix as a JPEG, ``None`` when there is none to show.

    Left out are images that say they identify the patient (Burned In Annotation ``YES``), and those whose header has
    no row yet: what it would say is not known.

    Parameters
    ----------
    catalog
        Snapshot of ``object_catalog``.
    prefix
        Whose thumbnails.
    most
        How many.

    """
    entries = []
    for entry in _entries(catalog, prefix):
        if contact_sheet([entry]) is not None:
            entries.append(entry)
        if len(entries) == most:
            break
    return contact_sheet(entries, most=most)


def _entries(catalog: Snapshot, prefix: str) -> Iterator[SheetEntry]:
    for file in catalog.of_prefix(prefix):
        for _, batch in catalog.rows(_COLUMNS, [file]):
            for row in batch.to_pylist():
                if row["thumbnail"] is not None and row["header_status"] is not None:
                    yield SheetEntry(row["thumbnail"], row["BurnedInAnnotation"])

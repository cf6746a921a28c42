"""A few thumbnails of a prefix as one picture, for those who allow images in run metadata."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice, zip_longest
from typing import TypeVar

import pyarrow as pa

from dicom_assets.delta.files import DataFile, read_rows
from dicom_assets.delta.snapshot import Snapshot
from dicom_assets.dicom.contact_sheet import SheetEntry, contact_sheet
from dicom_assets.dicom.showable import may_be_shown
from dicom_assets.tables import KEY

_CHOICE = ("SeriesInstanceUID", "InstanceNumber", "thumbnail_status", "BurnedInAnnotation", "header_status")
_SHOWN = ("thumbnail", "BurnedInAnnotation")
_HAS_IMAGE = frozenset({"ok", "partial"})

_T = TypeVar("_T")


def preview(catalog: Snapshot, prefix: str, most: int) -> bytes | None:
    """Return up to `most` thumbnails of a prefix as a JPEG, ``None`` when there is none that may be shown.

    One of each series before a second one, and of each series those around its middle: the first slices of a scan show
    the air beside the patient.

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


@dataclass(frozen=True, slots=True)
class _Slice:
    """An image that may be shown: its place in its series, and where its row is."""

    number: int
    path: str
    file: DataFile


def _showable(catalog: Snapshot, prefix: str) -> Iterator[SheetEntry]:
    """Yield thumbnails, best first; only those that are asked for are read."""
    if not {*_CHOICE, *_SHOWN} <= set(catalog.table.schema.names):
        return  # a catalog without headers or thumbnails
    for chosen in _best_first(_series(catalog, prefix)):
        key = pa.array([chosen.path], pa.string())
        filesystem = catalog.location.filesystem()
        for batch in read_rows(filesystem, catalog.table, chosen.file, _SHOWN, key):
            yield from (SheetEntry(*row.values()) for row in batch.to_pylist() if row["thumbnail"] is not None)


def _series(catalog: Snapshot, prefix: str) -> Iterable[list[_Slice]]:
    """Return the images of a prefix that may be shown, by series, without their thumbnails."""
    found: dict[str, list[_Slice]] = {}
    for file, batch in catalog.rows([KEY, *_CHOICE], catalog.of_prefix(prefix)):
        for row in batch.to_pylist():
            if row["thumbnail_status"] in _HAS_IMAGE and may_be_shown(row["BurnedInAnnotation"], row["header_status"]):
                own = found.setdefault(row["SeriesInstanceUID"] or row[KEY], [])
                own.append(_Slice(row["InstanceNumber"] or 0, row[KEY], file))
    return found.values()


def _best_first(series: Iterable[list[_Slice]]) -> Iterator[_Slice]:
    """Yield the middle of every series, then a slice next to it of every series, and so on."""
    ordered = (from_the_middle(sorted(slices, key=lambda one: (one.number, one.path))) for slices in series)
    for row in zip_longest(*ordered):
        yield from (one for one in row if one is not None)


def from_the_middle(ordered: Sequence[_T]) -> list[_T]:
    """Return what is in order beginning with its middle, then its neighbours, the ends last."""
    middle = (len(ordered) - 1) // 2
    places = sorted(range(len(ordered)), key=lambda place: (abs(place - middle), -place))
    return [ordered[place] for place in places]

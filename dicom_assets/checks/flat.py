"""Thumbnails that are one grey level though all is said to be well: a window that misses the values, a decoder's blank.

A sample is looked at, for the number of images has no bound and what makes them flat is alike for many. Such an image
shows nothing, so that a digest of its content tells nothing of a patient either: by it, SQL finds all that are alike.
"""

import hashlib
import io
from collections.abc import Iterator, Sequence
from typing import TypeVar

from PIL import Image

from dicom_assets.checks.check import Measured, Scope
from dicom_assets.checks.statements import flat_thumbnails
from dicom_assets.delta.files import DataFile, read_file
from dicom_assets.delta.snapshot import Snapshot
from dicom_assets.dicom.status import ThumbnailStatus
from dicom_assets.tables import Table

_Item = TypeVar("_Item")

_PREFIXES = 200
"""The most prefixes that are looked into."""
_FILES = 2
"""Data files of a prefix that are looked into, the first rows of each."""
_DIGESTS = 20
"""The most contents that the SQL names."""


def measure_flat(table: Table, per_prefix: int, scope: Scope) -> Measured:
    """Count the thumbnails of a sample that are one grey level.

    Parameters
    ----------
    table
        Has the column ``thumbnail``.
    per_prefix
        How many images of a prefix to look at.
    scope
        Where.

    """
    snapshot = scope.lake.snapshot(table, scope.prefixes)
    prefixes = _spread(list(dict.fromkeys(file.prefix for file in snapshot.files)), _PREFIXES)
    looked_at, found = 0, 0
    places: set[str] = set()
    digests: dict[str, None] = {}
    for prefix in prefixes:
        for image in _sample(snapshot, snapshot.of_prefix(prefix), per_prefix):
            looked_at += 1
            if is_flat(image):
                found += 1
                places.add(prefix)
                digests[hashlib.md5(image, usedforsecurity=False).hexdigest()] = None
    sql = flat_thumbnails(table, list(digests)[:_DIGESTS], scope)
    return Measured(found, looked_at, prefixes=sorted(places), sql=sql)


def is_flat(image: bytes) -> bool:
    """Return whether all pixels of an encoded image are alike, or it is no image at all."""
    try:
        with Image.open(io.BytesIO(image)) as opened:
            extrema: Sequence[object] = opened.getextrema()
    except OSError:
        return True
    bands = extrema if isinstance(extrema[0], tuple) else (extrema,)
    return all(isinstance(band, tuple) and band[0] == band[1] for band in bands)


def _sample(snapshot: Snapshot, files: Sequence[DataFile], count: int) -> Iterator[bytes]:
    """Yield images of one prefix, spread over the first rows of its data files."""
    chosen = _spread(list(files), _FILES)
    filesystem, names = snapshot.location.filesystem(), ("status", "thumbnail")
    each = -(-count // len(chosen)) if chosen else 0
    for place, file in enumerate(chosen):
        first = next(read_file(filesystem, snapshot.table, file, names), None)
        if first is None:
            continue
        well = [i for i, status in enumerate(first["status"].to_pylist()) if status == ThumbnailStatus.OK]
        for row in _spread(well, min(each, count - place * each)):
            image = first["thumbnail"][row].as_py()
            if image is not None:
                yield image


def _spread(items: Sequence[_Item], count: int) -> list[_Item]:
    """Return so many of some items, evenly spaced."""
    if len(items) <= count:
        return list(items)
    return [items[place * len(items) // count] for place in range(count)]

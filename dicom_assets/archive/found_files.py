"""What a file system says of the files of a prefix, as a listing.

Archives are looked at far more often than they change, file by file: most files are made into columns at once, which
takes a third of the time that a row takes. Where one of them is out of the ordinary, rows are made one by one.
"""

import os
import stat
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from operator import attrgetter

import pyarrow as pa
import pyarrow.compute as pc

from dicom_assets.archive.file_systems import InodeNumbers
from dicom_assets.archive.listing import LISTING_SCHEMA, UNKNOWN, ListedFile, to_table
from dicom_assets.archive.versions import content_version, source_version
from dicom_assets.archive.walk import Found
from dicom_assets.storage.addresses import shown, to_text

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_TOO_LATE = 1 << 63
"""Nanoseconds since 1970 that take more than 64 bits: in the year 2262."""


def listing_of(prefix: str, found: Sequence[Found]) -> pa.Table:
    """Return the files of a prefix as :data:`LISTING_SCHEMA`, in the order of paths."""
    table = _at_once(prefix, found)
    if table is None:
        inodes = InodeNumbers()
        table = to_table(prefix, (_row(file, inodes) for file in found))
    return table


def instant(nanoseconds: int) -> datetime | None:
    """Return a time since 1970, ``None`` for one that no calendar of the years 1 to 9999 has."""
    try:
        return _EPOCH + timedelta(microseconds=nanoseconds // 1000)
    except OverflowError:
        return None


def _row(found: Found, inodes: InodeNumbers) -> ListedFile:
    path, relative, status = found
    if status is None:
        return ListedFile(to_text(path), shown(relative), None, None, None, UNKNOWN)
    return ListedFile(
        path=to_text(path),
        relative_path=shown(relative),
        size=status.st_size,
        modified_at=instant(status.st_mtime_ns),
        etag=None,
        fingerprint=content_version(status),
        source_version=source_version(status, inode=_keeps_inode(found, status, inodes)),
    )


def _keeps_inode(found: Found, status: os.stat_result, inodes: InodeNumbers) -> bool:
    # A link that is not followed is on the file system of its folder, wherever it leads.
    place = os.path.dirname(found.path) if stat.S_ISLNK(status.st_mode) else found.path  # noqa: PTH120 - a path as text
    return inodes.kept(place, status.st_dev)


def _at_once(prefix: str, found: Sequence[Found]) -> pa.Table | None:
    """Return the same without a step for each file; ``None`` where one of them needs it.

    Those are files of which nothing is told, on other devices than the first, with names that are no ASCII text, or
    with times before 1970 or long after.
    """
    files = sorted(found, key=attrgetter("path"))
    statuses = [file.status for file in files if file.status is not None]
    if not files or len(statuses) < len(files) or len({status.st_dev for status in statuses}) > 1:
        return None
    if not all(file.path.isascii() for file in files):
        return None
    modified, changed = ([getattr(status, name) for status in statuses] for name in ("st_mtime_ns", "st_ctime_ns"))
    if min(*modified, *changed) < 0 or max(*modified, *changed) >= _TOO_LATE:
        return None
    sizes = pa.array([status.st_size for status in statuses], pa.int64())
    numbers = [sizes, pa.array(modified, pa.int64()), pa.array(changed, pa.int64())]
    if _keeps_inode(files[0], statuses[0], InodeNumbers()):
        numbers.append(pa.array([status.st_ino for status in statuses], pa.uint64()))
    texts = [column.cast(pa.string()) for column in numbers]
    columns = [
        pa.repeat(prefix, len(files)),
        [file.path for file in files],
        [file.relative for file in files],
        sizes,
        pc.divide(numbers[1], 1000).cast(pa.timestamp("us", "UTC")),
        pa.nulls(len(files), pa.string()),
        pc.binary_join_element_wise(*texts[:2], "-"),
        pc.binary_join_element_wise(*texts, "-"),
    ]
    return pa.table(columns, schema=LISTING_SCHEMA)

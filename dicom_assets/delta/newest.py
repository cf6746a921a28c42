"""Tables as they are now, whose logs are read again only when they have moved on.

A run looks at each of its tables a dozen times: to plan, to settle columns, to check. To read the log of a table of two
thousand data files takes 20 to 180 ms, to see that it is the same still takes a look at two files.
"""

import threading
from collections import OrderedDict
from dataclasses import dataclass

from deltalake import DeltaTable
from deltalake.exceptions import DeltaError
from pyarrow.fs import FileType

from dicom_assets.delta.location import TableLocation

Stamp = tuple[int, int]
"""Size and time of a commit in the log: they tell it from that of another table at the same place."""

_FILES_KEPT = 20_000
"""Data files of all tables that are kept: each takes up to 8 KiB."""


@dataclass(frozen=True, slots=True)
class _Kept:
    location: TableLocation
    delta: DeltaTable
    stamp: Stamp
    files: int


class _Tables:
    """Those that were looked at last; safe to use from several threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._kept: OrderedDict[str, _Kept] = OrderedDict()

    def get(self, location: TableLocation) -> _Kept | None:
        with self._lock:
            known = self._kept.get(location.uri)
            if known is not None:
                self._kept.move_to_end(location.uri)
        return known if known is not None and known.location == location else None

    def put(self, location: TableLocation, known: _Kept | None) -> None:
        with self._lock:
            self._kept.pop(location.uri, None)
            if known is not None:
                self._kept[location.uri] = known
            while sum(one.files for one in self._kept.values()) > _FILES_KEPT:
                self._kept.popitem(last=False)


_TABLES = _Tables()


def newest(location: TableLocation) -> DeltaTable:
    """Return a table at its latest version, for reading: it is shared, and whoever writes opens one of their own.

    Raises
    ------
    TableNotFoundError
        There is none.
    LakeFormatError
        A newer version of this package has written it.

    """
    known = _TABLES.get(location)
    if known is not None and stamp_of(location, known.delta.version()) == known.stamp:
        return known.delta
    delta = location.open()
    keep(location, delta)
    return delta


def keep(location: TableLocation, delta: DeltaTable) -> None:
    """Have others read a loaded table, which is not to be written by from now on."""
    stamp = stamp_of(location, delta.version())
    known = None if stamp is None else _Kept(location, delta, stamp, delta.get_add_actions().num_rows)
    _TABLES.put(location, known)


def stamp_of(location: TableLocation, version: int, *, pinned: bool = False) -> Stamp | None:
    """Return what tells a commit from others, ``None`` where it is not the last, or its file is gone or out of reach.

    Parameters
    ----------
    location, version
        Of the table, and of the commit.
    pinned
        It need not be the last.

    """
    names = [f"_delta_log/{number:020}.json" for number in (version, version + 1)]
    try:
        this, following = location.filesystem().get_file_info(names)
    except (DeltaError, OSError):
        return None  # whoever opens the table is told why
    if this.type != FileType.File or (following.type != FileType.NotFound and not pinned):
        return None
    return this.size, this.mtime_ns

"""Names of the folders in a folder, grouped by how they begin: of a million folders, each prefix asks for a few.

A folder is listed once and remembered for as long as its time of status change stays what it is, which adding, removing
and renaming move on. What the names lead to is looked at whenever it is asked for.
"""

import os
import time
from collections import OrderedDict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from threading import Lock

_FOLDERS = 16
"""How many folders are remembered: a sweep goes through one after the other."""
_RACY_SECONDS = 2.0
"""A folder that changed so lately may do so again without a change of its time."""
_SEPARATOR = b"/"


@dataclass(frozen=True, slots=True)
class FolderNames:
    """What is in a folder.

    Attributes
    ----------
    chars
        How many characters of names make a start.
    by_start
        Names of folders, and of links that may lead to some, by how they begin: encoded, and separated by slashes, for
        a million strings would take 80 MB. Names that are shorter than a start are a group of their own.
    others
        Whether anything else is in it, links included.

    """

    chars: int
    by_start: Mapping[str, bytes]
    others: bool

    def names(self, start: str) -> list[str]:
        """Return the names of a group, in order."""
        joined = self.by_start.get(start)
        return [] if joined is None else [os.fsdecode(name) for name in joined.split(_SEPARATOR)]


class KnownFolders:
    """Remembers what is in folders; used by many threads, of which one lists."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._known: OrderedDict[tuple[int, int, int], tuple[int, FolderNames]] = OrderedDict()

    def look(self, descriptor: int, chars: int) -> FolderNames:
        """Return what is in an open folder; raises :class:`OSError`."""
        with self._lock:
            status = os.fstat(descriptor)
            name = (status.st_dev, status.st_ino, chars)
            version, found = self._known.pop(name, (None, None))
            if found is None or version != status.st_ctime_ns:
                began = time.time()
                found = _list(descriptor, chars)
                if status.st_ctime_ns / 1e9 > began - _RACY_SECONDS:
                    return found
            self._known[name] = (status.st_ctime_ns, found)
            if len(self._known) > _FOLDERS:
                self._known.popitem(last=False)
            return found


def _list(descriptor: int, chars: int) -> FolderNames:
    groups: dict[str, list[bytes]] = {}
    others = False
    with os.scandir(descriptor) as entries:
        for name, is_link, is_folder in _kinds(entries):
            others = others or is_link or not is_folder
            if is_link or is_folder:
                groups.setdefault(name[:chars], []).append(os.fsencode(name))
    return FolderNames(chars, {start: _SEPARATOR.join(sorted(names)) for start, names in groups.items()}, others)


def _kinds(entries: "Iterator[os.DirEntry[str]]") -> Iterator[tuple[str, bool, bool]]:
    """Yield names with whether they are links, or folders; one whose kind the system does not tell may be either."""
    for entry in entries:
        try:
            yield entry.name, entry.is_symlink(), entry.is_dir(follow_symlinks=False)
        except OSError:
            yield entry.name, True, True

"""Members that are asked for by their paths alone: by people, by cohorts, of an archive that was copied elsewhere."""

import errno
import re
import threading
from bisect import bisect_left
from collections import OrderedDict

import pyarrow as pa

from dicom_assets.archive.base import OpenedSource
from dicom_assets.archive.containers.contents import ContainerFile, read_contents
from dicom_assets.archive.containers.places import Place
from dicom_assets.archive.containers.shared import open_place
from dicom_assets.archive.versions import FileChangedError, Listed
from dicom_assets.dicom.source import ByteSource

_KEPT = 4
"""Containers whose members a process remembers: whoever asks for one asks for more, in the order of paths."""
_ON_DISK = re.compile(r"(\d+--?\d+)--?\d+-\d+")


class _Entry:
    """The members of one version of a container, listed once, by whoever comes first."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._rows: pa.Table | None = None

    def row(self, file: ContainerFile, source: ByteSource, path: str) -> tuple[Place, str, int] | None:
        """Return place, fingerprint and size of a member, ``None`` where there is none of that path."""
        with self._lock:
            if self._rows is None:
                self._rows = read_contents(file, source).rows.combine_chunks()
            rows = self._rows
        paths = rows["path"]
        number = bisect_left(range(rows.num_rows), path, key=lambda row: paths[row].as_py())
        if number == rows.num_rows or paths[number].as_py() != path:
            return None
        place = Place.parse(rows["source_version"][number].as_py())
        assert place is not None, "made by the listing"
        return place, rows["fingerprint"][number].as_py(), rows["size"][number].as_py()


_LOCK = threading.Lock()
_ENTRIES: OrderedDict[tuple[str, str], _Entry] = OrderedDict()


def find_member(container: str, path: str, source: OpenedSource, listed: Listed | None) -> ByteSource:
    """Return a member as a source.

    Parameters
    ----------
    container, source
        Path of the container, and its file, opened.
    path
        Of the member, as a listing has it.
    listed
        The member's size and fingerprint, where they are known.

    Raises
    ------
    FileNotFoundError
        The container has no such member.
    FileChangedError
        It has another one.
    MemberError
        The member cannot be read in place.

    """
    version = Listed(source.size, source.version)
    file = ContainerFile("", container, "", _fingerprint(source.version), version)
    with _LOCK:
        entry = _ENTRIES.setdefault((container, source.version), _Entry())
        _ENTRIES.move_to_end((container, source.version))
        while len(_ENTRIES) > _KEPT:
            _ENTRIES.popitem(last=False)
    found = entry.row(file, source, path)
    if found is None:
        raise FileNotFoundError(errno.ENOENT, "the container has no such member")
    place, fingerprint, size = found
    if listed is not None and (listed.size, listed.version) != (size, fingerprint):
        raise FileChangedError("the member of the container is not the version that was listed")
    return open_place(container, place, source)


def _fingerprint(version: str) -> str:
    """Return the fingerprint that a listing gives to a file of a version."""
    on_disk = _ON_DISK.fullmatch(version)
    return on_disk[1] if on_disk else version.removeprefix("W/").strip('"')

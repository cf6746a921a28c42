"""Containers that a process keeps open between members: those in which a member is reached through what lies before.

What is kept is how far they were unpacked and where unpacking can be taken up; the file itself is opened, and held
against what was listed, for each member anew.
"""

import threading
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, field
from itertools import pairwise

from dicom_assets.archive.containers.faults import ContainerError, MemberError
from dicom_assets.archive.containers.places import Place
from dicom_assets.archive.containers.reading import open_member, open_stream
from dicom_assets.dicom.source import ByteSource

_KEPT = 4
"""Containers that a process keeps: some 25 MB each at most."""


class _Slot:
    """The place of the file in a stack of sources, which takes another source of the same bytes."""

    def __init__(self, source: ByteSource) -> None:
        self.source = source
        self.size = source.size

    def read(self, offset: int, length: int) -> bytes:
        return self.source.read(offset, length)


@dataclass(slots=True)
class _Shared:
    """What a container unpacks to, for several readers, one at a time."""

    slot: _Slot
    stream: ByteSource
    lock: threading.Lock = field(default_factory=threading.Lock)

    def read(self, source: ByteSource, offset: int, length: int) -> bytes:
        with self.lock:
            self.slot.source = source
            return self.stream.read(offset, length)


@dataclass(frozen=True, slots=True)
class _Bound:
    """A shared container, read through one opening of its file."""

    shared: _Shared
    source: ByteSource

    @property
    def size(self) -> int:
        return self.shared.stream.size

    def read(self, offset: int, length: int) -> bytes:
        return self.shared.read(self.source, offset, length)


class SharedStreams:
    """The containers that were used last."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._kept: OrderedDict[tuple[str, str], _Shared] = OrderedDict()

    def __call__(
        self, name: tuple[str, str], source: ByteSource, stack: Callable[[ByteSource], ByteSource]
    ) -> ByteSource:
        """Return a container as a stream.

        Parameters
        ----------
        name
            Of this version of the container.
        source
            Its file, opened.
        stack
            Makes the stream of the file, where it is not kept.

        """
        with self._lock:
            shared = self._kept.get(name)
            if shared is None:
                slot = _Slot(source)
                shared = self._kept[name] = _Shared(slot, stack(slot))
            self._kept.move_to_end(name)
            while len(self._kept) > _KEPT:
                self._kept.popitem(last=False)
        return _Bound(shared, source)


_STREAMS = SharedStreams()


def open_place(path: str, place: Place, source: ByteSource) -> ByteSource:
    """Return a member as a source.

    Parameters
    ----------
    path
        Of the container's file.
    place
        Of the member.
    source
        The container's file, opened as the version that the place names.

    Raises
    ------
    MemberError
        It cannot be read in place.

    """
    *outer, last = place.steps

    def stack(file: ByteSource) -> ByteSource:
        stream = open_stream(file, place.steps[0].kind)
        for step, inner in pairwise(place.steps):
            stream = open_stream(open_member(stream, step), inner.kind)
        return stream

    if not outer and not last.kind.is_stream:
        return open_member(source, last)
    name = path, f"{'/'.join(map(str, outer))} {last.kind}@{place.container.version}"
    try:
        return open_member(_STREAMS(name, source, stack), last)
    except ContainerError as error:
        raise MemberError(str(error)) from error

"""Opening containers, and members in them, as sources like any other."""

import struct
from collections.abc import Callable, Iterator
from functools import partial

from dicom_assets.archive.containers.faults import ContainerError, Fault, MemberError
from dicom_assets.archive.containers.kinds import Kind, kind_of
from dicom_assets.archive.containers.members import Member
from dicom_assets.archive.containers.places import How, Step
from dicom_assets.archive.containers.tar_files import tar_members
from dicom_assets.archive.containers.unpacking import Feed, Inflater, Unpacked, Unpacker, Zstandard
from dicom_assets.archive.containers.zip_files import zip_members
from dicom_assets.dicom.inflate import GZIP, GZIP_MAGIC, MOST_RATIO, RAW, is_bomb
from dicom_assets.dicom.source import ByteSource, clamp

_LOCAL = struct.Struct("<4s5H3L2H")
_LOCAL_MAGIC = b"PK\x03\x04"
_NAMES = 512
"""Bytes of name and extra fields in the local header of a ZIP that are read with it: most have fewer."""
_FIRST = 1 << 14
"""Packed bytes of a ZIP's member that are read at first: the header of most objects is in them."""

_MAGIC = {Kind.TAR_GZIP: GZIP_MAGIC, Kind.TAR_ZSTD: b"\x28\xb5\x2f\xfd"}
_UNPACKERS: dict[Kind, Callable[[Feed], Unpacker]] = {
    Kind.TAR_GZIP: partial(Inflater, form=GZIP),
    Kind.TAR_ZSTD: Zstandard,
}


def open_stream(source: ByteSource, kind: Kind) -> ByteSource:
    """Return what the places in a container count in: the container itself, or what a compressed one unpacks to.

    Raises
    ------
    ContainerError
        It is none.
    StorageError
        It cannot be read.

    """
    if not kind.is_stream:
        return source
    magic = _MAGIC[kind]
    if source.read(0, len(magic)) != magic:
        raise ContainerError(Fault.OTHER)
    return Unpacked(source, _UNPACKERS[kind])


def list_container(stream: ByteSource, kind: Kind) -> Iterator[Member]:
    """Yield the members of a container, of what :func:`open_stream` returned for it.

    Raises
    ------
    ContainerError
        It cannot be listed whole.
    StorageError
        It cannot be read.

    """
    return zip_members(stream) if kind is Kind.ZIP else tar_members(stream, kind)


def nested_kind(member: Member) -> Kind | None:
    """Return how a member is packed that is a container itself, ``None`` of any other and where it cannot be read."""
    kind = kind_of(member.name)
    return kind if member.step.how in (How.STORED, How.DEFLATED) else None


def open_member(stream: ByteSource, step: Step) -> ByteSource:
    """Return a member as a source.

    Parameters
    ----------
    stream
        Of its container.
    step
        Where it is.

    Raises
    ------
    MemberError
        It cannot be read in place. Reading raises it too.

    """
    if step.how == How.ENCRYPTED:
        raise MemberError("the member of the container is encrypted")
    if step.how == How.SPARSE:
        raise MemberError("the member of the container is a sparse file, which is not read in place")
    if step.how not in (How.STORED, How.DEFLATED):
        raise MemberError(f"the member of the container is packed by method {step.how[1:]}, which is not read in place")
    if is_bomb(step.size, step.packed):
        raise MemberError(f"the member of the container would unpack to more than {MOST_RATIO} times its length")
    if step.kind is not Kind.ZIP:
        return _Whole(_Stored(stream, step.offset, step.packed), step.size)
    packed = _Behind(stream, step.offset, step.packed)
    if step.how == How.STORED:
        return _Whole(packed, step.size)
    return _Whole(Unpacked(packed, partial(Inflater, form=RAW), step.size, _FIRST), step.size)


class _Stored:
    """A part of a source."""

    def __init__(self, source: ByteSource, start: int, size: int) -> None:
        self._source = source
        self._start = start
        self.size = size

    def read(self, offset: int, length: int) -> bytes:
        offset, length = clamp(offset, length, self.size)
        return self._source.read(self._start + offset, length) if length else b""


class _Behind:
    """What stands behind a local header in a ZIP (APPNOTE.TXT 4.3.7), which is read with the first bytes of it.

    Only the local header tells how long it is, so with it a little more is read than was asked for.
    """

    def __init__(self, source: ByteSource, header: int, size: int) -> None:
        self._source = source
        self._header = header
        self._start: int | None = None
        self._first = b""
        self.size = size

    def read(self, offset: int, length: int) -> bytes:
        offset, length = clamp(offset, length, self.size)
        if not length:
            return b""
        if self._start is None:
            self._start = self._read_header(length if not offset else 0)
        known = self._first[offset : offset + length]
        if len(known) == length:
            return known
        return known + self._source.read(self._start + offset + len(known), length - len(known))

    def _read_header(self, more: int) -> int:
        """Return where the member begins, and keep its first bytes."""
        block = self._source.read(self._header, _LOCAL.size + _NAMES + more)
        if len(block) < _LOCAL.size or not block.startswith(_LOCAL_MAGIC):
            raise MemberError("the member is not where the directory of the container says")
        *_, name, extra = _LOCAL.unpack_from(block)
        start = _LOCAL.size + int(name) + int(extra)
        self._first = block[start : start + self.size]
        return self._header + start


class _Whole:
    """A member that has to be as long as the container says; what is damaged from its first byte on is no member."""

    def __init__(self, source: ByteSource, size: int) -> None:
        self._source = source
        self.size = size

    def read(self, offset: int, length: int) -> bytes:
        offset, length = clamp(offset, length, self.size)
        data = self._source.read(offset, length)
        if length and not offset and not data:
            raise MemberError("the member of the container is damaged: nothing of it can be read")
        return data

"""ZIP files by their central directory (APPNOTE.TXT 4.3), read from its end in few requests and never held whole.

``zipfile`` of the standard library makes an object of each member before it tells the first: a gigabyte for a million.
"""

import struct
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any, NamedTuple

from dicom_assets.archive.containers.faults import ContainerError, Fault
from dicom_assets.archive.containers.kinds import Kind, safe_name
from dicom_assets.archive.containers.limits import MOST_DIRECTORY_BYTES, MOST_MEMBERS, MOST_NAME_BYTES
from dicom_assets.archive.containers.members import Member
from dicom_assets.archive.containers.places import How, Step
from dicom_assets.dicom.inflate import is_bomb
from dicom_assets.dicom.source import ByteSource, clamp

_LOCAL_MAGIC, _SPLIT_MAGIC, _EMPTY_MAGIC = b"PK\x03\x04", b"PK\x07\x08", b"PK\x05\x06"
_END = struct.Struct("<4s4H2LH")
_LOCATOR = struct.Struct("<4sLQL")
_END64 = struct.Struct("<4sQ2H2L4Q")
_ENTRY = struct.Struct("<4s4B4HL2L5H2L")
_LONGEST_COMMENT = 0xFFFF
_TAIL = _LONGEST_COMMENT + _END.size
"""The end record is in so many bytes at the end."""
_BLOCK = 1 << 20
_IN_EXTRA = 0xFFFFFFFF
_ZIP64, _TIMES, _UNICODE_NAME = 0x0001, 0x5455, 0x7075
_ENCRYPTED, _UTF8 = 0x1, 0x800
_METHODS = {0: How.STORED, 8: How.DEFLATED}
_LINK, _FORMAT = 0o120000, 0o170000
"""Symbolic link, and the mask of what a Unix mode says of the kind of a file."""
_UNIX, _MAC = 3, 19


class _Directory(NamedTuple):
    """Where the central directory is: number of entries, first byte, length, and what all offsets are short of."""

    entries: int
    start: int
    length: int
    shift: int


class _TailCached:
    """A source whose last bytes are in memory: of most ZIP files, what tells of the directory and a part of it."""

    def __init__(self, source: ByteSource) -> None:
        self._source = source
        self.size = source.size
        self._at = max(source.size - _TAIL, 0)
        self._tail = source.read(self._at, _TAIL)

    def read(self, offset: int, length: int) -> bytes:
        """Return the bytes ``[offset, offset + length)``, fewer at the end."""
        offset, length = clamp(offset, length, self.size)
        before = self._source.read(offset, min(length, self._at - offset)) if offset < self._at else b""
        start = max(offset - self._at, 0)
        return before + self._tail[start : max(offset + length - self._at, 0)]


def zip_members(source: ByteSource) -> Iterator[Member]:
    """Yield the files of a ZIP in the order of its directory.

    Raises
    ------
    ContainerError
        It cannot be listed, or its members make more of themselves than is allowed. What was yielded before counts
        only where none is raised.
    StorageError
        It cannot be read.

    """
    source = _TailCached(source)
    directory = _find_directory(source)
    if directory.entries > MOST_MEMBERS:
        raise ContainerError(Fault.COUNT)
    seen = packed = unpacked = 0
    for entry, name, extra in _entries(source, directory):
        seen += 1
        member = _member(entry, name, extra, directory.shift)
        if member is None:
            continue
        packed += member.step.packed
        unpacked += member.step.size
        if is_bomb(unpacked, source.size):
            raise ContainerError(Fault.RATIO)
        if packed > source.size:
            raise ContainerError(Fault.OVERLAP)
        if member.step.offset + member.step.packed > directory.start:
            raise ContainerError(Fault.DAMAGED)
        yield member
    if seen != directory.entries:
        raise ContainerError(Fault.DAMAGED)


def _find_directory(source: ByteSource) -> _Directory:
    """Return where the directory is."""
    found = _end_record(source)
    if found is None:
        known = source.read(0, 4) in (_LOCAL_MAGIC, _SPLIT_MAGIC)
        raise ContainerError(Fault.DAMAGED if known else Fault.OTHER)
    end_at, end = found
    _, disk, first_disk, here, entries, length, offset, _ = _END.unpack(end)
    directory_end = end_at
    locator = source.read(end_at - _LOCATOR.size, _LOCATOR.size)
    if locator.startswith(b"PK\x06\x07"):
        end64_at = _end64(source, _LOCATOR.unpack(locator)[2], end_at)
        directory_end, record = end64_at, source.read(end64_at, _END64.size)
        _, _, _, _, disk, first_disk, here, entries, length, offset = _END64.unpack(record)
    if (disk, first_disk) != (0, 0) or here != entries:
        raise ContainerError(Fault.SPLIT)
    start = directory_end - length
    if start < offset or length > MOST_DIRECTORY_BYTES or length < entries * _ENTRY.size:
        raise ContainerError(Fault.DAMAGED)
    return _Directory(entries, start, length, start - offset)  # what stands before the ZIP: a program that unpacks it


def _end_record(source: ByteSource) -> tuple[int, bytes] | None:
    """Return the place of the end record, and the record."""
    at = max(source.size - _TAIL, 0)
    tail = source.read(at, _TAIL)
    # The record whose comment ends with the file; else, where something was appended, the last one.
    records = list(_end_records(tail))
    for place, record in (*(one for one in records if _ends(*one) == len(tail)), *records):
        if _ends(place, record) <= len(tail):
            return at + place, record
    return None


def _end_records(tail: bytes) -> Iterator[tuple[int, bytes]]:
    """Yield what looks like an end record, from the end."""
    place = tail.rfind(_EMPTY_MAGIC)
    while place >= 0:
        if len(record := tail[place : place + _END.size]) == _END.size:
            yield place, record
        place = tail.rfind(_EMPTY_MAGIC, 0, place)


def _ends(place: int, record: bytes) -> int:
    """Return where the comment of an end record ends."""
    return place + _END.size + int(_END.unpack(record)[-1])


def _end64(source: ByteSource, stated: int, end_at: int) -> int:
    """Return where the ZIP64 end record is: where it is said to be, or right before its locator."""
    for place in (stated, end_at - _LOCATOR.size - _END64.size):
        if 0 <= place <= end_at - _END64.size and source.read(place, 4) == b"PK\x06\x06":
            return place
    raise ContainerError(Fault.DAMAGED)


def _entries(source: ByteSource, directory: _Directory) -> Iterator[tuple[tuple[Any, ...], bytes, bytes]]:
    """Yield the entries of the directory with name and extra fields, block by block."""
    at, end = directory.start, directory.start + directory.length
    block, place = b"", 0
    while True:
        if len(block) - place < _ENTRY.size + 3 * _LONGEST_COMMENT and at < end:
            more = source.read(at, min(_BLOCK, end - at))
            if not more:
                raise ContainerError(Fault.DAMAGED)
            block, place, at = block[place:] + more, 0, at + len(more)
        if place == len(block):
            return
        if len(block) - place < _ENTRY.size:
            raise ContainerError(Fault.DAMAGED)
        entry = _ENTRY.unpack_from(block, place)
        name_at = place + _ENTRY.size
        extra_at = name_at + entry[12]
        place = extra_at + entry[13] + entry[14]
        if entry[0] != b"PK\x01\x02":
            if entry[0] == b"PK\x05\x05":  # a digital signature ends the directory (4.3.13)
                return
            raise ContainerError(Fault.DAMAGED)
        if place > len(block) or entry[12] > MOST_NAME_BYTES:
            raise ContainerError(Fault.DAMAGED)
        yield entry, block[name_at:extra_at], block[extra_at : extra_at + entry[13]]


def _member(entry: tuple[Any, ...], raw_name: bytes, extra: bytes, shift: int) -> Member | None:
    """Return the member of an entry, ``None`` of a folder or a symbolic link."""
    host, flags, method, time, date, crc = entry[2], entry[5], entry[6], entry[7], entry[8], entry[9]
    packed, size, offset = entry[10], entry[11], entry[18]
    name = raw_name.replace(b"\\", b"/") if host == 0 and b"/" not in raw_name else raw_name
    if name.endswith(b"/") or (host in (_UNIX, _MAC) and (entry[17] >> 16) & _FORMAT == _LINK):
        return None
    modified = _dos_time(date, time)
    text = _decoded(name, flags)
    if extra:
        fields = dict(_extra_fields(extra))
        size, packed, offset = _wide(fields.get(_ZIP64, b""), size, packed, offset)
        modified = _unix_time(fields.get(_TIMES, b"")) or modified
        text = _unicode_name(fields.get(_UNICODE_NAME, b"")) or text
    safe = safe_name(text)
    if not safe:
        return None
    how = How.ENCRYPTED if flags & _ENCRYPTED else _METHODS.get(method, f"m{method}")
    if how == How.STORED and packed != size:
        raise ContainerError(Fault.DAMAGED)
    fingerprint = f"crc32:{crc:08x}-{size}-{date << 16 | time:08x}"
    return Member(safe, modified, fingerprint, Step(Kind.ZIP, offset + shift, packed, how, size))


def _decoded(name: bytes, flags: int) -> str:
    """Return a name as text. Names without the mark of UTF-8 are code page 437 by the book, and UTF-8 as often."""
    if flags & _UTF8:
        return name.decode("utf-8", "surrogateescape")
    try:
        return name.decode()
    except UnicodeDecodeError:
        return name.decode("cp437")


def _extra_fields(extra: bytes) -> Iterator[tuple[int, bytes]]:
    """Yield the extra fields by their numbers (4.5); what does not add up ends them."""
    place = 0
    while place + 4 <= len(extra):
        number, length = struct.unpack_from("<HH", extra, place)
        yield number, extra[place + 4 : place + 4 + length]
        place += 4 + length


def _wide(field: bytes, size: int, packed: int, offset: int) -> tuple[int, int, int]:
    """Return lengths and offset, those that do not fit 32 bits from the ZIP64 field (4.5.3)."""
    values = [size, packed, offset]
    place = 0
    for number, value in enumerate(values):
        if value == _IN_EXTRA:
            if place + 8 > len(field):
                raise ContainerError(Fault.DAMAGED)
            (values[number],) = struct.unpack_from("<Q", field, place)
            place += 8
    return values[0], values[1], values[2]


def _unicode_name(field: bytes) -> str | None:
    """Return the name in UTF-8 that some packers add (4.6.9)."""
    return field[5:].decode("utf-8", "surrogateescape") if len(field) > 5 and field[0] == 1 else None


def _unix_time(field: bytes) -> datetime | None:
    """Return the time of last modification of the extended timestamp, in UTC."""
    if len(field) < 5 or not field[0] & 1:
        return None
    return datetime.fromtimestamp(struct.unpack_from("<i", field, 1)[0], UTC)


def _dos_time(date: int, time: int) -> datetime | None:
    """Return a time of MS-DOS, which has no zone, as if it were UTC; ``None`` for one that is none."""
    try:
        return datetime(
            (date >> 9) + 1980, date >> 5 & 15, date & 31, time >> 11, time >> 5 & 63, (time & 31) * 2, tzinfo=UTC
        )
    except ValueError:
        return None

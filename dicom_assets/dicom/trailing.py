"""Elements behind the pixel data, read without reading the pixel data.

Digital signatures, padding and the private groups of some makers stand there. Native pixel data says where it ends.
Where encapsulated pixel data ends is not written anywhere: its fragments are followed from one to the next (PS3.5 A.4),
but on an object store each of them may cost a request. So the offset table is asked for the last frame, and the end of
the file for a delimiter that all what is behind it makes sense of; only where neither tells, more of the fragments are
followed.
"""

import struct

from dicom_assets.dicom.dialect import EXPLICIT_LITTLE, UNDEFINED
from dicom_assets.dicom.issues import RAW_CAP, IssueCode
from dicom_assets.dicom.limits import HeaderLimits
from dicom_assets.dicom.plausible import Sight, candidate
from dicom_assets.dicom.scan import end_of_undefined
from dicom_assets.dicom.scope import Scope
from dicom_assets.dicom.source import ByteSource, BytesSource
from dicom_assets.dicom.stops import LimitError, StopError, StructureError
from dicom_assets.dicom.walker import Walker
from dicom_assets.dicom.window import UNKNOWN_SIZE, ReadLimitError, Window

_ITEM = b"\xfe\xff\x00\xe0"
_ITEM_END = b"\xfe\xff\x0d\xe0\0\0\0\0"
_SEQUENCE_END = b"\xfe\xff\xdd\xe0\0\0\0\0"
_PIXEL_DATA = 0x7FE00010
_CHEAP_READS = 2
"""Reads that are spent on fragments before the end of the file is looked at."""
_TAIL = 64 * 1024
_READ_AHEAD = 4096
_MOST_DELIMITERS = 64
_MOST_STEPS = 100_000


class _UndecidedError(Exception):
    """Where the pixel data ends was not found."""


def read_trailing(walker: Walker, scope: Scope, body: ByteSource) -> None:
    """Read what stands behind the pixel data into the data set it belongs to.

    What cannot be read there is an issue and takes nothing from the rest of the header.

    Parameters
    ----------
    walker
        After the walk over `scope` that met the pixel data.
    scope
        The data set of the file.
    body
        What positions count in.

    Raises
    ------
    TruncatedError
        If the file ends inside an element behind the pixel data.
    OSError
        If the source does.

    """
    try:
        end = _end_of_pixels(walker, body)
        if end is not None:
            _read(walker, scope, end)
    except (_UndecidedError, LimitError, ReadLimitError):
        walker.report("", "", IssueCode.TRAILING_ELEMENTS)


def _read(walker: Walker, scope: Scope, position: int) -> None:
    head = walker.window.at(position, RAW_CAP)
    if not any(head):
        return
    if len(head) < 8:
        walker.report("", "", IssueCode.STRAY_BYTES, head)
        return
    scope.finished, scope.at = False, position
    begin: int | None = position
    if not scope.dialect.explicit and candidate(walker.sight(scope), position - walker.window.base) is None:
        # Without VRs anything could be an element.
        begin = walker.next_element(scope, position)
    try:
        if begin is not None:
            walker.read(scope, begin, scope.last)
            return
    except StructureError:
        pass
    walker.report("", "", IssueCode.STRAY_BYTES, head)


def _end_of_pixels(walker: Walker, body: ByteSource) -> int | None:
    """Return the position behind the pixel data, ``None`` when it is known that nothing is there."""
    window, pixel, limits = walker.window, walker.pixel, walker.limits
    if pixel is None:
        return None
    if pixel.length is None:
        return _Fragments(window, body, limits).end(pixel.offset)
    end = pixel.offset + pixel.length
    if window.size != UNKNOWN_SIZE:
        return end if end < window.size else None
    if end - window.base > limits.max_trailing_bytes:
        raise _UndecidedError
    if not window.reaches(end):
        walker.report(pixel.tag, pixel.vr, IssueCode.PIXEL_DATA_CUT)
        return None
    return end if window.have(end, 1) else None


class _Fragments:
    """Finds the end of encapsulated pixel data.

    Parameters
    ----------
    window
        The bytes that were read already; it is not moved.
    body
        The rest of them.
    limits
        How much may be read.

    """

    def __init__(self, window: Window, body: ByteSource, limits: HeaderLimits) -> None:
        self._body = body
        self._size = window.size
        self._held = [(window.base, window.buf)]
        self._reads = 0
        self._most_reads = limits.max_fragment_reads

    def end(self, offset: int) -> int | None:
        """Return the position behind the delimiter, ``None`` when nothing is behind it or it is missing.

        Raises
        ------
        _UndecidedError
            If it is not found within the limits.

        """
        first, last = self._offset_table(offset)
        if last is not None and self._bytes(last, 8)[:4] != _ITEM:
            last = None
        decided, position = self._follow(first if last is None else last, _CHEAP_READS)
        if decided:
            return position
        if self._size != UNKNOWN_SIZE:
            decided, found = self._by_tail(max(offset, self._size - _TAIL))
            if decided:
                return found
        decided, position = self._follow(position or first, self._most_reads)
        if not decided:
            raise _UndecidedError
        return position

    def _bytes(self, position: int, count: int) -> bytes:
        for base, data in self._held:
            if base <= position and position + count <= base + len(data):
                return data[position - base : position - base + count]
        data = self._body.read(position, _READ_AHEAD)
        self._reads += 1
        self._held[1:] = [(position, data)]
        return data[:count]

    def _offset_table(self, offset: int) -> tuple[int, int | None]:
        """Return where the first fragment begins, and the last frame if the Basic Offset Table tells (PS3.5 A.4)."""
        head = self._bytes(offset, 8)
        if head[:4] != _ITEM or len(head) < 8:
            raise _UndecidedError
        (length,) = struct.unpack("<I", head[4:])
        first = offset + 8 + length
        base, data = self._held[0]
        at = first - 4 - base
        if length < 8 or length % 4 or not 0 <= at <= len(data) - 4:
            return first, None
        (last,) = struct.unpack_from("<I", data, at)
        return first, first + last if first + last + 8 <= self._size else None

    def _follow(self, position: int, most_reads: int) -> tuple[bool, int | None]:
        """Go from fragment to fragment; return whether the end was found, and it or the position that was reached."""
        reads = self._reads + most_reads
        for _ in range(_MOST_STEPS):
            if position >= self._size - 8:
                # There is room for a delimiter and for nothing behind it.
                return True, None
            base, data = self._held[0]
            if self._reads >= reads and not base <= position <= base + len(data) - 8:
                return False, position
            head = self._bytes(position, 8)
            if head == _SEQUENCE_END:
                return True, position + 8
            if head[:4] != _ITEM or len(head) < 8:
                return (len(head) < 8), (None if len(head) < 8 else position)
            (length,) = struct.unpack("<I", head[4:])
            position += 8 + length
        return False, position

    def _by_tail(self, start: int) -> tuple[bool, int | None]:
        """Look for the delimiter at the end of the file; return whether it was found, and what is behind it."""
        base, held = self._held[0]
        tail = held[start - base :] if base <= start and base + len(held) >= self._size else b""
        tail = tail or self._body.read(start, self._size - start)
        at = -8
        for _ in range(_MOST_DELIMITERS):
            at = tail.find(_SEQUENCE_END, at + 8)
            if at < 0:
                break
            if not any(tail[at + 8 :]):
                # Behind an item that is delimited it ends some other sequence.
                return tail[max(at - 8, 0) : at] != _ITEM_END, None
            if _is_data_set(tail, at + 8):
                return True, start + at + 8
        return False, None


def _is_data_set(tail: bytes, at: int) -> bool:
    """Say whether elements, all of them above the pixel data, fill the rest of a file."""
    sight = Sight(tail, len(tail), EXPLICIT_LITTLE)
    floor = _PIXEL_DATA
    while at < len(tail) and any(tail[at : at + 8]):
        found = candidate(sight, at)
        if found is None or found.tag <= floor:
            return False
        floor, at = found.tag, found.following
        if found.length == UNDEFINED:
            window = Window(BytesSource(tail), len(tail), 0)
            try:
                at, _ = end_of_undefined(window, found.start, EXPLICIT_LITTLE, _MOST_STEPS)
            except StopError:
                return False
    return True

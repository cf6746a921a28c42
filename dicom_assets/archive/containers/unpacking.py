"""Packed content, read at any place of what it unpacks to.

Unpacking goes forward only. So what was unpacked last is kept for a while (the *window*), and of deflate, whose state
can be copied, states are kept on the way (*checkpoints*), from which unpacking goes on again. Reading a stream in order
unpacks it once; a step back beyond the window costs what lies between two checkpoints, or all that comes before.
"""

import zlib
from bisect import bisect_right
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Protocol

import pyarrow as pa

from dicom_assets.archive.containers.faults import Fault
from dicom_assets.archive.containers.limits import MOST_UNPACKED_BYTES
from dicom_assets.dicom.inflate import GZIP_MAGIC, is_bomb
from dicom_assets.dicom.source import ByteSource, StorageError, clamp
from dicom_assets.errors import DataError

_FED = 1 << 20
"""Bytes of the packed content that are read at once, where more than a little is wanted: a request of an object store
is worth it."""
_PIECE = 1 << 18
_WINDOW = 1 << 24
_CHECKPOINTS = 128
"""A state of deflate takes some 50 kB."""
_FIRST_STRIDE = 1 << 22


class UnpackingError(DataError):
    """Packed content cannot be unpacked any further.

    Attributes
    ----------
    fault
        Whether it is damaged, or unpacks to more than is allowed.

    """

    def __init__(self, message: str, fault: Fault = Fault.DAMAGED) -> None:
        super().__init__(message)
        self.fault = fault


@dataclass(slots=True)
class Feed:
    """Packed content on its way into an unpacker, read ahead in steps that grow.

    Attributes
    ----------
    source, position
        What is read, and from where on.
    step
        Bytes to read next.
    failure
        What the storage said, should a library on the way lose it.

    """

    source: ByteSource
    position: int = 0
    step: int = _FED
    failure: StorageError | None = None

    def read(self) -> bytes:
        """Return the next bytes, none at the end; raises what the source raises."""
        try:
            data = self.source.read(self.position, self.step)
        except StorageError as error:
            self.failure = error
            raise
        self.position += len(data)
        self.step = max(self.step, min(4 * self.step, _FED))
        return data


class Unpacker(Protocol):
    """Unpacks what a feed gives."""

    feed: Feed

    def read(self, count: int) -> bytes:
        """Return the next bytes of the content, `count` at most, none at its end; raises :class:`UnpackingError`."""
        ...

    def copy(self) -> "Unpacker | None":
        """Return one in the same state with a feed of its own, ``None`` where that cannot be."""
        ...


class Inflater:
    """Unpacks deflate streams.

    Parameters
    ----------
    feed
        What is unpacked.
    form
        :data:`~dicom_assets.dicom.inflate.RAW`, or :data:`~dicom_assets.dicom.inflate.GZIP`, of which members may
        follow each other.
    state, rest
        To go on from.

    """

    def __init__(self, feed: Feed, form: int, state: "zlib._Decompress | None" = None, rest: bytes = b"") -> None:
        self.feed = feed
        self._form = form
        self._state = state or zlib.decompressobj(form)
        self._rest = rest

    def copy(self) -> "Inflater":
        """Return one in the same state."""
        feed = Feed(self.feed.source, self.feed.position, self.feed.step)
        return Inflater(feed, self._form, self._state.copy(), self._rest)

    def read(self, count: int) -> bytes:
        """Return the next bytes."""
        while True:
            if self._state.eof and not self._next_member():
                return b""
            data = self._rest or self.feed.read()
            try:
                unpacked = self._state.decompress(data, count)
            except zlib.error as error:
                raise UnpackingError("the deflated data is damaged") from error
            self._rest = self._state.unused_data if self._state.eof else self._state.unconsumed_tail
            if unpacked:
                return unpacked
            if not data:
                raise UnpackingError("the deflated data ends too early")

    def _next_member(self) -> bool:
        """Go on with the gzip member that follows; padding is none."""
        if self._form < 0:
            return False
        while len(self._rest) < len(GZIP_MAGIC) and (more := self.feed.read()):
            self._rest += more
        if not self._rest.startswith(GZIP_MAGIC):
            return False
        self._state = zlib.decompressobj(self._form)
        return True


class Zstandard:
    """Unpacks Zstandard frames, by Arrow's decoder; its state cannot be copied."""

    def __init__(self, feed: Feed) -> None:
        self.feed = feed
        self._stream = pa.CompressedInputStream(pa.PythonFile(_Readable(self), mode="r"), "zstd")

    def copy(self) -> None:
        """Return ``None``."""
        return

    def read(self, count: int) -> bytes:
        """Return the next bytes."""
        try:
            return bytes(self._stream.read(count))
        except (pa.ArrowException, OSError) as error:
            if self.feed.failure is not None:
                raise self.feed.failure from error
            raise UnpackingError("the Zstandard data is damaged or ends too early") from error


class _Readable:
    """What Arrow needs of a file: the feed of an unpacker, whichever that is by then."""

    closed = False

    def __init__(self, unpacker: Zstandard) -> None:
        self._unpacker = unpacker
        self._ahead = b""

    def read(self, count: int) -> bytes:
        data = self._ahead or self._unpacker.feed.read()
        self._ahead = data[count:]
        return data[:count]

    def close(self) -> None:
        self.closed = True


@dataclass(slots=True)
class Unpacked:
    """What packed content unpacks to.

    Attributes
    ----------
    source
        The packed content. It may be replaced by another source of the same bytes.
    start
        Makes the unpacker of a feed.
    length
        Of the unpacked content where that is known: no more is unpacked.
    first
        Bytes of packed content to read at first.
    damage
        Why the content ends before its end.

    """

    source: ByteSource
    start: Callable[[Feed], Unpacker]
    length: int | None = None
    first: int = _FED
    damage: UnpackingError | None = None
    _unpacker: Unpacker | None = None
    _end: int = 0
    _window: deque[bytes] = field(default_factory=deque)
    _kept: int = 0
    _checkpoints: list[tuple[int, Unpacker]] = field(default_factory=list)
    _stride: int = _FIRST_STRIDE

    @property
    def size(self) -> int:
        """Length of the content; beyond any file where only unpacking tells it."""
        return MOST_UNPACKED_BYTES if self.length is None else self.length

    def read(self, offset: int, length: int) -> bytes:
        """Return the bytes ``[offset, offset + length)``, fewer where the content ends, be it by damage.

        Raises
        ------
        StorageError
            They cannot be read.

        """
        offset, length = clamp(offset, length, self.size)
        if not length:
            return b""
        self._go_to(offset, length)
        end = offset + length
        parts = [self._from_window(offset, end)]
        while self._end < end and (piece := self._advance(min(_PIECE, end - self._end))):
            before = self._end - len(piece)
            if self._end > offset:
                parts.append(piece[max(offset - before, 0) : end - before])
        return b"".join(parts)

    def _from_window(self, offset: int, end: int) -> bytes:
        """Return what of a range was unpacked already."""
        if offset >= self._end:
            return b""
        parts, position = [], self._end - self._kept
        for piece in self._window:
            if position < end and position + len(piece) > offset:
                parts.append(piece[max(offset - position, 0) : end - position])
            position += len(piece)
        return b"".join(parts)

    def _go_to(self, offset: int, length: int) -> None:
        """Take up unpacking where it reaches an offset soonest."""
        # What is deflated takes about as much as it gives at most, and a little more.
        step = min(max(self.first, length + length // 64 + 512), _FED)
        place = bisect_right(self._checkpoints, offset, key=lambda entry: entry[0]) - 1
        reached = self._checkpoints[place][0] if place >= 0 else 0
        if self._unpacker is None or self._end - self._kept > offset or reached > self._end:
            saved = self._checkpoints[place][1].copy() if place >= 0 else None
            self._unpacker = saved or self.start(Feed(self.source))
            self._window.clear()
            self._end, self._kept = reached, 0
            self._unpacker.feed.step = step
        self._unpacker.feed.source = self.source
        self._unpacker.feed.step = max(self._unpacker.feed.step, step)

    def _advance(self, count: int) -> bytes:
        """Unpack and return the next bytes, none at the end."""
        assert self._unpacker is not None, "started by _go_to"
        try:
            piece = self._unpacker.read(count)
            if is_bomb(self._end + len(piece), self._unpacker.feed.position) or self._end >= MOST_UNPACKED_BYTES:
                raise UnpackingError("the content unpacks to more than is allowed", Fault.RATIO)  # noqa: TRY301
            if not piece and self.length is not None:
                raise UnpackingError("the content is shorter than it should be")  # noqa: TRY301
        except UnpackingError as error:
            self.damage, self.length, self._unpacker = error, self._end, None
            return b""
        except BaseException:
            self._unpacker = None  # whose place is not certain any more
            raise
        self._window.append(piece)
        self._end += len(piece)
        self._kept += len(piece)
        while self._window and self._kept - len(self._window[0]) >= _WINDOW:
            self._kept -= len(self._window.popleft())
        self._keep_state()
        return piece

    def _keep_state(self) -> None:
        last = self._checkpoints[-1][0] if self._checkpoints else 0
        if self._end < last + self._stride or self._unpacker is None or (state := self._unpacker.copy()) is None:
            return
        self._checkpoints.append((self._end, state))
        if len(self._checkpoints) > _CHECKPOINTS:
            self._checkpoints = self._checkpoints[1::2]
            self._stride *= 2

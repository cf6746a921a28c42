"""A part of a file in memory that moves forward, so that what is skipped is never read: headers, items of fragments."""

from dicom_assets.dicom.inflate import InflatedSource
from dicom_assets.dicom.source import ByteSource
from dicom_assets.errors import DataError

UNKNOWN_SIZE = 1 << 62
ITEM_STEP = 4096
"""Step for headers of items with large values between them, of which no more is read."""
_LARGEST_STEP = 1 << 20
_NO_LIMIT = 1 << 62


class ReadLimitError(DataError):
    """More bytes of the source were asked for than the limits allow."""


class ReadAheadBuffer:
    """Bytes ``[base, base + len(data))`` of a source, read ahead in steps that grow while they are used up.

    Parameters
    ----------
    source
        What to read.
    step
        Size of the first read; also of the first read after something that was skipped.
    most
        Bytes that may be read in all.
    base
        Where to begin.
    largest_step
        How far steps grow.

    Attributes
    ----------
    data, base
        The bytes at hand and the position of the first of them. Both change with :meth:`ensure`.
    size
        Length of the source; far beyond any file when only reading on can tell.

    """

    __slots__ = ("_first_step", "_largest_step", "_left", "_source", "_step", "base", "data", "size")

    def __init__(
        self,
        source: ByteSource,
        step: int,
        most: int = _NO_LIMIT,
        base: int = 0,
        largest_step: int = _LARGEST_STEP,
    ) -> None:
        self._source = source
        self._first_step = self._step = step
        self._largest_step = largest_step
        self._left = most
        self.size = UNKNOWN_SIZE if isinstance(source, InflatedSource) else source.size
        self.base = base
        self.data = source.read(base, step)

    def ensure(self, position: int, count: int) -> bool:
        """Make the bytes ``[position, position + count)`` available, ``False`` when the source ends before.

        `position` is never below :attr:`base`: the buffer moves forward only.
        """
        end = position + count
        if end <= self.base + len(self.data):
            return True
        if end > self.size:
            return False
        return self._advance(position, count)

    def reaches(self, end: int) -> bool:
        """Say whether the source has bytes up to `end`; the caller must not go back before ``end - 1``."""
        if self.size != UNKNOWN_SIZE:
            return end <= self.size
        return self.ensure(end - 1, 1)

    def _advance(self, position: int, count: int) -> bool:
        kept = self.data[position - self.base :]
        self._step = min(2 * self._step, self._largest_step) if kept else self._first_step
        wanted = max(count - len(kept), self._step)
        self._left -= wanted
        if self.size == UNKNOWN_SIZE:
            # What is skipped of a deflated data set has to be inflated all the same.
            self._left -= max(position - self.base - len(self.data), 0)
        if self._left < 0:
            raise ReadLimitError
        self.data = kept + self._source.read(position + len(kept), wanted)
        self.base = position
        return len(self.data) >= count

    def back_to(self, position: int) -> None:
        """Return to a position that the buffer has left behind."""
        if position < self.base:
            self._step = self._first_step
            self._left -= self._step
            if self._left < 0:
                raise ReadLimitError
            self.data = self._source.read(position, self._step)
            self.base = position

    def peek(self, position: int, count: int) -> bytes:
        """Return up to `count` bytes from `position` on, without moving there."""
        start = position - self.base
        found = self.data[start : start + count] if start >= 0 else b""
        return found if len(found) == count else self._source.read(position, count)

    def read(self, position: int, count: int) -> bytes:
        """Return up to `count` bytes from `position` on, fewer at the end of the source."""
        self.ensure(position, min(count, max(self.size - position, 0)))
        start = position - self.base
        return self.data[start : start + count]

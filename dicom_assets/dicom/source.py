"""Random access to the bytes of one file, whatever it lives on."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Protocol


class ByteSource(Protocol):
    """The bytes of one file, read by range.

    Implementations raise :class:`OSError` (or a subclass) when the storage fails; a short result means the
    end of the file, never an error.
    """

    @property
    def size(self) -> int:
        """Length of the file in bytes."""
        ...

    def read(self, offset: int, length: int) -> bytes:
        """Return the bytes ``[offset, offset + length)``, fewer at the end of the file."""
        ...


@dataclass(frozen=True, slots=True)
class BytesSource:
    """A file that is already in memory."""

    data: bytes

    @property
    def size(self) -> int:
        """Length of the file in bytes."""
        return len(self.data)

    def read(self, offset: int, length: int) -> bytes:
        """Return the bytes ``[offset, offset + length)``, fewer at the end of the file."""
        return self.data[offset : offset + length]


class HeadCachedSource:
    """A source whose first bytes were read once and are shared by all who look at the head of the file.

    Parameters
    ----------
    source
        The file itself.
    head
        Its first bytes, as read by the caller.

    """

    def __init__(self, source: ByteSource, head: bytes) -> None:
        self._source = source
        self._head = head

    @property
    def size(self) -> int:
        """Length of the file in bytes."""
        return self._source.size

    def read(self, offset: int, length: int) -> bytes:
        """Return the bytes ``[offset, offset + length)``; those of the head come from memory."""
        end = min(offset + length, self.size)
        known = len(self._head)
        if end <= known:
            return self._head[offset:end]
        if offset >= known:
            return self._source.read(offset, end - offset)
        return self._head[offset:] + self._source.read(known, end - known)


def chunks(source: ByteSource, size: int = 1 << 20) -> Iterator[bytes]:
    """Yield the whole file in order, in blocks of `size` bytes."""
    offset = 0
    while block := source.read(offset, size):
        yield block
        offset += len(block)

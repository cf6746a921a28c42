"""Random access to the bytes of one file, whatever it lives on."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Protocol

from dicom_assets.errors import InfrastructureError


class StorageError(InfrastructureError, OSError):
    """The storage did not give what it has: a fault of a disk, a share or a store, never of our arithmetic.

    Raised by the sources of an archive and by nothing else, so that it alone means that a file cannot be read.
    """


def clamp(offset: int, length: int, size: int) -> tuple[int, int]:
    """Return the part of a range that a file has, as its first position and its length.

    Offsets and lengths come from what strangers wrote, so any integer can: a range beyond the end of the file, of
    negative length or with a negative offset has no bytes, and one that reaches beyond the end stops there.

    Parameters
    ----------
    offset, length
        The range that is asked for, in bytes.
    size
        Length of the file.

    Returns
    -------
    tuple
        ``0 <= offset <= size`` and ``0 <= length <= size - offset``.

    """
    if offset < 0 or offset >= size:
        return (0, 0) if offset < 0 else (size, 0)
    return offset, min(max(length, 0), size - offset)


class ByteSource(Protocol):
    """The bytes of one file, read by range.

    Implementations raise :class:`OSError` (or a subclass) when the storage fails, an archive's own
    :class:`StorageError`. Any range may be asked for; a short result means the end of the file, never an error.
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
        offset, length = clamp(offset, length, len(self.data))
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
        offset, length = clamp(offset, length, self.size)
        end, known = offset + length, len(self._head)
        if end <= known:
            return self._head[offset:end]
        if offset >= known:
            return self._source.read(offset, length)
        return self._head[offset:] + self._source.read(known, end - known)


def chunks(source: ByteSource, size: int = 1 << 20, *, offset: int = 0, length: int | None = None) -> Iterator[bytes]:
    """Yield a file, or `length` bytes of it from `offset` on, in order and in blocks of `size` bytes."""
    end = None if length is None else offset + length
    while block := source.read(offset, size if end is None else min(size, end - offset)):
        yield block
        offset += len(block)

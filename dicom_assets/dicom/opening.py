"""From what a caller has, a path, bytes or a file object, to a :class:`~dicom_assets.dicom.source.ByteSource`."""

import io
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from dicom_assets.dicom.source import ByteSource, BytesSource, clamp

Openable = str | os.PathLike[str] | bytes | bytearray | memoryview | IO[bytes]
"""A path, the content of a file, or a binary file object that can seek."""


class FileObjectSource:
    """The content of a binary file object, from its beginning, wherever it stands.

    Parameters
    ----------
    file
        It can seek. Its position is where it was after each read.

    Raises
    ------
    OSError
        When it cannot seek, or its storage fails.

    """

    def __init__(self, file: IO[bytes]) -> None:
        self._file = file
        position = file.tell()
        self._size = file.seek(0, os.SEEK_END)
        file.seek(position)

    @property
    def size(self) -> int:
        """Length of the file in bytes, when it was opened."""
        return self._size

    def read(self, offset: int, length: int) -> bytes:
        """Return the bytes ``[offset, offset + length)``, fewer at the end of the file.

        Raises
        ------
        OSError
            When the storage fails, or the file was closed.

        """
        offset, length = clamp(offset, length, self._size)
        if self._file.closed:
            raise OSError("the file was closed, and what of it is not in memory cannot be read any more")
        position = self._file.tell()
        try:
            self._file.seek(offset)
            return self._read(length)
        finally:
            self._file.seek(position)

    def _read(self, length: int) -> bytes:
        """Return the next bytes; a raw file may give them piece by piece."""
        parts = []
        while length and (part := self._file.read(length)):
            parts.append(part)
            length -= len(part)
        return parts[0] if len(parts) == 1 else b"".join(parts)


@contextmanager
def open_source(file: Openable) -> Iterator[ByteSource]:
    """Open what a caller has as a source of bytes.

    Parameters
    ----------
    file
        A path, which is opened and closed again in the end; the content of a file; or a binary file object, which is
        read from its beginning whatever its position, keeps that position, and stays open.

    Yields
    ------
    ByteSource
        That of content in memory stays readable afterwards, that of a file object for as long as it is open.

    Raises
    ------
    OSError
        When the file cannot be opened or read, or a file object is closed or cannot seek.
    TypeError
        When it is none of these, or a file object in text mode.

    """
    if isinstance(file, bytes):
        yield BytesSource(file)
    elif isinstance(file, (bytearray, memoryview)):
        yield BytesSource(bytes(file))
    elif isinstance(file, (str, os.PathLike)):
        with Path(file).open("rb", buffering=0) as opened:
            yield FileObjectSource(opened)
    else:
        yield FileObjectSource(_binary(file))


def _binary(file: object) -> IO[bytes]:
    """Return a binary file object that can seek, if it is one."""
    if not all(hasattr(file, name) for name in ("read", "seek", "tell", "closed")):
        raise TypeError(f"a path, bytes or a binary file object is needed, not {type(file).__name__}")
    found: IO[bytes] = file  # type: ignore[assignment]
    if found.closed:
        raise OSError("the file object is closed")
    # Wrappers of the standard library tell their mode by what they read alone.
    if not isinstance(found.read(0), bytes):
        raise TypeError("the file object is in text mode: open it in mode 'rb'")
    if hasattr(file, "seekable") and not file.seekable():
        raise io.UnsupportedOperation("the file object cannot seek: read it, and pass its bytes")
    return found

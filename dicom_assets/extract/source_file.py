"""One file on its way through the extractors: its bytes are read once, for whoever asks."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from hashlib import sha256
from string import hexdigits
from typing import Any

import numpy.typing as npt
from pydicom.datadict import tag_for_keyword

from dicom_assets.archive.base import Archive
from dicom_assets.archive.versions import Listed
from dicom_assets.dicom.header import Header, first_value, read_header
from dicom_assets.dicom.pixels.attributes import element_bytes
from dicom_assets.dicom.pixels.frame_access import decode_stored_frame
from dicom_assets.dicom.source import ByteSource, HeadCachedSource
from dicom_assets.dicom.status import HeaderStatus

HEAD_BYTES = 64 << 10
"""How much of a file is read at first: enough for the header of most."""

_DIGEST_LETTERS = 32
_TAG_DIGITS = 8


def head_digest(head: bytes) -> str:
    """Return a short name of the first :data:`HEAD_BYTES` of a file as they are stored, in hexadecimal."""
    return sha256(head).hexdigest()[:_DIGEST_LETTERS]


@dataclass(frozen=True, slots=True)
class FileKey:
    """What the index says of a file.

    Attributes
    ----------
    prefix, path, relative_path, fingerprint
        As in the index.
    listed
        The version to read; ``None`` reads whatever there is.

    """

    prefix: str
    path: str
    relative_path: str
    fingerprint: str
    listed: Listed | None = None


class ReadMeter:
    """Counts the bytes that are read of files.

    Attributes
    ----------
    bytes
        So far.

    """

    def __init__(self) -> None:
        self.bytes = 0

    def measure(self, source: ByteSource) -> ByteSource:
        """Return a source that counts what is read of it here."""
        return _MeasuredSource(source, self)


class _MeasuredSource:
    def __init__(self, source: ByteSource, meter: ReadMeter) -> None:
        self._source = source
        self._meter = meter

    @property
    def size(self) -> int:
        return self._source.size

    def read(self, offset: int, length: int) -> bytes:
        data = self._source.read(offset, length)
        self._meter.bytes += len(data)
        return data


@contextmanager
def open_measured(archive: Archive, key: FileKey, meter: ReadMeter | None = None) -> Iterator[ByteSource]:
    """Open a file of an archive, and count what is read of it; raises as the archive does."""
    with archive.open(key.path, key.listed) as source:
        yield meter.measure(source) if meter else source


class SourceFile:
    """A file whose content is read lazily, and no part of it twice.

    Parameters
    ----------
    key
        What the index says of it.
    source
        Its bytes. Reading may raise :class:`OSError`.

    """

    def __init__(self, key: FileKey, source: ByteSource) -> None:
        self.key = key
        self._source = source

    @cached_property
    def head(self) -> bytes:
        """First bytes of the file, :data:`HEAD_BYTES` at most."""
        return self._source.read(0, HEAD_BYTES)

    @cached_property
    def source(self) -> ByteSource:
        """The bytes of the file, its head from memory."""
        return HeadCachedSource(self._source, self.head)

    @cached_property
    def header(self) -> Header:
        """The DICOM header."""
        return read_header(self.source)

    @cached_property
    def is_dicom(self) -> bool:
        """Whether the content is DICOM: it has the preamble, or it reads as a data set without one."""
        if self.head[128:132] == b"DICM":
            return True
        return self.header.status not in (HeaderStatus.NOT_DICOM, HeaderStatus.EMPTY)

    def text(self, keyword: str) -> str | None:
        """Return the first value of an attribute as text, ``None`` where the data set has none.

        Parameters
        ----------
        keyword
            Of the attribute, as in PS3.6, or its tag as eight hexadecimal digits.

        Raises
        ------
        KeyError
            There is no such keyword.

        """
        value = first_value(self.header.dataset, _tag(keyword))
        return value if isinstance(value, str) else None if value is None else str(value)

    def binary(self, keyword: str) -> bytes:
        """Return the value of a binary attribute, read from where it is in the file; empty where there is none.

        Parameters
        ----------
        keyword
            As for :meth:`text`.

        Raises
        ------
        KeyError
            There is no such keyword.
        OSError
            The storage fails.

        """
        element = self.header.dataset.get(_tag(keyword))
        return b"" if element is None else element_bytes(self.header, element)

    def frame(self, number: int = 1) -> npt.NDArray[Any]:
        """Return the stored values of a frame, decoded, before any transformation.

        Parameters
        ----------
        number
            Of the frame, from 1.

        Returns
        -------
        numpy.ndarray
            Shape ``(rows, columns)``, or ``(rows, columns, samples)`` where there are several samples for a pixel.
            Colour that a JPEG keeps as YCbCr is RGB here.

        Raises
        ------
        NoPixelDataError
            When the file has no pixel data.
        PixelError
            When it has no such frame, or one that cannot be decoded.
        OSError
            The storage fails.

        """
        return decode_stored_frame(self.header, number - 1).samples


def _tag(keyword: str) -> str:
    """Return a tag as a header has it: eight hexadecimal digits in capitals."""
    found = tag_for_keyword(keyword)
    if found is not None:
        return f"{found:08X}"
    if len(keyword) == _TAG_DIGITS and set(keyword) <= set(hexdigits):
        return keyword.upper()
    raise KeyError(f"{keyword!r} is no keyword of PS3.6")

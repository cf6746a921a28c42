"""One file on its way through the extractors: its bytes are read once, for whoever asks."""

from dataclasses import dataclass
from functools import cached_property
from hashlib import sha256

from dicom_assets.archive.versions import Listed
from dicom_assets.dicom.header import Header, read_header
from dicom_assets.dicom.source import ByteSource, HeadCachedSource
from dicom_assets.dicom.status import HeaderStatus

HEAD_BYTES = 64 << 10
"""How much of a file is read at first: enough for the header of most."""

_DIGEST_LETTERS = 32


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

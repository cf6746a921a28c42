"""What an archive is to the rest of the package."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Protocol, Self

import pyarrow as pa

from dicom_assets.archive.prefetch import Prefetch
from dicom_assets.archive.prefixes import PrefixCut
from dicom_assets.archive.versions import Listed
from dicom_assets.dicom.source import ByteSource
from dicom_assets.errors import InfrastructureError

Known = Callable[[str], pa.Table]
"""Returns the rows that the index has of a prefix: columns of a listing, of files that are there."""


class ArchiveError(InfrastructureError, OSError):
    """The archive as a whole cannot be reached: an infrastructure fault, not a bad file."""


@dataclass(frozen=True, slots=True)
class FolderIdentity:
    """What tells a folder from another one that is put in its place.

    Attributes
    ----------
    view
        Name of the mounts among which it was looked at: device numbers mean something only among those who share them.
    device, inode
        As the file system numbers them. Most network file systems give one inode to all their clients.

    """

    view: str
    device: int
    inode: int


@dataclass(frozen=True, slots=True)
class Prefixes:
    """Which prefixes an archive has.

    Attributes
    ----------
    found
        In sorted order, :data:`~dicom_assets.archive.prefixes.ROOT_PREFIX` first.
    unlisted
        One sentence for each folder above the prefix depth that could not be listed whole: prefixes below it may be
        missing, which says nothing of their files.

    """

    found: Sequence[str]
    unlisted: Sequence[str] = ()

    def __iter__(self) -> Iterator[str]:
        """Iterate over the prefixes."""
        return iter(self.found)


class Archive(Protocol):
    """Source files below one root, on whatever storage.

    Instances travel to Spark workers: they pickle, and open their connections where they are used.
    """

    @property
    def root(self) -> str:
        """Absolute path or URI that all files stand below."""
        ...

    @property
    def cut(self) -> PrefixCut:
        """How it is cut into prefixes."""
        ...

    @property
    def prefetch(self) -> Prefetch:
        """How many of its files a task has in flight."""
        ...

    def check(self) -> None:
        """Raise :class:`ArchiveError` unless the root can be reached and listed."""
        ...

    def at(self, root: str) -> Self:
        """Return the same archive as seen from another root: a link to it, or where it was moved."""
        ...

    def folder(self, prefix: str | None = None) -> FolderIdentity | None:
        """Return which folder the root, or a prefix, is at present; of several, the first by name.

        ``None`` where there is no such folder, and always of an object store. Raises :class:`ArchiveError` when that
        cannot be told.
        """
        ...

    def exists(self, path: str) -> bool:
        """Return whether there is a file at a path, even one that cannot be read; false when that cannot be told."""
        ...

    def prefixes(self) -> Prefixes:
        """Return the prefixes; raises :class:`ArchiveError` when the root cannot be listed."""
        ...

    def list(self, prefix: str) -> pa.Table:
        """Return the files of a prefix as :data:`~dicom_assets.archive.listing.LISTING_SCHEMA`.

        A prefix that is not there has no files. Raises :class:`~dicom_assets.archive.listing.ListingError`, which has
        what was listed, when they cannot be listed whole, :class:`ArchiveError` when the root cannot be listed, and
        :class:`~dicom_assets.archive.prefixes.PrefixError` for a key that is no prefix.
        """
        ...

    def open(self, path: str, listed: Listed | None = None) -> AbstractContextManager[ByteSource]:
        """Open a file by the path in its listing.

        Parameters
        ----------
        path
            Of the file.
        listed
            What was listed; without it, the file is only checked to stay the same while it is read.

        Raises
        ------
        FileChangedError
            The file is not the version that was listed: when it is opened, when it is read, or on leaving the context,
            before which nothing that was read is certain.
        OSError
            It cannot be opened; what reading it raises is a :class:`~dicom_assets.dicom.source.StorageError`.

        """
        ...


class OpenedSource(ByteSource, Protocol):
    """The bytes of one version of a file of an archive."""

    @property
    def version(self) -> str:
        """The version, as a listing would tell it: see :class:`~dicom_assets.archive.versions.Listed`."""
        ...


class FileArchive(Archive, Protocol):
    """An archive of files as they are stored."""

    def open(self, path: str, listed: Listed | None = None) -> AbstractContextManager[OpenedSource]:
        """Open a file, as in any archive."""
        ...

"""What an archive is to the rest of the package."""

from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Protocol

import pyarrow as pa

from dicom_assets.dicom.source import ByteSource


class ArchiveError(OSError):
    """The archive as a whole cannot be reached: an infrastructure fault, not a bad file."""


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
    def depth(self) -> int:
        """How many directories make a prefix."""
        ...

    def check(self) -> None:
        """Raise :class:`ArchiveError` unless the root can be reached and listed."""
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

    def open(self, path: str) -> AbstractContextManager[ByteSource]:
        """Open a file by the path in its listing; raises :class:`OSError`."""
        ...

"""Versions of files: what a listing said of one, and whether the file that is read is still that one.

On a file system a version is what it says of a file: size, time of last modification, time of status change and, where
it is kept (:mod:`dicom_assets.archive.file_systems`), the inode number. In an object store it is the entity tag.
"""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from dicom_assets.dicom.source import StorageError
from dicom_assets.errors import InfrastructureError


class FileChangedError(StorageError, InfrastructureError):
    """The file is not, or no longer, the version that was listed: what was read of it belongs to no version."""


@dataclass(frozen=True, slots=True)
class Listed:
    """What a listing said of a file, for who reads it.

    Attributes
    ----------
    size
        Length in bytes.
    version
        The index's ``source_version``, or its ``etag`` where there is none, or else its ``fingerprint``.

    """

    size: int
    version: str

    @classmethod
    def of(cls, row: Mapping[str, Any]) -> "Listed":
        """Return what a row of a listing or of the index says; an older index has no ``source_version``."""
        return cls(row["size"], row.get("source_version") or row.get("etag") or row["fingerprint"])


def content_version(status: os.stat_result) -> str:
    """Return the size of a file and the time of its last modification in nanoseconds, as text."""
    return f"{status.st_size}-{status.st_mtime_ns}"


def source_version(status: os.stat_result, *, inode: bool) -> str:
    """Return all that a file system says of the version of a file.

    Parameters
    ----------
    status
        Of the file.
    inode
        Whether its file system keeps inode numbers.

    """
    version = f"{status.st_size}-{status.st_mtime_ns}-{status.st_ctime_ns}"
    return f"{version}-{status.st_ino}" if inode else version


def check_version(status: os.stat_result, listed: Listed) -> None:
    """Raise :class:`FileChangedError` unless a file is the one that was listed.

    Whether the inode number counts is told by the listing, which may have been made on another machine. An index that
    is older than ``source_version`` has size and time of last modification only.
    """
    known = (content_version(status), source_version(status, inode=False), source_version(status, inode=True))
    if listed.version not in known:
        raise FileChangedError("the file is not the version that was listed")

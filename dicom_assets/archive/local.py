"""An archive in a folder: a disk of this machine, or a share that is mounted everywhere under one path."""

import errno
import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Self
from urllib.parse import quote_from_bytes, unquote_to_bytes

import pyarrow as pa

from dicom_assets.archive.base import ArchiveError, FolderIdentity
from dicom_assets.archive.file_systems import InodeNumbers
from dicom_assets.archive.identity import identify_folder
from dicom_assets.archive.listing import ListedFile, ListingError, to_table
from dicom_assets.archive.prefixes import ROOT_PREFIX, decode_prefix, encode_prefix
from dicom_assets.archive.versions import Listed, check_version, content_version, source_version
from dicom_assets.dicom.source import StorageError, clamp

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_FILE_URI = "file://"


@dataclass(frozen=True, slots=True)
class LocalArchive:
    """Files below a folder.

    Symbolic links are followed, to folders too, save where a folder would contain itself. What is neither file nor
    folder (pipe, socket, device) is left out: opening one can block for ever. A name that is no UTF-8 text cannot
    stand in a table, so its path is written as a percent-encoded ``file://`` URI.
    """

    root: str
    depth: int

    def check(self) -> None:
        """Raise :class:`ArchiveError` unless the root can be listed."""
        try:
            with os.scandir(self.root):
                pass
        except OSError as error:
            raise ArchiveError(f"cannot list the archive root {self.root}: {error.strerror}") from error

    def at(self, root: str) -> Self:
        """Return the archive as seen from another root."""
        return replace(self, root=root)

    def folder(self, prefix: str | None = None) -> FolderIdentity | None:
        """Return which folder the root, or a prefix, is at present; raises :class:`ArchiveError`."""
        names = () if prefix is None else decode_prefix(prefix, self.depth)
        path = str(Path(self.root, *names))
        try:
            return identify_folder(path)
        except OSError as error:
            raise ArchiveError(f"cannot look at {_shown(path)}: {error.strerror}") from error

    def exists(self, path: str) -> bool:
        """Return whether there is a file, or a link that leads nowhere."""
        return os.path.lexists(from_text(path))

    def prefixes(self) -> Iterator[str]:
        """Yield the prefixes in sorted order; the root prefix only when it has files."""
        found: list[str] = []
        try:
            above = self._shallow_files(self.root, self.depth, found, ())
        except OSError as error:
            raise ArchiveError(f"cannot list {_shown(error.filename)}: {error.strerror}") from error
        if above:
            yield ROOT_PREFIX
        yield from sorted(found)

    def _shallow_files(self, folder: str, levels: int, found: list[str], names: tuple[str, ...]) -> bool:
        """Collect the prefixes below a folder; return whether files stand above them."""
        if not levels:
            found.append(encode_prefix(names))
            return False
        files = False
        for entry in _scan(folder):
            if entry.is_dir():
                files |= self._shallow_files(entry.path, levels - 1, found, (*names, entry.name))
            else:
                files |= _is_listed(entry)
        return files

    def list(self, prefix: str) -> pa.Table:
        """Return the files of a prefix, in the order of paths."""
        directories = decode_prefix(prefix, self.depth)
        top = str(Path(self.root, *directories))
        levels = None if directories or not self.depth else self.depth
        try:
            return to_table(prefix, self._walk(top, levels))
        except FileNotFoundError as error:
            if error.filename != top:
                raise ListingError(f"{_shown(error.filename)} changed while it was listed") from error
            self.check()
            return to_table(prefix, ())
        except OSError as error:
            raise ListingError(f"cannot list {_shown(error.filename)}: {error.strerror}") from error

    def _walk(self, top: str, levels: int | None) -> Iterator[ListedFile]:
        """Yield the files below a folder, of the given number of levels only, or of all."""
        inodes = InodeNumbers()
        pending = [(top, 1, frozenset[tuple[int, int]]())]
        while pending:
            folder, level, ancestors = pending.pop()
            ancestors |= {_identity(folder)}
            for entry in _scan(folder):
                if entry.is_dir():
                    deeper = levels is None or level < levels
                    if deeper and not (entry.is_symlink() and _identity(entry.path) in ancestors):
                        pending.append((entry.path, level + 1, ancestors))
                elif (listed := self._listed(entry, inodes)) is not None:
                    yield listed

    def _listed(self, entry: os.DirEntry[str], inodes: InodeNumbers) -> ListedFile | None:
        """Return a file's row, ``None`` for what is no file; a dangling link is a file that cannot be read."""
        try:
            status = entry.stat()
        except FileNotFoundError:
            if not entry.is_symlink():
                return None  # removed while we listed
            status = entry.stat(follow_symlinks=False)
        if not (stat.S_ISREG(status.st_mode) or stat.S_ISLNK(status.st_mode)):
            return None
        return ListedFile(
            path=to_text(entry.path),
            relative_path=_shown(entry.path[_length(self.root) :].lstrip(os.sep)),
            size=status.st_size,
            modified_at=_EPOCH + timedelta(microseconds=status.st_mtime_ns // 1000),
            etag=None,
            fingerprint=content_version(status),
            source_version=source_version(status, inode=inodes.kept(entry.path, status.st_dev)),
        )

    @contextmanager
    def open(self, path: str, listed: Listed | None = None) -> Iterator["LocalSource"]:
        """Open a file for reading by range; it is compared with what was listed before and after that."""
        descriptor = os.open(from_text(path), os.O_RDONLY | getattr(os, "O_BINARY", 0))
        try:
            status = os.fstat(descriptor)
            listed = listed or Listed(status.st_size, source_version(status, inode=True))
            check_version(status, listed)
            yield LocalSource(descriptor, status.st_size)
            check_version(os.fstat(descriptor), listed)
        finally:
            os.close(descriptor)


@dataclass(frozen=True, slots=True)
class LocalSource:
    """An open file."""

    descriptor: int
    size: int

    def read(self, offset: int, length: int) -> bytes:
        """Return the bytes ``[offset, offset + length)``, fewer at the end of the file."""
        offset, length = clamp(offset, length, self.size)
        try:
            return os.pread(self.descriptor, length, offset) if length else b""
        except OSError as error:
            if error.errno == errno.EINVAL:
                raise  # an argument that no disk is to blame for
            raise StorageError(error.errno, error.strerror) from error


def _scan(folder: str) -> list[os.DirEntry[str]]:
    with os.scandir(folder) as entries:
        return list(entries)


@cache
def _length(root: str) -> int:
    """Return how much of a path below a root the root is: telling so for each file takes a third of a listing."""
    return len(str(Path(root)))


def _is_listed(entry: os.DirEntry[str]) -> bool:
    return entry.is_file() or entry.is_symlink()


def _identity(folder: str) -> tuple[int, int]:
    status = Path(folder).stat()
    return status.st_dev, status.st_ino


def to_text(path: str) -> str:
    """Return a path as tables hold it."""
    try:
        path.encode()
    except UnicodeEncodeError:
        return _FILE_URI + quote_from_bytes(os.fsencode(path))
    return path


def from_text(text: str) -> str | bytes:
    """Return the path that a table holds."""
    return unquote_to_bytes(text.removeprefix(_FILE_URI)) if text.startswith(_FILE_URI) else text


def _shown(path: str) -> str:
    """Return a path as text for people; bytes that are no UTF-8 become U+FFFD."""
    return os.fsencode(path).decode(errors="replace")

"""One file into an export: copied or linked, under its name only when it is whole and the version that is meant."""

import errno
import os
import uuid
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from enum import StrEnum
from hashlib import sha256
from pathlib import Path

from dicom_assets.archive.base import Archive
from dicom_assets.archive.containers.faults import MemberError
from dicom_assets.archive.versions import FileChangedError
from dicom_assets.cohorts.errors import ExportError, FolderError
from dicom_assets.cohorts.members import Member
from dicom_assets.cohorts.opened import opened
from dicom_assets.dicom.source import ByteSource, StorageError, chunks
from dicom_assets.storage.addresses import from_text

_BLOCK = 4 << 20
_NO_LINKS = frozenset((errno.EXDEV, errno.EPERM, errno.EMLINK, errno.ENOTSUP))


class Mode(StrEnum):
    """How the file of a member gets into the folder."""

    COPY = "copy"
    """Its bytes are copied, and verified while they are."""
    HARDLINK = "hardlink"
    """A hard link: takes no space, on the file system of the archive only. What is written to one is in both."""
    SYMLINK = "symlink"
    """A symbolic link: takes no space, and breaks when the archive is moved."""


def is_there(target: Path, member: Member, mode: Mode) -> bool:
    """Return whether the file of a member is in place already: files get their names when they are whole."""
    try:
        if mode is Mode.SYMLINK:
            return os.fsencode(target.readlink()) == os.fsencode(from_text(member.path))
        return not target.is_symlink() and target.stat().st_size == member.size
    except OSError:
        return False


def place(archive: Archive, member: Member, target: Path, mode: Mode, parts: Path) -> None:
    """Put the file of a member where it belongs.

    Parameters
    ----------
    archive, member
        What is read; another version of the file is refused.
    target
        Where it goes; what is there is replaced.
    mode
        How.
    parts
        Folder of unfinished files, on the same file system.

    Raises
    ------
    FileChangedError, FileNotFoundError, OSError
        Of the file: see :func:`~dicom_assets.cohorts.opened.opened`.
    FolderError
        The folder cannot be written.
    ExportError
        The file cannot be linked from there.

    """
    part = parts / uuid.uuid4().hex
    try:
        with opened(archive, member) as source:
            _MAKERS[mode](source, member, part)
        # Only now it is certain that what was read is the version.
        with _written(parts):
            target.parent.mkdir(parents=True, exist_ok=True)
            part.replace(target)
    finally:
        with suppress(OSError):
            part.unlink(missing_ok=True)  # of two hard links to one file, replacing removes none


def _copy(source: ByteSource, member: Member, part: Path) -> None:
    hasher, length = sha256(), 0
    with _written(part.parent), part.open("xb") as sink:
        for block in chunks(source, _BLOCK):
            sink.write(block)
            length += len(block)
            if member.sha256:
                hasher.update(block)
        sink.flush()
        os.fsync(sink.fileno())
    if length != member.size:
        raise StorageError(errno.EIO, "the storage gave fewer bytes than the file has")
    if member.sha256 and hasher.hexdigest() != member.sha256:
        raise FileChangedError("the content is not the one that was cataloged")


def _hardlink(source: ByteSource, member: Member, part: Path) -> None:  # noqa: ARG001 - that it could be opened counts
    try:
        with _written(part.parent):
            os.link(os.fsdecode(from_text(member.path)), part, follow_symlinks=True)
    except FolderError as error:
        if isinstance(error.__cause__, OSError) and error.__cause__.errno in _NO_LINKS:
            raise ExportError(
                "files cannot be hard-linked into this folder: it has to be on the file system of the archive, which "
                "has to take links; choose another folder, copies or symbolic links"
            ) from error
        raise


def _symlink(source: ByteSource, member: Member, part: Path) -> None:  # noqa: ARG001 - as above
    with _written(part.parent):
        part.symlink_to(os.fsdecode(from_text(member.path)))


_MAKERS: Mapping[Mode, Callable[[ByteSource, Member, Path], None]] = {
    Mode.COPY: _copy,
    Mode.HARDLINK: _hardlink,
    Mode.SYMLINK: _symlink,
}


@contextmanager
def _written(parts: Path) -> Iterator[None]:
    """Say that the folder of an export cannot be written; faults of the archive stay what they are.

    The folder is named, and none below it: those are called after patients.
    """
    try:
        yield
    except (StorageError, MemberError):
        raise
    except OSError as error:
        why = (
            "the disk is full: free space"
            if error.errno in (errno.ENOSPC, errno.EDQUOT)
            else f"{error.strerror}; mend that"
        )
        raise FolderError(
            f"{parts.parents[1]} cannot be written: {why}, and export again to go on from here"
        ) from error

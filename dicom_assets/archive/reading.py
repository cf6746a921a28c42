"""Opening what stands at a local path, however long the path is, and reading it if it is a file."""

import errno
import os
import stat
from collections.abc import Callable
from dataclasses import dataclass

from dicom_assets.dicom.source import StorageError, clamp
from dicom_assets.errors import UserError

PATH_MAX = 4096
"""Bytes of a path, its final NUL included, that the system takes at once (PATH_MAX of Linux, larger than elsewhere)."""

_STEP = os.O_DIRECTORY | os.O_CLOEXEC | getattr(os, "O_PATH", os.O_RDONLY)
_READ = os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK | os.O_NOCTTY
"""A pipe that took the place of a file would hold up who opens it until somebody writes."""

_LOOK = os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK | getattr(os, "O_PATH", os.O_RDONLY)
_IN_THE_WAY = frozenset((errno.ELOOP, errno.EMLINK, errno.EPERM, errno.ENXIO))
"""Errors where there is no ``O_PATH``: of what is there, and is not opened."""

_OF_THE_ENTRY = frozenset((errno.ENOTDIR, errno.ELOOP, errno.ENAMETOOLONG, errno.ENXIO))
"""Errors that no second attempt mends."""

_NOT_REGULAR = "not a regular file"


class NotAFileError(UserError, OSError):
    """There is no file at a path that may be read, and the next attempt would not find one either."""


@dataclass(frozen=True, slots=True)
class LocalSource:
    """An open file.

    Attributes
    ----------
    descriptor, size
        Of the file.
    version
        As it was when it was opened.

    """

    descriptor: int
    size: int
    version: str = ""

    def read(self, offset: int, length: int) -> bytes:
        """Return the bytes ``[offset, offset + length)``, fewer at the end of the file."""
        offset, length = clamp(offset, length, self.size)
        try:
            return os.pread(self.descriptor, length, offset) if length else b""
        except OSError as error:
            if error.errno == errno.EINVAL:
                raise  # an argument that no disk is to blame for
            raise StorageError(error.errno, error.strerror) from error


def open_path(path: str | bytes, flags: int) -> int:
    """Return a descriptor of what stands at a path; a path that is too long for the system is gone down in steps."""
    rest = os.fsencode(path)
    folder: int | None = None
    try:
        while len(rest) >= PATH_MAX and (cut := rest.rfind(b"/", 1, PATH_MAX - 1)) > 0:
            below = os.open(rest[:cut], _STEP, dir_fd=folder)
            if folder is not None:
                os.close(folder)
            folder, rest = below, rest[cut:].lstrip(b"/")
        return os.open(rest, flags, dir_fd=folder)
    finally:
        if folder is not None:
            os.close(folder)


def stands_at(path: str | bytes) -> bool:
    """Return whether there is anything at a path, a link that leads nowhere included."""
    try:
        os.close(open_path(path, _LOOK))
    except OSError as error:
        return error.errno in _IN_THE_WAY
    return True


def open_file(path: str | bytes, refusal: Callable[[str], str | None]) -> int:
    """Return a descriptor of a regular file, without waiting for anybody.

    Parameters
    ----------
    path
        Of the file, or of a link to it.
    refusal
        Why a link at some path may not be followed, ``None`` when it may; asked of links only.

    Raises
    ------
    NotAFileError
        There is something else: a pipe, a device, a folder, a link that leads nowhere or where it must not.
    OSError
        It cannot be opened.

    """
    try:
        descriptor = _open_unless_link(path, refusal)
    except OSError as error:
        if error.errno in _OF_THE_ENTRY:
            raise NotAFileError(error.errno, _NOT_REGULAR if error.errno == errno.ENXIO else error.strerror) from error
        raise
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        raise NotAFileError(errno.EINVAL, _NOT_REGULAR)
    return descriptor


def _open_unless_link(path: str | bytes, refusal: Callable[[str], str | None]) -> int:
    try:
        return open_path(path, _READ | os.O_NOFOLLOW)
    except OSError as error:
        if error.errno not in (errno.ELOOP, errno.EMLINK):  # the second is what FreeBSD says
            raise
    if (reason := refusal(os.fsdecode(path))) is not None:
        raise NotAFileError(errno.EXDEV, reason)
    return open_path(path, _READ)

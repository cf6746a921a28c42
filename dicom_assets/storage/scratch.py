"""Temporary files of this process, in one folder that is removed at its end, or by the next process if it was killed.

The folder is below ``TMPDIR``. Its owner holds a lock in it as long as it lives, since process ids are reused; a folder
whose lock nobody holds belongs to a dead owner. Folders of other users are left alone.
"""

import atexit
import os
import re
import shutil
import stat
import tempfile
import time
from contextlib import suppress
from functools import cache
from pathlib import Path

from filelock import FileLock, Timeout

_PREFIX = "dicom-assets-"
_NAME = re.compile(rf"{_PREFIX}\d+-\w{{8}}")
_LOCK = "owner.lock"
_UNLOCKED_SECONDS = 3600
"""A folder without a lock is just being made, or its maker was killed in that moment."""


def scratch_folder() -> Path:
    """Return the folder of this process, made at the first call; those of dead processes are removed then.

    Returns
    -------
    pathlib.Path
        Only this user can read it.

    """
    return _folder_of(os.getpid())  # a forked child is a process of its own


@cache
def _folder_of(pid: int) -> Path:
    remove_abandoned(Path(tempfile.gettempdir()))
    while True:
        folder = Path(tempfile.mkdtemp(prefix=f"{_PREFIX}{pid}-"))
        lock = FileLock(folder / _LOCK)
        try:
            lock.acquire()
        except OSError:
            continue  # another process took the folder for an abandoned one
        if (folder / _LOCK).exists():
            break
        lock.release()
    _held.append(lock)
    atexit.register(_remove_own, folder, pid)
    return folder


_held: list[FileLock] = []
"""The lock of this process, for as long as it lives; in a forked child also its parent's."""


def remove_abandoned(parent: Path) -> list[Path]:
    """Remove the folders that processes left which were killed; returns them.

    Parameters
    ----------
    parent
        The folder of temporary files.

    """
    return [folder for folder in parent.glob(f"{_PREFIX}*") if _NAME.fullmatch(folder.name) and _removed(folder)]


def _removed(folder: Path) -> bool:
    """Remove a folder if it was abandoned, and return whether it was."""
    with suppress(OSError):  # it is gone meanwhile, or not ours
        status = folder.lstat()
        if not stat.S_ISDIR(status.st_mode) or (hasattr(os, "getuid") and status.st_uid != os.getuid()):
            return False
        if not (folder / _LOCK).exists():
            if time.time() - status.st_mtime > _UNLOCKED_SECONDS:
                folder.rmdir()  # only if it is empty
            return not folder.exists()
        try:
            with FileLock(folder / _LOCK, blocking=False):
                shutil.rmtree(folder, ignore_errors=True)
        except Timeout:
            return False
        return not folder.exists()
    return False


def _remove_own(folder: Path, pid: int) -> None:
    """Remove the folder of a process at its end, but not at that of a child which it forked."""
    if os.getpid() == pid:
        shutil.rmtree(folder, ignore_errors=True)

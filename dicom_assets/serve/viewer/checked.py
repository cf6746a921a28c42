"""Builds that were found to be servable: to look through one takes seconds, and is done once for each state of it.

A stamp in the user's cache says so. It names the build, the rules by which it is moved and its files with their sizes
and times: where any of them is another, the build is looked through again. Without a stamp, or a place for one, too.
"""

import hashlib
import os
from collections.abc import Iterator
from contextlib import suppress
from importlib.metadata import version
from pathlib import Path

from dicom_assets.serve.viewer import configuration, rewriting
from dicom_assets.serve.viewer.install import viewer_folder
from dicom_assets.serve.viewer.package import Places
from dicom_assets.serve.viewer.rewriting import check_build

_FOLDER = "checked"
_KEPT = 20
"""Stamps; older ones go."""


def check_once(folder: Path, expected: Places | None = None) -> None:
    """Find out whether a folder holds a build that can be served, unless that is known.

    Parameters
    ----------
    folder
        Of the build.
    expected
        How many places are to be found, where that is known.

    Raises
    ------
    ViewerError
        It holds none, or one that would not run below the prefix.

    """
    stamp = _stamp(folder, expected)
    if stamp is not None and stamp.exists():
        return
    check_build(folder, expected)
    if stamp is not None:
        with suppress(OSError):  # next time, it is looked through again
            _put(stamp)


def _stamp(folder: Path, expected: Places | None) -> Path | None:
    """Return the file that stands for this state of a build; ``None`` where it cannot be told."""
    told = hashlib.sha256()
    try:
        for part in (version("dicom-assets"), str(folder.resolve()), repr(expected), rewriting.PREFIX):
            told.update(f"{part}\0".encode(errors="replace"))
        told.update(configuration.configuration())
        for line in sorted(_files(folder)):
            told.update(line.encode(errors="replace"))
    except OSError:
        return None
    return viewer_folder().parent / _FOLDER / told.hexdigest()[:32]


def _files(folder: Path) -> Iterator[str]:
    """Yield a line for each file of a build."""
    for place, _, names in os.walk(folder):
        for name in names:
            path = Path(place, name)
            status = path.stat()
            yield f"{path.relative_to(folder)}\0{status.st_size}\0{status.st_mtime_ns}\0"


def _put(stamp: Path) -> None:
    stamp.parent.mkdir(parents=True, exist_ok=True)
    stamp.touch()
    for old in sorted(stamp.parent.iterdir(), key=lambda path: path.stat().st_mtime)[:-_KEPT]:
        old.unlink(missing_ok=True)

"""Any number of real DICOM files on disk, without the space: some, repeated by hard links.

A hard link costs an entry of its folder and nothing else, and is a file of its own to who lists and reads it.
"""

import errno
import itertools
import os
import shutil
from collections.abc import Sequence
from pathlib import Path

from pydicom.data import get_testdata_files

FILES_PER_FOLDER = 1_000
_LARGEST = 64 << 10
_SERIES_PER_FOLDER = 12
"""How many different files a folder repeats: a folder of an archive has some series, not a hundred."""


def small_images(folders: Sequence[Path] = ()) -> list[Path]:
    """Return DICOM files of up to 64 KiB: those that come with pydicom, and those below some folders."""
    below = [path for folder in folders for path in sorted(folder.rglob("*"))]
    candidates = [*map(Path, sorted(get_testdata_files())), *below]
    return [path for path in candidates if path.is_file() and path.stat().st_size <= _LARGEST and _is_dicom(path)]


def _is_dicom(path: Path) -> bool:
    with path.open("rb") as stream:
        return stream.read(132)[128:] == b"DICM"


def repeat_files(folder: Path, target: Path, count: int) -> list[Path]:
    """Link the DICOM files of a folder, again and again, to make as many as are wanted; 1,000 in each sub-folder."""
    found = sorted(path for path in folder.rglob("*") if path.is_file() and _is_dicom(path))
    if not found:
        raise SystemExit(f"there is no DICOM file below {folder}")
    paths = []
    for number, path in zip(range(count), itertools.cycle(found), strict=False):
        link = target / f"{number // FILES_PER_FOLDER:04d}" / f"{number:06d}.dcm"
        link.parent.mkdir(parents=True, exist_ok=True)
        try:
            os.link(path, link)
        except OSError:  # the source is on another disk, or may not be linked
            shutil.copyfile(path, link)
        paths.append(link)
    return paths


def link_files(root: Path, sources: Sequence[Path], folders: range) -> None:
    """Fill folders, each of 1,000 files, with links to copies of sources; folders that are there are left alone.

    The first file of a folder is a copy of its own, which can be changed: a change of one link is a change of all.

    Parameters
    ----------
    root
        The folder above them.
    sources
        Files to be repeated. They are copied beside the root first: a hard link does not leave its file system.
    folders
        Numbers of the folders.

    """
    copies = Copies(root.with_name(f"{root.name}-originals"), sources)
    for number in folders:
        folder = root / f"{number:06d}"
        if folder.exists():
            continue
        folder.mkdir(parents=True)
        first = number * _SERIES_PER_FOLDER
        shutil.copyfile(sources[first % len(sources)], first_file(folder))
        for file in range(1, FILES_PER_FOLDER):
            copies.link(first + file % _SERIES_PER_FOLDER, folder / f"IM{file:04d}.dcm")


def first_file(folder: Path) -> Path:
    """Return the file of a folder that is no link."""
    return folder / "IM0000.dcm"


class Copies:
    """Copies of files that links are made of; a file that has as many links as it may have is copied anew."""

    def __init__(self, folder: Path, sources: Sequence[Path]) -> None:
        self._folder, self._sources = folder, sources
        self._made = 0
        self._copies: dict[int, Path] = {}
        folder.mkdir(parents=True, exist_ok=True)

    def link(self, number: int, target: Path) -> None:
        """Make a link to one of the sources, counted round and round."""
        place = number % len(self._sources)
        if place not in self._copies:
            self._copy(place)
        try:
            os.link(self._copies[place], target)
        except OSError as error:
            if error.errno != errno.EMLINK:
                raise
            self._copy(place)
            os.link(self._copies[place], target)

    def _copy(self, place: int) -> None:
        self._made += 1
        self._copies[place] = self._folder / f"{self._made:06d}-{os.getpid()}"
        shutil.copyfile(self._sources[place], self._copies[place])

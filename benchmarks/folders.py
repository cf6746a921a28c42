"""Folders of one's own files, as large as wanted."""

import itertools
import os
import shutil
from pathlib import Path

from pydicom.misc import is_dicom

_FILES_PER_FOLDER = 1000


def repeat_files(folder: Path, target: Path, count: int) -> list[Path]:
    """Link the DICOM files of a folder, again and again, to make as many as are wanted; 1000 in each sub-folder."""
    found = sorted(path for path in folder.rglob("*") if path.is_file() and is_dicom(path))
    if not found:
        raise SystemExit(f"there is no DICOM file below {folder}")
    paths = []
    for number, path in zip(range(count), itertools.cycle(found), strict=False):
        link = target / f"{number // _FILES_PER_FOLDER:04d}" / f"{number:06d}.dcm"
        link.parent.mkdir(parents=True, exist_ok=True)
        try:
            os.link(path, link)
        except OSError:  # the source is on another disk, or may not be linked
            shutil.copyfile(path, link)
        paths.append(link)
    return paths

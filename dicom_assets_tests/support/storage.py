"""The files of a table on disk."""

import os
import time
from collections.abc import Iterable
from pathlib import Path

from dicom_assets.delta.location import TableLocation


def data_files(location: TableLocation) -> set[str]:
    """Return all data files, live or not, by their path in the table."""
    root = Path(location.uri)
    return {str(path.relative_to(root)) for folder in root.glob("prefix=*") for path in folder.iterdir()}


def grow_old(location: TableLocation, names: Iterable[str], days: int = 30) -> None:
    """Make files look as if they had been written some days ago."""
    when = time.time() - days * 86400
    for name in names:
        os.utime(Path(location.uri) / name, (when, when))

"""What users write for a file or a group of files: paths in any spelling, and UIDs."""

import difflib
import os
import re
from collections.abc import Iterator, Sequence

from dicom_assets.archive.sources import read, written
from dicom_assets.storage.addresses import AddressError, absolute, is_remote, to_text

_UID = re.compile(r"\d+(\.\d+)+")
LEVELS = ("SOPInstanceUID", "SeriesInstanceUID", "StudyInstanceUID")
"""Attributes by which files can be asked for, the narrowest first."""

_ALIKE = 0.8


def is_uid(asked: str) -> bool:
    """Return whether a text may be a UID (PS3.5 9.1); a file may be named so, too."""
    return _UID.fullmatch(asked) is not None


def spellings(asked: str, source: str | None) -> list[str]:
    """Return the paths that may be meant, as tables hold them, the most literal first.

    Parameters
    ----------
    asked
        Path or URI, relative to the working directory or to the root of the archive, or absolute.
    source
        Root of the archive as the tables have it, ``None`` when they do not say.

    """
    return list(dict.fromkeys(_spellings(asked, source)))


def _spellings(asked: str, source: str | None) -> Iterator[str]:
    if to_text(asked) == asked:  # names of files need not be text
        yield asked
    try:
        place = absolute(asked)
    except AddressError:
        return
    yield written(place)
    if source is None:
        return
    root = read(source).rstrip("/")
    if not is_remote(asked) and not asked.startswith(("/", "file://")):
        yield written(f"{root}/{asked.removeprefix('./')}")
    if not is_remote(place) and not is_remote(root):
        # Links above the archive: its root may be known by another way than the one that was taken here. Those below
        # it are names of their own.
        for above in _folders_above(place):
            if os.path.realpath(above) == os.path.realpath(root):
                yield written(root + place[len(above) :])


def _folders_above(place: str) -> Iterator[str]:
    folder = os.path.dirname(place)  # noqa: PTH120 - names need not be UTF-8
    while len(folder) > 1:
        yield folder
        folder = os.path.dirname(folder)  # noqa: PTH120


def nearest(asked: Sequence[str], known: Sequence[str]) -> str | None:
    """Return the known path that is most like one that was asked for, ``None`` when none is much like it."""
    for path in asked:
        if found := difflib.get_close_matches(path, known, n=1, cutoff=_ALIKE):
            return found[0]
    return None

"""Where links may lead: within the archive, out of it only when asked, and never into the lake."""

import os
from dataclasses import dataclass

from dicom_assets.archive.reading import PATH_MAX


def is_within(path: str, folder: str) -> bool:
    """Return whether a path is a folder or below it; both are real, that is absolute and without links."""
    return path == folder or path.startswith(folder.rstrip("/") + "/")


def real_path(path: str) -> str | None:
    """Return where a path leads, ``None`` when that is too long to be told."""
    real = os.path.realpath(path)
    return real if len(os.fsencode(real)) < PATH_MAX else None


@dataclass(frozen=True, slots=True)
class Bounds:
    """How far links are followed.

    Attributes
    ----------
    root
        Real path of the archive.
    lake
        Real path of the tables' lake, ``None`` where it is on no file system of this machine.
    outside
        Whether links may lead out of the archive.

    """

    root: str
    lake: str | None
    outside: bool

    @classmethod
    def of(cls, root: str, lake: str, *, outside: bool) -> "Bounds":
        """Return the bounds of an archive as its paths lead at present; the lake may be empty."""
        return cls(os.path.realpath(root), os.path.realpath(lake) if lake else None, outside)

    def holds(self, real: str) -> bool:
        """Return whether a real path is one of the archive."""
        return is_within(real, self.root) and not self.bars(real)

    def bars(self, real: str) -> bool:
        """Return whether a real path is one of the lake. An archive may stand in a lake's folder, beside its tables."""
        if self.lake is None or not is_within(real, self.lake):
            return False
        return not (is_within(self.root, self.lake) and is_within(real, self.root))

    def refusal(self, real: str | None) -> str | None:
        """Return why a link may not be followed to a real path, ``None`` when it may."""
        if real is None:
            return "the link leads to a path that is too long"
        if self.bars(real):
            return "the link leads into the lake"
        if not self.outside and not self.holds(real):
            return "the link leads out of the archive (follow_outside_links allows that)"
        return None

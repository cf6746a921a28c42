"""Which files are containers, told by their names, and how the paths of members are written.

The path of a member is that of its container, ``!/``, and its name: ``scans.zip!/dir/member.dcm``. Names are other
people's: what steps up, is absolute, is no text or would look like a path into a container is written so that it is
none of these, by percent-encoding.
"""

import re
from collections.abc import Iterator
from enum import StrEnum
from urllib.parse import quote

from dicom_assets.archive.sources import read, written


class Kind(StrEnum):
    """How a container is packed. The values are part of versions in tables: they stay as they are."""

    ZIP = "zip"
    """ZIP (APPNOTE.TXT of PKWARE): a directory at the end, each member packed by itself."""
    TAR = "tar"
    """TAR (POSIX.1-1988 and pax, GNU): members as they are, one after another."""
    TAR_GZIP = "tgz"
    """TAR in gzip (RFC 1952)."""
    TAR_ZSTD = "tzst"
    """TAR in Zstandard (RFC 8878)."""

    @property
    def is_stream(self) -> bool:
        """Whether a member can only be reached by unpacking what lies before it."""
        return self in (Kind.TAR_GZIP, Kind.TAR_ZSTD)


_SUFFIXES = {
    ".zip": Kind.ZIP,
    ".tar": Kind.TAR,
    ".tar.gz": Kind.TAR_GZIP,
    ".tgz": Kind.TAR_GZIP,
    ".tar.zst": Kind.TAR_ZSTD,
}
_ANY_SUFFIX = "(?:" + "|".join(map(re.escape, _SUFFIXES)) + ")"

CONTAINER = rf"(?i){_ANY_SUFFIX}$"
"""Pattern of the paths of containers, for Python and Arrow alike."""
SEPARATOR = "!/"
_MARK = rf"{_ANY_SUFFIX}(?:!|%21)/"
OUTER = {steps: rf"(?is)^(?P<container>.*{_ANY_SUFFIX})(?:!|%21)/" + rf".*{_MARK}" * (steps - 1) for steps in (1, 2)}
"""Patterns, for Arrow, that find the container in the archive that a member of so many steps is in."""

_SPLIT = re.compile(rf"(?i){_ANY_SUFFIX}(?P<mark>!/|%21/)")
_LONGEST = max(map(len, _SUFFIXES))
_CONTROL = re.compile(r"[\x00-\x1f\x7f\ud800-\udfff]")
_INNER_MARK = re.compile(rf"(?i)({_ANY_SUFFIX}(?:!|%21))/")
_ODD = re.compile(rf"(?:^|/)\.{{0,2}}(?:/|$)|{_CONTROL.pattern}|(?i:{_ANY_SUFFIX})(?:!|%21)/")
"""What most names have nothing of."""


def kind_of(path: str) -> Kind | None:
    """Return how a file is packed by its name, ``None`` where it is no container."""
    end = path[-_LONGEST:].lower()
    if not end.endswith(tuple(_SUFFIXES)):
        return None
    return next(kind for suffix, kind in _SUFFIXES.items() if end.endswith(suffix))


def splits(path: str) -> Iterator[tuple[str, str]]:
    """Yield the ways to take a path apart into a container and a name in it, the longest container first."""
    for found in reversed(list(_SPLIT.finditer(path))):
        yield path[: found.start("mark")], path[found.end("mark") :]


def stored_file(path: str) -> str:
    """Return the path of the file that storage has: of a member, its outermost container.

    Told by the path alone: a file below a folder that is named like the beginning of members (``x.zip!``) is taken for
    a member.
    """
    found = _SPLIT.search(path)
    return path[: found.start("mark")] if found else path


def member_path(container: str, name: str) -> str:
    """Return the path of a member, as tables hold it.

    Parameters
    ----------
    container
        Path of the container, as tables hold it.
    name
        Of the member, as :func:`safe_name` gives it; of a nested one, the path in the container.

    """
    if container.startswith("file://"):  # a path that is no text, percent-encoded as a whole
        return written(read(container) + SEPARATOR + name)
    return container + SEPARATOR + name


def safe_name(name: str) -> str:
    """Return a member's name as a relative path that stays below its container; empty where nothing is left.

    Parameters
    ----------
    name
        With slashes; bytes that are no UTF-8 are surrogates (:pep:`383`).

    """
    if not _ODD.search(name):
        return name
    parts = (part for part in name.split("/") if part not in ("", "."))
    joined = "/".join("%2E%2E" if part == ".." else part for part in parts)
    joined = _CONTROL.sub(lambda found: quote(found[0].encode("utf-8", "surrogateescape")), joined)
    return _INNER_MARK.sub(r"\1%2F", joined)

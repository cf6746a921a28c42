"""Prefixes: the partitions of an archive, and the cut that makes them.

A prefix is the first `depth` directories below the root; files above that depth belong to :data:`ROOT_PREFIX`. A cut
may go through the name of the last of them: then all folders that begin alike are one prefix.

As a partition key it has to survive Dagster's range syntax and its UI, so characters that mean something there are
percent-encoded; the directories come back by decoding.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from urllib.parse import unquote

from dicom_assets.errors import UserError

ROOT_PREFIX = "."
"""Key of the files that stand above the prefix depth."""
ANY = "*"
"""Ends the key of all folders that begin alike. In names of folders it is percent-encoded, so no name ends in it."""

_RESERVED = re.compile(r'[\x00-\x1f\x7f"%*,\[\]\ud800-\udfff]|\.(?=\.\.)')


class PrefixError(UserError, ValueError):
    """A partition key that no prefix of the archive can have."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where the files of a prefix stand.

    Attributes
    ----------
    directories
        The folder that holds them, from the root down; none for the root.
    start
        Only what is below the folders in it whose names begin so; ``None`` for all that is in the folder.

    """

    directories: tuple[str, ...]
    start: str | None = None


@dataclass(frozen=True, slots=True)
class PrefixCut:
    """How an archive is cut into prefixes.

    Attributes
    ----------
    depth
        How many directories below the root make a prefix; 0 for one prefix that holds all.
    chars
        How many characters of the last of them count, 0 for all. Characters are Unicode code points as the name is
        written, so ``é`` counts one or two; a byte that is no UTF-8 counts one. A name that is shorter is a prefix of
        its own.

    """

    depth: int = 1
    chars: int = 0

    def key(self, directories: Sequence[str]) -> str:
        """Return the prefix of a file that stands in some directories, from the root down."""
        if not self.depth or len(directories) < self.depth:
            return ROOT_PREFIX
        *above, name = directories[: self.depth]
        if not self.chars or len(name) < self.chars:
            return encode_prefix((*above, name))
        return encode_prefix((*above, name[: self.chars])) + ANY

    def place(self, key: str) -> Place:
        """Return where the files of a prefix stand.

        Raises
        ------
        PrefixError
            The key is not one that :meth:`key` gives.

        """
        if key == ROOT_PREFIX:
            return Place(())
        if not key.endswith(ANY):
            directories = decode_prefix(key, self.depth)
            if self.chars and len(directories[-1]) >= self.chars:
                raise PrefixError(f"prefix {key!r} is not cut after {self.chars} characters: {self.key(directories)!r}")
            return Place(directories)
        *above, start = _decoded(key.removesuffix(ANY))
        if not self.chars or len(start) != self.chars or "\0" in start or not self._may_be(above):
            raise PrefixError(f"prefix {key!r} does not fit {self}")
        if (written := encode_prefix((*above, start)) + ANY) != key:
            raise PrefixError(f"prefix {key!r} is not written as {written!r}")
        return Place(tuple(above), start)

    def _may_be(self, above: Sequence[str]) -> bool:
        return len(above) == self.depth - 1 and not any(map(is_no_name, above))

    def __str__(self) -> str:
        """Return the cut for people, as ``depth 1, names cut after 3 characters``."""
        letters = f"{self.chars} character{'' if self.chars == 1 else 's'}"
        return f"depth {self.depth}" + (f", names cut after {letters}" if self.chars else "")

    @property
    def options(self) -> str:
        """The cut as options of the command line."""
        return f"--prefix-depth {self.depth}" + (f" --prefix-chars {self.chars}" if self.chars else "")


def moved_prefix(key: str, old: PrefixCut, new: PrefixCut) -> str | None:
    """Return the prefix that all files of a prefix have under another cut, ``None`` where that differs by file.

    Parameters
    ----------
    key
        The prefix under the old cut.
    old, new
        The cuts.

    """
    if not new.depth or (key == ROOT_PREFIX and 0 < old.depth <= new.depth):
        return ROOT_PREFIX
    if key == ROOT_PREFIX or new.depth > old.depth:
        return None
    place = old.place(key)
    if new.depth == old.depth and place.start is not None:
        known = 0 < new.chars <= len(place.start)
        return new.key((*place.directories, place.start)) if known else None
    return new.key(place.directories)


def encode_prefix(directories: tuple[str, ...]) -> str:
    """Return the key of some directories; no directories give :data:`ROOT_PREFIX`."""
    if not directories:
        return ROOT_PREFIX
    joined = "/".join(directories)
    if joined == ROOT_PREFIX:
        return "%2E"
    return _RESERVED.sub(_escape, joined)


def _escape(match: re.Match[str]) -> str:
    return "".join(f"%{byte:02X}" for byte in match[0].encode("utf-8", "surrogateescape"))


def decode_prefix(key: str, depth: int) -> tuple[str, ...]:
    """Return the directories of a key that goes through no name.

    Raises
    ------
    PrefixError
        The key is not one that :func:`encode_prefix` gives for an archive of this depth.

    """
    if key == ROOT_PREFIX:
        return ()
    directories = _decoded(key)
    if len(directories) != depth or any(map(is_no_name, directories)):
        raise PrefixError(
            f"prefix {key!r} does not name {depth} director{'y' if depth == 1 else 'ies'} below the archive root"
        )
    if encode_prefix(directories) != key:
        raise PrefixError(f"prefix {key!r} is not written as {encode_prefix(directories)!r}")
    return directories


def _decoded(key: str) -> tuple[str, ...]:
    return tuple(unquote(key, errors="surrogateescape").split("/"))


def is_no_name(part: str) -> bool:
    """Return whether no folder can be called that."""
    return part in {"", ".", ".."} or "\0" in part

"""Prefixes: the partitions of an archive.

A prefix is the first `depth` directories below the root; files above that depth belong to :data:`ROOT_PREFIX`.
As a partition key it has to survive Dagster's range syntax and its UI, so characters that mean something there are
percent-encoded; the directories come back by decoding.
"""

import re
from urllib.parse import unquote

from dicom_assets.errors import UserError

ROOT_PREFIX = "."
"""Key of the files that stand above the prefix depth."""

_RESERVED = re.compile(r'[\x00-\x1f\x7f"%*,\[\]\ud800-\udfff]|\.(?=\.\.)')


class PrefixError(UserError, ValueError):
    """A partition key that no prefix of the archive can have."""


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
    """Return the directories of a key.

    Raises
    ------
    PrefixError
        The key is not one that :func:`encode_prefix` gives for an archive of this depth.

    """
    if key == ROOT_PREFIX:
        return ()
    directories = tuple(unquote(key, errors="surrogateescape").split("/"))
    if len(directories) != depth or any(part in ("", ".", "..") or "\0" in part for part in directories):
        raise PrefixError(
            f"prefix {key!r} does not name {depth} director{'y' if depth == 1 else 'ies'} below the archive root"
        )
    if encode_prefix(directories) != key:
        raise PrefixError(f"prefix {key!r} is not written as {encode_prefix(directories)!r}")
    return directories

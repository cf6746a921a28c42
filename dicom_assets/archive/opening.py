"""From what a user writes to an archive."""

from collections.abc import Mapping
from pathlib import Path
from urllib.parse import unquote, urlsplit

from dicom_assets.archive.base import Archive, ArchiveError
from dicom_assets.archive.bucket import BucketArchive
from dicom_assets.archive.local import LocalArchive


def open_archive(
    source: str,
    depth: int,
    options: Mapping[str, str] | None = None,
    *,
    lake: str = "",
    follow_outside_links: bool = False,
) -> Archive:
    """Return the archive at a folder or URI, without looking at it.

    Parameters
    ----------
    source
        Path of a folder, ``file://`` URI, or URI of an object store.
    depth
        Number of directories that make a prefix, 0 or more.
    options
        Options of the object store.
    lake
        Root of the lake that the files are cataloged in; a folder that is never entered.
    follow_outside_links
        Whether links in a folder are followed that lead out of it.

    Raises
    ------
    ArchiveError
        The source or the depth cannot be meant.

    """
    if not source:
        raise ArchiveError("no archive is configured: set DICOM_ASSETS_SOURCE to a folder or bucket URI")
    if depth < 0:
        raise ArchiveError(f"prefix depth is {depth}; it must be 0 or more")
    if is_remote(source):
        return BucketArchive(source.rstrip("/"), depth, dict(options or {}))
    barred = "" if not lake or is_remote(lake) else absolute(lake)
    return LocalArchive(absolute(source), depth, follow_outside_links, barred)


def is_remote(location: str) -> bool:
    """Return whether a location is an object store's."""
    return "://" in location and not location.startswith("file://")


def absolute(location: str) -> str:
    """Return a local location as an absolute path, links in it left as they are; a remote one as it is.

    A step up (``..``) is taken where the links before it lead.
    """
    if is_remote(location):
        return location.rstrip("/")
    if location.startswith("file://"):
        location = unquote(urlsplit(location).path)
    path = Path(location).expanduser().absolute()
    if ".." in path.parts:
        last = len(path.parts) - path.parts[::-1].index("..")
        path = Path(*path.parts[:last]).resolve().joinpath(*path.parts[last:])
    return str(path)

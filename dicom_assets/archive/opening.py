"""From an address, as a user writes it, to an archive."""

from collections.abc import Mapping

from dicom_assets.archive.base import Archive
from dicom_assets.archive.bucket import BucketArchive
from dicom_assets.archive.file_systems import is_network
from dicom_assets.archive.local import LocalArchive
from dicom_assets.archive.prefetch import ONE_BY_ONE, Prefetch
from dicom_assets.errors import UserError
from dicom_assets.storage.addresses import absolute, is_remote


class SourceConfigError(UserError, ValueError):
    """No source is configured, or what is said of how it is read makes no sense."""


def open_archive(
    source: str,
    depth: int,
    options: Mapping[str, str] | None = None,
    *,
    lake: str = "",
    follow_outside_links: bool = False,
    prefetch: Prefetch | None = None,
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
    prefetch
        How much of an object store, or of a folder on a network, each task has in flight.

    Raises
    ------
    SourceConfigError
        No source is given, the depth is negative, or nothing may be in flight.
    AddressError
        The source is a folder of another machine.

    """
    if not source:
        raise SourceConfigError("no archive is configured: set DICOM_ASSETS_SOURCE to a folder or bucket URI")
    if depth < 0:
        raise SourceConfigError(f"prefix depth is {depth}; it must be 0 or more")
    bounds = prefetch or Prefetch()
    if bounds.files < 1 or bounds.size < 1:
        raise SourceConfigError("files and bytes in flight must be 1 or more")
    if is_remote(source):
        return BucketArchive(source.rstrip("/"), depth, dict(options or {}), bounds)
    barred = "" if not lake or is_remote(lake) else absolute(lake)
    root = absolute(source)
    return LocalArchive(root, depth, follow_outside_links, barred, bounds if is_network(root) else ONE_BY_ONE)

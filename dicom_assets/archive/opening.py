"""From an address, as a user writes it, to an archive."""

from collections.abc import Mapping

from dicom_assets.archive.base import Archive, FileArchive
from dicom_assets.archive.bucket import BucketArchive
from dicom_assets.archive.containers.archive import ContainerArchive
from dicom_assets.archive.local import LocalArchive
from dicom_assets.errors import UserError
from dicom_assets.storage.addresses import absolute, is_remote


class SourceConfigError(UserError, ValueError):
    """No source is configured, or its prefix depth makes no sense."""


def open_archive(
    source: str,
    depth: int,
    options: Mapping[str, str] | None = None,
    *,
    lake: str = "",
    follow_outside_links: bool = False,
    containers: bool = True,
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
    containers
        Whether ZIP and TAR files are looked into.

    Raises
    ------
    SourceConfigError
        No source is given, or the depth is negative.
    AddressError
        The source is a folder of another machine.

    """
    if not source:
        raise SourceConfigError("no archive is configured: set DICOM_ASSETS_SOURCE to a folder or bucket URI")
    if depth < 0:
        raise SourceConfigError(f"prefix depth is {depth}; it must be 0 or more")
    archive: FileArchive
    if is_remote(source):
        archive = BucketArchive(source.rstrip("/"), depth, dict(options or {}))
    else:
        barred = "" if not lake or is_remote(lake) else absolute(lake)
        archive = LocalArchive(absolute(source), depth, follow_outside_links, barred)
    return ContainerArchive(archive) if containers else archive

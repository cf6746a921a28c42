"""From an address, as a user writes it, to an archive."""

from collections.abc import Mapping

from dicom_assets.archive.base import Archive, FileArchive
from dicom_assets.archive.bucket import BucketArchive
from dicom_assets.archive.containers.archive import ContainerArchive
from dicom_assets.archive.file_systems import is_network
from dicom_assets.archive.inventory import Inventory, InventoryArchive, stage_inventory
from dicom_assets.archive.local import LocalArchive
from dicom_assets.archive.prefetch import ONE_BY_ONE, Prefetch
from dicom_assets.archive.prefixes import PrefixCut
from dicom_assets.errors import UserError
from dicom_assets.storage.addresses import absolute, is_remote


class SourceConfigError(UserError, ValueError):
    """No source is configured, or what is said of how it is read makes no sense."""


def open_archive(  # noqa: PLR0913 - what may be said of how a source is read
    source: str,
    depth: int | PrefixCut,
    options: Mapping[str, str] | None = None,
    *,
    lake: str = "",
    follow_outside_links: bool = False,
    containers: bool = True,
    inventory: str = "",
    prefetch: Prefetch | None = None,
) -> Archive:
    """Return the archive at a folder or URI, without looking at it.

    Parameters
    ----------
    source
        Path of a folder, ``file://`` URI, or URI of an object store.
    depth
        Number of directories that make a prefix, 0 or more; or a cut that may go through names.
    options
        Options of the object store.
    lake
        Root of the lake that the files are cataloged in; a folder that is never entered.
    follow_outside_links
        Whether links in a folder are followed that lead out of it.
    containers
        Whether ZIP and TAR files are looked into.
    inventory
        Path or URI of an inventory that stands in for listing a bucket; it is read once in a process.
    prefetch
        How much of an object store, or of a folder on a network, each task has in flight.

    Raises
    ------
    SourceConfigError
        No source is given, the cut cannot be, there is an inventory of a folder, or nothing may be in flight.
    InventoryError
        The inventory is not whole, or not of this bucket.
    AddressError
        The source is a folder of another machine.

    """
    if not source:
        raise SourceConfigError("no archive is configured: set DICOM_ASSETS_SOURCE to a folder or bucket URI")
    cut = depth if isinstance(depth, PrefixCut) else PrefixCut(depth)
    _check_cut(cut)
    bounds = prefetch or Prefetch()
    if bounds.files < 1 or bounds.size < 1:
        raise SourceConfigError("files and bytes in flight must be 1 or more")
    if inventory and not is_remote(source):
        raise SourceConfigError("an inventory stands in for listing a bucket, and the source is a folder: leave it out")
    archive: FileArchive
    if is_remote(source):
        bucket = BucketArchive(source.rstrip("/"), cut.depth, dict(options or {}), cut.chars, bounds)
        archive = InventoryArchive(bucket, _staged(inventory, bucket)) if inventory else bucket
    else:
        root, barred = absolute(source), "" if not lake or is_remote(lake) else absolute(lake)
        in_flight = bounds if is_network(root) else ONE_BY_ONE
        archive = LocalArchive(root, cut.depth, follow_outside_links, barred, cut.chars, in_flight)
    return ContainerArchive(archive) if containers else archive


_known: dict[tuple[str, str, PrefixCut], Inventory] = {}


def _staged(address: str, bucket: BucketArchive) -> Inventory:
    """Return an inventory, read once in this process: each step of a run opens the archive."""
    name = (address, bucket.root, bucket.cut)
    if name not in _known:
        _known[name] = stage_inventory(address, bucket)
    return _known[name]


def _check_cut(cut: PrefixCut) -> None:
    if cut.depth < 0:
        raise SourceConfigError(f"prefix depth is {cut.depth}; it must be 0 or more")
    if cut.chars < 0:
        raise SourceConfigError(f"prefix chars is {cut.chars}; it must be 0 (whole names) or more")
    if cut.chars and not cut.depth:
        raise SourceConfigError(
            "prefix chars cuts the names of folders, and a prefix depth of 0 has none: take 1 or more"
        )

"""Telling an archive what the catalog has already: what saves it work, and keeps it from believing too much."""

from dataclasses import replace
from typing import TypeVar

from dicom_assets.archive.base import Archive, Known
from dicom_assets.archive.containers.archive import ContainerArchive
from dicom_assets.archive.inventory import InventoryArchive

Kept = TypeVar("Kept", bound=Archive)


def knowing(archive: Kept, known: Known | None) -> Kept:
    """Return an archive that is listed with the index at hand.

    Members of containers that did not change are taken from there, and an inventory is held against it.
    """
    if isinstance(archive, ContainerArchive):
        return replace(archive, inner=knowing(archive.inner, known), known=known)
    return replace(archive, known=known) if isinstance(archive, InventoryArchive) else archive

"""Partitions: the prefixes of the archive, registered as they are found."""

from collections.abc import Iterable, Sequence

from dagster import DagsterInstance, DynamicPartitionsDefinition

from dicom_assets.archive.base import Archive
from dicom_assets.archive.prefixes import ROOT_PREFIX, decode_prefix

PREFIXES = DynamicPartitionsDefinition(name="prefix")


def register_prefixes(instance: DagsterInstance, prefixes: Iterable[str]) -> list[str]:
    """Register the prefixes that are new, in sorted order, and return them.

    Ranges of partitions follow the order of registration, so neighbours should be registered together.
    """
    known = set(instance.get_dynamic_partitions(PREFIXES.name or ""))
    new = sorted(set(prefixes) - known)
    if new:
        instance.add_dynamic_partitions(PREFIXES.name or "", new)
    return new


def check_prefixes(archive: Archive, keys: Sequence[str]) -> None:
    """Raise ``PrefixError`` unless every key can be a prefix of the archive: Dagster takes any text for a key."""
    for key in keys:
        if key != ROOT_PREFIX:
            decode_prefix(key, archive.depth)

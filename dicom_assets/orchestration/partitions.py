"""Partitions: the prefixes of the archive, registered as they are found.

For the Dagster concept, see
https://docs.dagster.io/guides/build/partitions-and-backfills/partitioning-assets
"""

from collections.abc import Iterable, Sequence

from dagster import DagsterInstance, DynamicPartitionsDefinition

from dicom_assets.archive.base import Archive

PREFIX_PARTITIONS = "prefix"
"""Name under which an instance keeps the partition keys of a catalog without a name."""

PREFIXES = DynamicPartitionsDefinition(name=PREFIX_PARTITIONS)


def registered_prefixes(instance: DagsterInstance, partitions: str = PREFIX_PARTITIONS) -> Sequence[str]:
    """Return the partition keys in the order of their registration, which ranges of partitions follow."""
    return instance.get_dynamic_partitions(partitions)


def register_prefixes(
    instance: DagsterInstance, prefixes: Iterable[str], partitions: str = PREFIX_PARTITIONS
) -> list[str]:
    """Register the prefixes that are new, in sorted order, and return them.

    Ranges of partitions follow the order of registration, so neighbours should be registered together.
    """
    new = sorted(set(prefixes) - set(registered_prefixes(instance, partitions)))
    if new:
        instance.add_dynamic_partitions(partitions, new)
    return new


def check_prefixes(archive: Archive, keys: Sequence[str]) -> None:
    """Raise ``PrefixError`` unless every key can be a prefix of the archive: Dagster takes any text for a key."""
    for key in keys:
        archive.cut.place(key)

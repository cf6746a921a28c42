"""What of a code location has nothing to do with the prefixes of a catalog, so that no run of it is waited for.

Another catalog may have prefixes of the same names; the tags of a run say which they are, but not whose.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from dagster import AssetKey, DagsterRun, DynamicPartitionsDefinition, PartitionsDefinition, RepositoryDefinition


@dataclass(frozen=True, slots=True)
class Elsewhere:
    """Assets with other partitions than a catalog's.

    Attributes
    ----------
    assets
        Their keys.
    assets_of_job
        Returns the assets that a job by a name is for, none where it is not known.

    """

    assets: frozenset[AssetKey]
    assets_of_job: Callable[[str], Iterable[AssetKey]]

    def holds(self, keys: Iterable[AssetKey]) -> bool:
        """Return whether all of some assets are of these; not where there are none, for they may be any."""
        wanted = frozenset(keys)
        return bool(wanted) and wanted <= self.assets

    def holds_run(self, run: DagsterRun) -> bool:
        """Return whether a run is for these assets only."""
        return bool(self.assets) and self.holds(run.asset_selection or self.assets_of_job(run.job_name))


NOTHING_ELSE = Elsewhere(frozenset(), lambda _: ())
"""Of a code location of which nothing is known: every run may be about the catalog."""


def find_elsewhere(repository: RepositoryDefinition | None, partitions: str) -> Elsewhere:
    """Return the assets of a code location that are not partitioned by the prefixes of a name."""
    if repository is None:
        return NOTHING_ELSE
    assets = frozenset(
        spec.key
        for definition in set(repository.assets_defs_by_key.values())
        for spec in definition.specs
        if not _is_of(spec.partitions_def, partitions)
    )

    def assets_of_job(name: str) -> Iterable[AssetKey]:
        return repository.get_job(name).asset_layer.selected_asset_keys if repository.has_job(name) else ()

    return Elsewhere(assets, assets_of_job)


def _is_of(definition: PartitionsDefinition[str] | None, partitions: str) -> bool:
    return isinstance(definition, DynamicPartitionsDefinition) and definition.name == partitions

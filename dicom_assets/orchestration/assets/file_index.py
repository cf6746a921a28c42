"""``file_index``: every file of the archive, as last listed."""

from dagster import AssetCheckResult, AssetCheckSpec, AssetExecutionContext, MaterializeResult, asset
from pydantic import Field

from dicom_assets.archive.listing import ListingError
from dicom_assets.orchestration.assets.failures import only_infrastructure_is_retried
from dicom_assets.orchestration.assets.reporting import report
from dicom_assets.orchestration.assets.specs import BACKFILL, GROUP, RETRIES, UpdateConfig, definition_metadata
from dicom_assets.orchestration.partitions import PREFIXES, check_prefixes
from dicom_assets.orchestration.resources.archive import ArchiveResource
from dicom_assets.orchestration.resources.lake import LakeResource
from dicom_assets.orchestration.resources.spark import SparkResource
from dicom_assets.pipeline.deletions import DeletionGuard
from dicom_assets.pipeline.index import IndexStep
from dicom_assets.pipeline.listings import Listings
from dicom_assets.pipeline.ownership import claim
from dicom_assets.pipeline.reconcile import converge
from dicom_assets.pipeline.versions import Verified
from dicom_assets.tables import FILE_INDEX, TABLES

LISTED_WHOLE = "listed_whole"
"""Check of each run: a prefix that could not be listed whole does not stop the others, and must not pass unseen."""


class IndexConfig(UpdateConfig):
    """Run config of ``file_index``."""

    allow_mass_deletion: bool = Field(
        default=False,
        description="Let go from the index in one run: all files of a prefix whose folder is there and empty, more "
        "than half of a prefix's files and more than 100, or more than half of all files of the catalog.",
    )


@asset(
    name=FILE_INDEX.name,
    description=FILE_INDEX.description,
    partitions_def=PREFIXES,
    backfill_policy=BACKFILL,
    retry_policy=RETRIES,
    group_name=GROUP,
    code_version="index-1",
    kinds={"deltalake", "python"},
    metadata=definition_metadata(FILE_INDEX),
    check_specs=[
        AssetCheckSpec(
            LISTED_WHOLE,
            asset=FILE_INDEX.name,
            description="Every folder of the run's prefixes could be listed. Where not, no row was removed.",
        )
    ],
)
def file_index(
    context: AssetExecutionContext,
    config: IndexConfig,
    archive: ArchiveResource,
    lake: LakeResource,
    spark: SparkResource,
) -> MaterializeResult:  # type: ignore[type-arg]  # Dagster knows a result with checks by the bare class only
    """List the prefixes of the run and bring their index up to date."""
    with only_infrastructure_is_retried():
        prefixes, tables = context.partition_keys, lake.open()
        files = claim(tables, archive.open(tables.root))
        check_prefixes(files, prefixes)
        tables.ensure(TABLES)
        guard = None if config.allow_mass_deletion else DeletionGuard()
        step = IndexStep(tables, files, prefixes, config.mode, guard)
        outcomes = converge(step, [FILE_INDEX.name], spark.run_rewrites, {"dagster/run_id": context.run.run_id})
        if step.verified != Verified():
            context.log.info(_on_verified(step.verified))
        for prefix, reason in step.listings.unlisted.items():
            context.log.warning(f"prefix {prefix} was not listed whole: {reason}")
        if step.listings.failed(prefixes):
            raise ListingError(next(iter(step.listings.unlisted.values())))
        reported = report(context, tables, outcomes[FILE_INDEX.name], prefixes)
        return MaterializeResult(
            asset_key=reported.asset_key, metadata=reported.metadata, check_results=[_listed_whole(step.listings)]
        )


def _listed_whole(listings: Listings) -> AssetCheckResult:
    return AssetCheckResult(
        asset_key=FILE_INDEX.name,
        check_name=LISTED_WHOLE,
        passed=not listings.unlisted,
        metadata={"prefixes not listed whole": len(listings.unlisted), "prefixes": sorted(listings.unlisted)[:20]},
    )


def _on_verified(verified: Verified) -> str:
    return (
        f"{FILE_INDEX.name}: inode or status of files changed, but not their size and time, so their heads were "
        f"compared with those that the catalog has: {verified.same} files are the same, {verified.other} are others, "
        f"{verified.unread} could not be read and are left for the next run"
    )

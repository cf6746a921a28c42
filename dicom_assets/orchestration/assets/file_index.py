"""``file_index``: every file of the archive, as last listed."""

from dagster import (
    AssetCheckResult,
    AssetCheckSpec,
    AssetExecutionContext,
    AssetsDefinition,
    MaterializeResult,
    multi_asset,
)
from pydantic import Field

from dicom_assets.archive.listing import ListingError
from dicom_assets.extract.model import CatalogModel
from dicom_assets.orchestration.assets.archive import ARCHIVE, observation
from dicom_assets.orchestration.assets.failures import only_infrastructure_is_retried
from dicom_assets.orchestration.assets.look import PLAIN, Look, code_references
from dicom_assets.orchestration.assets.progress import ProgressLine, logged
from dicom_assets.orchestration.assets.reporting import Reporter, run_metadata
from dicom_assets.orchestration.assets.specs import BACKFILL, RETRIES, SPARK_POOL, UpdateConfig
from dicom_assets.orchestration.naming import ALONE, CatalogNames
from dicom_assets.orchestration.partitions import check_prefixes
from dicom_assets.orchestration.resources.archive import ArchiveResource
from dicom_assets.orchestration.resources.lake import LakeResource
from dicom_assets.orchestration.resources.spark import SparkResource
from dicom_assets.pipeline.converge import converge
from dicom_assets.pipeline.deletions import DeletionGuard
from dicom_assets.pipeline.index import IndexStep
from dicom_assets.pipeline.listings import Listings
from dicom_assets.pipeline.own_columns import settle_columns
from dicom_assets.pipeline.ownership import claim
from dicom_assets.pipeline.versions import Verified
from dicom_assets.tables import FILE_INDEX, PARTITION

LISTED_WHOLE = "listed_whole"
"""Check of each run: a prefix that could not be listed whole does not stop the others, and must not pass unseen."""


class IndexConfig(UpdateConfig):
    """Run config of ``file_index``."""

    allow_mass_deletion: bool = Field(
        default=False,
        description="Let go from the index in one run: all files of a prefix whose folder is there and empty, more "
        "than half of a prefix's files and more than 100, or more than half of all files of the catalog.",
    )


def build_file_index(model: CatalogModel, names: CatalogNames = ALONE, look: Look = PLAIN) -> AssetsDefinition:
    """Return the asset of a catalog."""
    spec = look.table(
        names,
        FILE_INDEX,
        "index",
        deps=[names.key(ARCHIVE)],
        code_version="index-1",
        metadata=code_references(IndexStep),
    )

    @multi_asset(
        name=names.op(FILE_INDEX.name),
        specs=[spec],
        partitions_def=names.partitions_def,
        backfill_policy=BACKFILL,
        retry_policy=RETRIES,
        pool=SPARK_POOL,
        check_specs=[
            AssetCheckSpec(
                LISTED_WHOLE,
                asset=names.key(FILE_INDEX.name),
                description="Every folder of the run's prefixes could be listed. Where not, no row was removed.",
            )
        ],
    )
    @names.takes_resources
    def file_index(
        context: AssetExecutionContext,
        config: IndexConfig,
        archive: ArchiveResource,
        lake: LakeResource,
        spark: SparkResource,
    ) -> MaterializeResult:  # type: ignore[type-arg]  # Dagster knows a result with checks by the bare class only
        """List the prefixes of the run and bring their index up to date."""
        with only_infrastructure_is_retried(context):
            prefixes, tables = context.partition_keys, lake.open()
            files = claim(tables, archive.open(tables.root))
            check_prefixes(files, prefixes)
            settle_columns(tables, model)
            guard = None if config.allow_mass_deletion else DeletionGuard()
            listed = ProgressLine(FILE_INDEX.name, len(prefixes), "prefixes listed", context.log.info)
            step = IndexStep(
                tables, files, prefixes, config.update_mode, guard, progress=listed.advance, run_id=context.run.run_id
            )
            done = converge(step, logged(spark.engine(), FILE_INDEX.name, context.log.info), run_metadata(context))
            verified = sum((plan.verified for plan in done.plans), Verified())
            if verified != Verified():
                context.log.info(_on_verified(verified))
            listings = done.plans[-1].listings
            for prefix, reason in listings.unlisted.items():
                context.log.warning(f"prefix {prefix} was not listed whole: {reason}")
            if listings.failed(prefixes):
                raise ListingError(next(iter(listings.unlisted.values())))
            outcome = done.outcomes[FILE_INDEX.name]
            context.log_event(observation(names, listings, prefixes, outcome.effort.seconds.plan))
            reported = Reporter(context, tables, prefixes, names, _seen(listings)).report(outcome)
            return MaterializeResult(
                asset_key=reported.asset_key, metadata=reported.metadata, check_results=[_listed_whole(listings, names)]
            )

    return file_index


def _seen(listings: Listings) -> dict[str, dict[str, int]]:
    """Return what was listed of each prefix."""
    counts = listings.files.group_by(PARTITION).aggregate([([], "count_all"), ("size", "sum")])
    prefixes = counts[PARTITION].to_pylist()
    sizes = [size or 0 for size in counts["size_sum"].to_pylist()]
    return {
        "files_listed": dict(zip(prefixes, counts["count_all"].to_pylist(), strict=True)),
        "bytes_listed": dict(zip(prefixes, sizes, strict=True)),
    }


def _listed_whole(listings: Listings, names: CatalogNames) -> AssetCheckResult:
    return AssetCheckResult(
        asset_key=names.key(FILE_INDEX.name),
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

"""``object_catalog``: one row per file of the index, with all that is known of it."""

import base64
from collections.abc import Sequence

from dagster import AssetExecutionContext, AssetsDefinition, MaterializeResult, MetadataValue, asset

from dicom_assets.delta.snapshot import Snapshot
from dicom_assets.extract.model import CatalogModel
from dicom_assets.orchestration.assets.failures import only_infrastructure_is_retried
from dicom_assets.orchestration.assets.reporting import report, run_metadata
from dicom_assets.orchestration.assets.specs import (
    BACKFILL,
    FOLLOW_UPSTREAM,
    GROUP,
    RETRIES,
    SPARK_POOL,
    UpdateConfig,
    definition_metadata,
)
from dicom_assets.orchestration.partitions import PREFIXES
from dicom_assets.orchestration.resources.lake import LakeResource
from dicom_assets.orchestration.resources.spark import SparkResource
from dicom_assets.pipeline.catalog import CatalogStep
from dicom_assets.pipeline.converge import converge
from dicom_assets.pipeline.join import VERSION
from dicom_assets.query.preview import preview
from dicom_assets.tables import FILE_INDEX


def build_object_catalog(model: CatalogModel, previews: int = 0) -> AssetsDefinition:
    """Return the asset.

    Parameters
    ----------
    model
        What the catalog consists of.
    previews
        How many thumbnails of each partition to show in its materialization; 0 keeps images out of run metadata.

    """
    catalog = model.catalog

    @asset(
        name=catalog.name,
        description=catalog.description,
        deps=[FILE_INDEX.name, *(table.name for table in model.extracted)],
        partitions_def=PREFIXES,
        backfill_policy=BACKFILL,
        retry_policy=RETRIES,
        pool=SPARK_POOL,
        automation_condition=FOLLOW_UPSTREAM,
        group_name=GROUP,
        code_version=VERSION,
        kinds={"deltalake", "spark"},
        metadata=definition_metadata(catalog),
    )
    def object_catalog(
        context: AssetExecutionContext, config: UpdateConfig, lake: LakeResource, spark: SparkResource
    ) -> MaterializeResult[None]:
        """Join the rows of the run's prefixes that are new or changed in any upstream table."""
        with only_infrastructure_is_retried(context):
            prefixes, tables = context.partition_keys, lake.open()
            tables.ensure(model.tables)
            done = converge(
                CatalogStep(tables, prefixes, config.update_mode, model), spark.engine(), run_metadata(context)
            )
            if previews:
                _attach_previews(context, tables.snapshot(catalog, prefixes), prefixes, previews)
            return report(context, tables, done.outcomes[catalog.name], prefixes)

    return object_catalog


def _attach_previews(context: AssetExecutionContext, catalog: Snapshot, prefixes: Sequence[str], most: int) -> None:
    """Show some thumbnails of each partition on its page."""
    for prefix in prefixes:
        picture = preview(catalog, prefix, most)
        if picture is not None:
            encoded = base64.b64encode(picture).decode()
            shown = MetadataValue.md(f"![thumbnails](data:image/jpeg;base64,{encoded})")
            context.add_asset_metadata({"preview": shown}, asset_key=catalog.table.name, partition_key=prefix)

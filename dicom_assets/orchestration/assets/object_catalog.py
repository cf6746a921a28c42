"""``object_catalog``: one row per file of the index, with all that is known of it."""

import base64
from collections.abc import Sequence

from dagster import AssetExecutionContext, AssetKey, AssetsDefinition, MaterializeResult, MetadataValue, multi_asset

from dicom_assets.delta.snapshot import Snapshot
from dicom_assets.extract.model import CatalogModel
from dicom_assets.orchestration.assets.failures import only_infrastructure_is_retried
from dicom_assets.orchestration.assets.look import PLAIN, Look, code_references, column_lineage
from dicom_assets.orchestration.assets.progress import logged
from dicom_assets.orchestration.assets.reporting import Reporter, run_metadata
from dicom_assets.orchestration.assets.specs import (
    BACKFILL,
    FOLLOW_UPSTREAM,
    RETRIES,
    SPARK_POOL,
    UpdateConfig,
)
from dicom_assets.orchestration.naming import ALONE, CatalogNames
from dicom_assets.orchestration.resources.lake import LakeResource
from dicom_assets.orchestration.resources.spark import SparkResource
from dicom_assets.pipeline.catalog import CatalogStep
from dicom_assets.pipeline.converge import converge
from dicom_assets.pipeline.join import VERSION, join_rows
from dicom_assets.pipeline.own_columns import settle_columns
from dicom_assets.query.preview import preview
from dicom_assets.tables import FILE_INDEX


def build_object_catalog(
    model: CatalogModel, previews: int = 0, names: CatalogNames = ALONE, look: Look = PLAIN
) -> AssetsDefinition:
    """Return the asset.

    Parameters
    ----------
    model
        What the catalog consists of.
    previews
        How many thumbnails of each partition to show in its materialization; 0 keeps images out of run metadata.
    names
        What the catalog is called.
    look
        How its assets look.

    """
    catalog = model.catalog

    spec = look.table(
        names,
        catalog,
        "catalog",
        deps=names.keys([FILE_INDEX, *model.extracted]),
        code_version=VERSION,
        automation_condition=FOLLOW_UPSTREAM,
        metadata={
            "dagster/column_lineage": column_lineage(model, catalog, names.key),
            **code_references(join_rows),
        },
    )

    @multi_asset(
        name=names.op(catalog.name),
        specs=[spec],
        partitions_def=names.partitions_def,
        backfill_policy=BACKFILL,
        retry_policy=RETRIES,
        pool=SPARK_POOL,
    )
    @names.takes_resources
    def object_catalog(
        context: AssetExecutionContext, config: UpdateConfig, lake: LakeResource, spark: SparkResource
    ) -> MaterializeResult[None]:
        """Join the rows of the run's prefixes that are new or changed in any upstream table."""
        with only_infrastructure_is_retried(context):
            prefixes, tables = context.partition_keys, lake.open()
            present = settle_columns(tables, model)
            step = CatalogStep(tables, prefixes, config.update_mode, present, context.run.run_id)
            done = converge(step, logged(spark.engine(), catalog.name, context.log.info), run_metadata(context))
            if previews:
                _attach_previews(
                    context, names.key(catalog.name), tables.snapshot(catalog, prefixes), prefixes, previews
                )
            return Reporter(context, tables, prefixes, names).report(done.outcomes[catalog.name])

    return object_catalog


def _attach_previews(
    context: AssetExecutionContext, key: AssetKey, catalog: Snapshot, prefixes: Sequence[str], most: int
) -> None:
    """Show some thumbnails of each partition on its page."""
    for prefix in prefixes:
        picture = preview(catalog, prefix, most)
        if picture is not None:
            encoded = base64.b64encode(picture).decode()
            shown = MetadataValue.md(f"![thumbnails](data:image/jpeg;base64,{encoded})")
            context.add_asset_metadata({"preview": shown}, asset_key=key, partition_key=prefix)

"""``series`` and ``studies``: what the files of ``object_catalog`` add up to."""

from collections.abc import Iterator

from dagster import AssetExecutionContext, AssetsDefinition, AssetSpec, MaterializeResult, multi_asset

from dicom_assets.extract.model import CatalogModel
from dicom_assets.extract.rollups import RollupTable
from dicom_assets.orchestration.assets.failures import only_infrastructure_is_retried
from dicom_assets.orchestration.assets.look import PLAIN, Look, code_references, column_lineage
from dicom_assets.orchestration.assets.progress import logged
from dicom_assets.orchestration.assets.reporting import Reporter, run_metadata
from dicom_assets.orchestration.assets.specs import BACKFILL, FOLLOW_UPSTREAM, RETRIES, SPARK_POOL, UpdateConfig
from dicom_assets.orchestration.naming import ALONE, CatalogNames
from dicom_assets.orchestration.resources.lake import LakeResource
from dicom_assets.orchestration.resources.spark import SparkResource
from dicom_assets.orchestration.run_config import ROLLUPS_OP
from dicom_assets.pipeline.converge import converge
from dicom_assets.pipeline.own_columns import settle_columns
from dicom_assets.pipeline.rollup.rows import common_rows
from dicom_assets.pipeline.rollup.step import RollupStep


def _spec(table: RollupTable, model: CatalogModel, names: CatalogNames, look: Look) -> AssetSpec:
    return look.table(
        names,
        table,
        "rollup",
        deps=names.keys([model.catalog]),
        code_version=table.version,
        automation_condition=FOLLOW_UPSTREAM,
        metadata={
            "dagster/column_lineage": column_lineage(model, table, names.key),
            **code_references(common_rows),
        },
    )


def build_rollups(model: CatalogModel, names: CatalogNames = ALONE, look: Look = PLAIN) -> AssetsDefinition:
    """Return the multi-asset of ``series`` and ``studies``, which one reading of the catalog serves."""

    @multi_asset(
        name=names.op(ROLLUPS_OP),
        specs=[_spec(table, model, names, look) for table in model.rollups],
        can_subset=True,
        partitions_def=names.partitions_def,
        backfill_policy=BACKFILL,
        retry_policy=RETRIES,
        pool=SPARK_POOL,
    )
    @names.takes_resources
    def rollups(
        context: AssetExecutionContext, config: UpdateConfig, lake: LakeResource, spark: SparkResource
    ) -> Iterator[MaterializeResult[None]]:
        """Group the files of the run's prefixes, where any of a series or study changed."""
        with only_infrastructure_is_retried(context):
            prefixes, tables = context.partition_keys, lake.open()
            present = settle_columns(tables, model)
            wanted = {key.path[-1] for key in context.selected_asset_keys}
            selected = tuple(table for table in model.rollups if table.name in wanted)
            step = RollupStep(tables, prefixes, config.update_mode, present, context.run.run_id, selected)
            done = converge(step, logged(spark.engine(), ROLLUPS_OP, context.log.info), run_metadata(context))
            reporter = Reporter(context, tables, prefixes, names)
            for outcome in done.outcomes.values():
                yield reporter.report(outcome)

    return rollups

"""The extracted tables: assets of one pass over the files, one for each extractor."""

from collections.abc import Iterator

from dagster import AssetExecutionContext, AssetsDefinition, AssetSpec, MaterializeResult, multi_asset

from dicom_assets.extract.extractor import Extractor
from dicom_assets.extract.model import CatalogModel
from dicom_assets.orchestration.assets.failures import only_infrastructure_is_retried
from dicom_assets.orchestration.assets.look import PLAIN, Look, code_references, column_lineage
from dicom_assets.orchestration.assets.progress import logged
from dicom_assets.orchestration.assets.reporting import Reporter, run_metadata
from dicom_assets.orchestration.assets.specs import BACKFILL, RETRIES, SPARK_POOL, UpdateConfig
from dicom_assets.orchestration.naming import ALONE, CatalogNames
from dicom_assets.orchestration.partitions import check_prefixes
from dicom_assets.orchestration.resources.archive import ArchiveResource
from dicom_assets.orchestration.resources.lake import LakeResource
from dicom_assets.orchestration.resources.spark import SparkResource
from dicom_assets.orchestration.run_config import EXTRACTION_OP
from dicom_assets.pipeline.converge import converge
from dicom_assets.pipeline.extraction import ExtractionStep
from dicom_assets.pipeline.own_columns import settle_columns
from dicom_assets.pipeline.ownership import claim
from dicom_assets.tables import FILE_INDEX


def _spec(extractor: Extractor, model: CatalogModel, names: CatalogNames, look: Look) -> AssetSpec:
    table = extractor.table
    return look.table(
        names,
        table,
        "extracted",
        deps=[names.key(FILE_INDEX.name)],
        code_version=extractor.version,
        metadata={
            "dagster/column_lineage": column_lineage(model, table, names.key),
            **code_references(type(extractor).extract),
        },
    )


def build_extraction(model: CatalogModel, names: CatalogNames = ALONE, look: Look = PLAIN) -> AssetsDefinition:
    """Return the multi-asset that runs the extractors; their versions are the assets' code versions."""

    @multi_asset(
        name=names.op(EXTRACTION_OP),
        specs=[_spec(extractor, model, names, look) for extractor in model.extractors],
        can_subset=True,
        partitions_def=names.partitions_def,
        backfill_policy=BACKFILL,
        retry_policy=RETRIES,
        pool=SPARK_POOL,
    )
    @names.takes_resources
    def extraction(
        context: AssetExecutionContext,
        config: UpdateConfig,
        archive: ArchiveResource,
        lake: LakeResource,
        spark: SparkResource,
    ) -> Iterator[MaterializeResult[None]]:
        """Read each new or changed file of the run's prefixes once and fill the selected tables."""
        with only_infrastructure_is_retried(context):
            prefixes, tables = context.partition_keys, lake.open()
            files = claim(tables, archive.open(tables.root))
            check_prefixes(files, prefixes)
            present = settle_columns(tables, model)
            selected = present.selected(key.path[-1] for key in context.selected_asset_keys)
            step = ExtractionStep(tables, files, selected, prefixes, config.update_mode, context.run.run_id)
            engine = logged(spark.engine(), EXTRACTION_OP, context.log.info)
            done = converge(step, engine, run_metadata(context))
            reporter = Reporter(context, tables, prefixes, names)
            for outcome in done.outcomes.values():
                yield reporter.report(outcome)

    return extraction

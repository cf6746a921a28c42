"""The extracted tables: assets of one pass over the files, one for each extractor."""

from collections.abc import Iterator

from dagster import AssetExecutionContext, AssetsDefinition, AssetSpec, MaterializeResult, multi_asset

from dicom_assets.extract.extractor import Extractor
from dicom_assets.extract.model import CatalogModel
from dicom_assets.orchestration.assets.failures import only_infrastructure_is_retried
from dicom_assets.orchestration.assets.reporting import report, run_metadata
from dicom_assets.orchestration.assets.specs import BACKFILL, RETRIES, UpdateConfig, definition_metadata
from dicom_assets.orchestration.naming import ALONE, CatalogNames
from dicom_assets.orchestration.partitions import check_prefixes
from dicom_assets.orchestration.resources.archive import ArchiveResource
from dicom_assets.orchestration.resources.lake import LakeResource
from dicom_assets.orchestration.resources.spark import SparkResource
from dicom_assets.orchestration.run_config import EXTRACTION_OP
from dicom_assets.pipeline.converge import converge
from dicom_assets.pipeline.extraction import ExtractionStep
from dicom_assets.pipeline.ownership import claim
from dicom_assets.tables import FILE_INDEX


def _spec(extractor: Extractor, names: CatalogNames) -> AssetSpec:
    table = extractor.table
    return AssetSpec(
        names.key(table.name),
        deps=[names.key(FILE_INDEX.name)],
        description=table.description,
        group_name=names.group,
        code_version=extractor.version,
        kinds={"deltalake", "spark"},
        tags=names.tags,
        metadata=definition_metadata(table),
    ).with_io_manager_key(names.io_manager)


def build_extraction(model: CatalogModel, names: CatalogNames = ALONE) -> AssetsDefinition:
    """Return the multi-asset that runs the extractors; their versions are the assets' code versions."""

    @multi_asset(
        name=names.op(EXTRACTION_OP),
        specs=[_spec(extractor, names) for extractor in model.extractors],
        can_subset=True,
        partitions_def=names.partitions_def,
        backfill_policy=BACKFILL,
        retry_policy=RETRIES,
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
        with only_infrastructure_is_retried():
            prefixes, tables = context.partition_keys, lake.open()
            files = claim(tables, archive.open(tables.root))
            check_prefixes(files, prefixes)
            tables.ensure(model.tables)
            selected = model.selected(key.path[-1] for key in context.selected_asset_keys)
            step = ExtractionStep(tables, files, selected, prefixes, config.mode)
            done = converge(step, spark.engine(), run_metadata(context))
            for outcome in done.outcomes.values():
                yield report(context, tables, outcome, prefixes, names)

    return extraction

"""The job that registers the prefixes of the archive as partitions, where no sensor has done it yet."""

from dagster import JobDefinition, OpExecutionContext, job, op

from dicom_assets.orchestration.assets.failures import only_infrastructure_is_retried
from dicom_assets.orchestration.assets.specs import RETRIES
from dicom_assets.orchestration.naming import ALONE, CatalogNames
from dicom_assets.orchestration.partitions import register_prefixes
from dicom_assets.orchestration.resources.archive import ArchiveResource
from dicom_assets.orchestration.resources.lake import LakeResource
from dicom_assets.pipeline.ownership import recognise


def build_register_job(names: CatalogNames = ALONE) -> JobDefinition:
    """Return the job of a catalog: Dagster materializes registered partitions only, and asks for them by their keys."""

    @op(name=names.op("list_prefixes"), retry_policy=RETRIES)
    @names.takes_resources
    def register(context: OpExecutionContext, archive: ArchiveResource, lake: LakeResource) -> None:
        """List the prefixes of the archive and register those that are new."""
        with only_infrastructure_is_retried(context):
            tables = lake.open()
            files = recognise(tables, archive.open(tables.root))
            files.check()
            new = register_prefixes(context.instance, files.prefixes(), names.partitions)
            context.log.info("%d prefixes registered", len(new))

    @job(
        name=names.of("register_prefixes"),
        description="Register the prefixes of the archive as partitions. The sensor does it too, where it runs.",
    )
    def registering() -> None:
        """Run the op."""
        register()

    return registering

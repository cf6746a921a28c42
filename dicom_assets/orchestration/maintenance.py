"""The maintenance job and its schedule: what is done to the tables is in :mod:`dicom_assets.delta.maintenance`."""

from datetime import timedelta

from dagster import (
    Config,
    DefaultScheduleStatus,
    JobDefinition,
    OpExecutionContext,
    ScheduleDefinition,
    job,
    op,
)
from pydantic import Field

from dicom_assets.delta.maintenance import MaintenanceOptions, maintain
from dicom_assets.extract.model import CatalogModel
from dicom_assets.orchestration.assets.failures import only_infrastructure_is_retried
from dicom_assets.orchestration.assets.specs import RETRIES
from dicom_assets.orchestration.naming import ALONE, CatalogNames
from dicom_assets.orchestration.resources.lake import LakeResource
from dicom_assets.orchestration.runs import oldest_run_under_way

NIGHTLY = "17 3 * * *"
"""When the tables are maintained, in UTC."""
_DEFAULTS = MaintenanceOptions()


class MaintenanceConfig(Config):
    """Run config of the maintenance job."""

    retention_hours: int = Field(
        default=int(_DEFAULTS.retention / timedelta(hours=1)),
        description="How long files that left a table stay readable by time travel; 24 or more.",
    )
    target_file_mib: int = Field(default=_DEFAULTS.target_bytes >> 20, description="Size that compaction aims at.")
    small_files: int = Field(
        default=_DEFAULTS.small_files, description="How many small files make a prefix worth compacting."
    )

    def options(self) -> MaintenanceOptions:
        """Return the options; raises ``RetentionError`` when the retention is too short."""
        return MaintenanceOptions(self.target_file_mib << 20, self.small_files, timedelta(hours=self.retention_hours))


def build_maintenance_job(model: CatalogModel, names: CatalogNames = ALONE) -> JobDefinition:
    """Return the job that keeps the tables of a catalog fit."""

    @op(name=names.op("maintain_tables"), retry_policy=RETRIES)
    @names.takes_resources
    def maintain_tables(context: OpExecutionContext, config: MaintenanceConfig, lake: LakeResource) -> None:
        """Compact small files, delete files past their retention, write checkpoints: table by table."""
        with only_infrastructure_is_retried(context):
            _maintain(context, config, lake, model)

    @job(
        name=names.of("maintenance"),
        description="Compact the tables and delete what no version within the retention needs.",
    )
    def maintenance() -> None:
        """Run ``maintain_tables``."""
        maintain_tables()

    return maintenance


def _maintain(context: OpExecutionContext, config: MaintenanceConfig, lake: LakeResource, model: CatalogModel) -> None:
    options, tables = config.options(), lake.open()
    for table in tables.existing(model.tables):
        done = maintain(tables.location(table), options, oldest_run_under_way(context.instance, context.run_id))
        context.log.info(
            "%s: %d files merged to %d, %d files deleted, %d prefixes skipped as they are being written",
            table.name,
            done.merged,
            done.written,
            done.deleted,
            done.skipped,
        )


def build_maintenance_schedule(
    maintenance: JobDefinition, names: CatalogNames = ALONE, *, running: bool, cron: str = NIGHTLY
) -> ScheduleDefinition:
    """Return the schedule of the maintenance job, nightly unless told otherwise."""
    return ScheduleDefinition(
        name=names.of("nightly_maintenance"),
        job=maintenance,
        cron_schedule=cron,
        default_status=DefaultScheduleStatus.RUNNING if running else DefaultScheduleStatus.STOPPED,
    )

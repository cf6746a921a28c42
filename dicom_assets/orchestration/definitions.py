"""The definitions: of any deployment by :func:`build_definitions`, or of the one that the environment describes.

``DICOM_ASSETS_SOURCE``
    Folder or bucket URI of the DICOM files.
``DICOM_ASSETS_LAKE``
    Folder or bucket URI of the tables.
``DICOM_ASSETS_SCHEMA``
    Folder of the catalog in the lake, by default ``dicom``.
``DICOM_ASSETS_PREFIX_DEPTH``
    How many directories make a partition, by default 1.
``DICOM_ASSETS_FOLLOW_OUTSIDE_LINKS``
    1 to follow symbolic links that lead out of the folder, by default 0.
``DICOM_ASSETS_PREVIEWS``
    How many thumbnails the materialization of a partition shows, by default none.
"""

import os
import warnings
from collections.abc import Sequence
from typing import Any

from dagster import BetaWarning, Definitions, EnvVar, in_process_executor

from dicom_assets.delta.lake import check_schema_name
from dicom_assets.extract.extractor import Extractor
from dicom_assets.extract.installed import installed_extractors
from dicom_assets.extract.model import DEFAULT_EXTRACTORS, CatalogModel
from dicom_assets.orchestration.alarms import build_archive_check
from dicom_assets.orchestration.assets.extraction import build_extraction
from dicom_assets.orchestration.assets.file_index import build_file_index
from dicom_assets.orchestration.assets.object_catalog import build_object_catalog
from dicom_assets.orchestration.checks import build_checks
from dicom_assets.orchestration.maintenance import build_maintenance_job, build_maintenance_schedule
from dicom_assets.orchestration.resources.archive import ArchiveResource
from dicom_assets.orchestration.resources.io_manager import LakeIOManager
from dicom_assets.orchestration.resources.lake import LakeResource
from dicom_assets.orchestration.resources.spark import SparkResource
from dicom_assets.orchestration.sensors import (
    SensorOptions,
    build_archive_sensor,
    build_automation_sensor,
    build_update_job,
)

SOURCE = "DICOM_ASSETS_SOURCE"
LAKE = "DICOM_ASSETS_LAKE"
SCHEMA = "DICOM_ASSETS_SCHEMA"
PREFIX_DEPTH = "DICOM_ASSETS_PREFIX_DEPTH"
FOLLOW_OUTSIDE_LINKS = "DICOM_ASSETS_FOLLOW_OUTSIDE_LINKS"
PREVIEWS = "DICOM_ASSETS_PREVIEWS"


def build_definitions(
    archive: ArchiveResource | None = None,
    lake: LakeResource | None = None,
    spark: SparkResource | None = None,
    extractors: Sequence[Extractor] = DEFAULT_EXTRACTORS,
    sensor: SensorOptions | None = None,
    previews: int = 0,
    **resources: Any,
) -> Definitions:
    """Return the assets with their resources; what is not given comes from the environment.

    Parameters
    ----------
    archive, lake, spark
        The resources that the assets use.
    extractors
        What is extracted of each file: ``[*DEFAULT_EXTRACTORS, Mine()]`` adds a table and its columns.
    sensor
        How changes of the archive are looked for. By default sensors and schedules run where an archive is configured.
    previews
        How many thumbnails of each partition its materialization shows; by default none, for they are patient data.
    **resources
        More resources, for assets that are merged in.

    """
    model = CatalogModel(tuple(extractors))
    tables = lake or lake_from_environment()
    sensing = sensor or SensorOptions(running=archive is not None or SOURCE in os.environ)
    maintenance = build_maintenance_job(model)
    with warnings.catch_warnings():
        # Dagster's pins hold us to one minor release, and backfill policies have been "beta" for many.
        warnings.filterwarnings("ignore", "Parameter `backfill_policy`", BetaWarning)
        assets = [build_file_index(model), build_extraction(model), build_object_catalog(model, previews)]
    return Definitions(
        assets=assets,
        asset_checks=[*build_checks(model), build_archive_check(model)],
        jobs=[build_update_job(model), maintenance],
        sensors=[build_archive_sensor(sensing, model), build_automation_sensor(running=sensing.running)],
        schedules=[build_maintenance_schedule(maintenance, running=sensing.running)],
        executor=in_process_executor,
        resources={
            "archive": archive or archive_from_environment(),
            "lake": tables,
            "io_manager": LakeIOManager(lake=tables),
            "spark": spark or SparkResource(),
            **resources,
        },
    )


def archive_from_environment() -> ArchiveResource:
    """Return the archive that the environment names, source and depth looked up when a run starts."""
    outside = os.environ.get(FOLLOW_OUTSIDE_LINKS, "0") == "1"
    if PREFIX_DEPTH in os.environ:
        return ArchiveResource(
            source=EnvVar(SOURCE), prefix_depth=EnvVar.int(PREFIX_DEPTH), follow_outside_links=outside
        )
    return ArchiveResource(source=EnvVar(SOURCE), follow_outside_links=outside)


def lake_from_environment() -> LakeResource:
    """Return the lake that the environment names, looked up when a run starts.

    Raises
    ------
    SchemaNameError
        The schema that it names cannot be one: told when the definitions are loaded, not by the first run.

    """
    if SCHEMA in os.environ:
        check_schema_name(os.environ[SCHEMA])
        return LakeResource(root_uri=EnvVar(LAKE), schema_name=EnvVar(SCHEMA))
    return LakeResource(root_uri=EnvVar(LAKE))


def definitions_from_environment() -> Definitions:
    """Return the definitions that the environment describes, with the extractors that are installed."""
    return build_definitions(extractors=installed_extractors(), previews=int(os.environ.get(PREVIEWS, "0")))

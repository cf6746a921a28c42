"""The definitions: of any deployment by :func:`build_definitions`, or of the one that the environment describes.

``DICOM_ASSETS_SOURCE``
    Folder or bucket URI of the DICOM files.
``DICOM_ASSETS_LAKE``
    Folder or bucket URI of the tables.
``DICOM_ASSETS_SCHEMA``
    Folder of the catalog in the lake, by default ``dicom``.
``DICOM_ASSETS_PREFIX_DEPTH``
    How many directories make a partition, by default 1.
``DICOM_ASSETS_PREFIX_CHARS``
    How many characters of the last of them count, by default 0, which is all.
``DICOM_ASSETS_FOLLOW_OUTSIDE_LINKS``
    1 to follow symbolic links that lead out of the folder, by default 0.
``DICOM_ASSETS_CONTAINERS``
    0 to take ZIP and TAR files for files only, by default 1: the files in them are cataloged.
``DICOM_ASSETS_COLUMNS``
    More attributes of the header with a column of their own, separated by ``;``: ``Weight=PatientWeight:number``.
``DICOM_ASSETS_PREVIEWS``
    How many thumbnails the materialization of a partition shows, by default none.
``DICOM_ASSETS_SPARK_MASTER``
    Spark master where large work is done, such as ``spark://head:7077``; by default this machine.
``DICOM_ASSETS_SPARK_REMOTE``
    Spark Connect server where large work is done, such as ``sc://host:15002``, in place of a master.
``DICOM_ASSETS_SPARK_CONFIG``
    More Spark settings, separated by ``;``: ``spark.executor.memory=8g;spark.executor.cores=4``.
"""

import os
import warnings
from collections.abc import Iterable, Sequence
from typing import Any

from dagster import (
    AssetsDefinition,
    AssetSpec,
    BetaWarning,
    Definitions,
    EnvVar,
    ExecutorDefinition,
    in_process_executor,
)

from dicom_assets.checks.options import CheckOptions
from dicom_assets.delta.lake import check_schema_name
from dicom_assets.extract.extractor import Extractor
from dicom_assets.extract.headers import with_more_columns
from dicom_assets.extract.installed import installed_extractors
from dicom_assets.extract.model import DEFAULT_EXTRACTORS, CatalogModel
from dicom_assets.extract.own_columns import PromotedColumn, columns_of_text
from dicom_assets.orchestration.alarms import build_archive_check
from dicom_assets.orchestration.assets.archive import build_archive
from dicom_assets.orchestration.assets.extraction import build_extraction
from dicom_assets.orchestration.assets.file_index import build_file_index
from dicom_assets.orchestration.assets.look import AssetLabels, look_of
from dicom_assets.orchestration.assets.object_catalog import build_object_catalog
from dicom_assets.orchestration.assets.rollups import build_rollups
from dicom_assets.orchestration.checks import build_checks
from dicom_assets.orchestration.maintenance import NIGHTLY, build_maintenance_job, build_maintenance_schedule
from dicom_assets.orchestration.naming import ALONE, CatalogNames
from dicom_assets.orchestration.register import build_register_job
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
from dicom_assets.spark.settings import settings_from_environment

SOURCE = "DICOM_ASSETS_SOURCE"
LAKE = "DICOM_ASSETS_LAKE"
SCHEMA = "DICOM_ASSETS_SCHEMA"
PREFIX_DEPTH = "DICOM_ASSETS_PREFIX_DEPTH"
PREFIX_CHARS = "DICOM_ASSETS_PREFIX_CHARS"
FOLLOW_OUTSIDE_LINKS = "DICOM_ASSETS_FOLLOW_OUTSIDE_LINKS"
CONTAINERS = "DICOM_ASSETS_CONTAINERS"
COLUMNS = "DICOM_ASSETS_COLUMNS"
PREVIEWS = "DICOM_ASSETS_PREVIEWS"


def build_definitions(  # noqa: PLR0913  # the front door: each has a default
    archive: ArchiveResource | None = None,
    lake: LakeResource | None = None,
    spark: SparkResource | None = None,
    extractors: Sequence[Extractor] = DEFAULT_EXTRACTORS,
    sensor: SensorOptions | None = None,
    previews: int = 0,
    *,
    name: str = "",
    maintenance_cron: str = NIGHTLY,
    executor: ExecutorDefinition | None = in_process_executor,
    checks: CheckOptions | None = None,
    labels: AssetLabels | None = None,
    columns: Iterable[PromotedColumn | str] = (),
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
    name
        What the catalog is called where a code location has several: its asset keys begin with it
        (``ct/object_catalog``), and the names of its partitions, sensors, jobs and resources (``ct_archive``). Merge
        them: ``Definitions.merge(build_definitions(name="ct", ...), build_definitions(name="mr", ...))``.
    maintenance_cron
        When the tables are compacted and cleaned, in UTC.
    executor
        Of the jobs of the code location that name none: all steps of a run in one process share its Spark session.
        ``None`` where the code location has an executor from elsewhere.
    checks
        What the checks of the tables still take for well.
    labels
        Owners, tags and freshness policy of the assets; by default none.
    columns
        More attributes of the header with a column of their own, such as ``"Weight=PatientWeight:number"``. A catalog
        keeps those that it has, also where they are not given here.
    **resources
        More resources, for assets that are merged in.

    Raises
    ------
    CatalogNameError
        The catalog cannot be called that.
    ColumnError, AttributePathError, ExtractorError
        A column cannot be, names no attribute, or has the name of another.
    SparkSettingsError
        What the environment says of Spark cannot be meant.

    """
    names, model = CatalogNames(name), CatalogModel(with_more_columns(extractors, columns))
    tables = lake or lake_from_environment(names)
    sensing = sensor or SensorOptions(running=archive is not None or SOURCE in os.environ)
    maintenance = build_maintenance_job(model, names)
    files = archive or archive_from_environment()
    look = look_of(labels, files, tables)
    own = {
        "archive": files,
        "lake": tables,
        "io_manager": LakeIOManager(lake=tables),
        "spark": spark or SparkResource(spark_config=settings_from_environment()),
    }
    with warnings.catch_warnings():
        # Dagster's pins hold us to one minor release, and backfill policies have been "beta" for many.
        warnings.filterwarnings("ignore", "Parameter `backfill_policy`", BetaWarning)
        assets: list[AssetsDefinition | AssetSpec] = [
            build_archive(names, look),
            build_file_index(model, names, look),
            build_extraction(model, names, look),
            build_object_catalog(model, previews, names, look),
            *([build_rollups(model, names, look)] if model.rollups else []),
        ]
    return Definitions(
        assets=assets,
        asset_checks=[*build_checks(model, checks, names), build_archive_check(model, names)],
        jobs=[build_update_job(model, names), maintenance, build_register_job(names)],
        sensors=[
            build_archive_sensor(sensing, model, names),
            build_automation_sensor(model, names, running=sensing.running),
        ],
        schedules=[build_maintenance_schedule(maintenance, names, running=sensing.running, cron=maintenance_cron)],
        executor=executor,
        resources={**{names.of(key): resource for key, resource in own.items()}, **resources},
    )


def archive_from_environment() -> ArchiveResource:
    """Return the archive that the environment names, source and cut looked up when a run starts."""
    switches = {
        "follow_outside_links": os.environ.get(FOLLOW_OUTSIDE_LINKS, "0") == "1",
        "containers": os.environ.get(CONTAINERS, "1") != "0",
    }
    variables = {"prefix_depth": PREFIX_DEPTH, "prefix_chars": PREFIX_CHARS}
    cut = {field: EnvVar.int(name) for field, name in variables.items() if name in os.environ}
    return ArchiveResource(source=EnvVar(SOURCE), **switches, **cut)


def lake_from_environment(names: CatalogNames = ALONE) -> LakeResource:
    """Return the lake that the environment names, looked up when a run starts.

    Catalogs with names have a schema each, of their name: the one that the environment names is for one without.

    Raises
    ------
    SchemaNameError
        The schema that it names cannot be one: told when the definitions are loaded, not by the first run.

    """
    if names.name:
        return LakeResource(root_uri=EnvVar(LAKE), schema_name=names.schema)
    if SCHEMA in os.environ:
        check_schema_name(os.environ[SCHEMA])
        return LakeResource(root_uri=EnvVar(LAKE), schema_name=EnvVar(SCHEMA))
    return LakeResource(root_uri=EnvVar(LAKE))


def definitions_from_environment() -> Definitions:
    """Return the definitions that the environment describes, with the extractors that are installed."""
    return build_definitions(
        extractors=installed_extractors(),
        previews=int(os.environ.get(PREVIEWS, "0")),
        columns=columns_of_text(os.environ.get(COLUMNS, "")),
    )

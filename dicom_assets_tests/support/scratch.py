"""Catalogs without Dagster; one built from scratch is what any other way of building it must equal."""

from collections.abc import Sequence
from pathlib import Path

from dicom_assets.archive.base import Archive
from dicom_assets.delta.lake import Lake
from dicom_assets.pipeline.difference import UpdateMode
from dicom_assets.pipeline.plan import Outcome
from dicom_assets.pipeline.update import update_catalog
from dicom_assets.spark.engine import SmallWork, SparkEngine
from dicom_assets.spark.session import spark_session
from dicom_assets.spark.work import Engine, InProcess

ON_SPARK = SparkEngine(spark_session, SmallWork(0, 0))
"""Spark for everything, however small."""
IN_PROCESS = InProcess()


def build(
    lake: Lake,
    archive: Archive,
    prefixes: Sequence[str] | None = None,
    mode: UpdateMode = UpdateMode.SYNC,
    *,
    engine: Engine = ON_SPARK,
) -> dict[str, Outcome]:
    """Bring all tables up to date, whatever is gone; returns the outcomes by table."""
    done = update_catalog(archive, lake, prefixes=prefixes, mode=mode, allow_mass_deletion=True, engine=engine)
    (outcomes,) = done.outcomes or ({},)
    return dict(outcomes)


def build_here(
    lake: Lake, archive: Archive, prefixes: Sequence[str], mode: UpdateMode = UpdateMode.SYNC
) -> dict[str, Outcome]:
    """Do the same in this process, with the guard against mass deletion."""
    (outcomes,) = update_catalog(archive, lake, prefixes=prefixes, mode=mode, engine=IN_PROCESS).outcomes
    return dict(outcomes)


def clean(archive: Archive, folder: Path, *, engine: Engine = ON_SPARK) -> Lake:
    """Build a new catalog in a folder."""
    lake = Lake(str(folder))
    build(lake, archive, engine=engine)
    return lake

"""A catalog built from scratch: what any other way of building it must equal."""

from pathlib import Path

from dicom_assets.archive.base import Archive
from dicom_assets.delta.lake import Lake
from dicom_assets.extract.model import DEFAULT_EXTRACTORS, DEFAULT_MODEL, OBJECT_CATALOG
from dicom_assets.orchestration.resources.spark import SparkResource
from dicom_assets.pipeline.catalog import CatalogStep
from dicom_assets.pipeline.converge import converge
from dicom_assets.pipeline.deletions import DeletionGuard
from dicom_assets.pipeline.difference import UpdateMode
from dicom_assets.pipeline.extraction import ExtractionStep
from dicom_assets.pipeline.index import IndexStep
from dicom_assets.tables import FILE_INDEX


def build(lake: Lake, archive: Archive, prefixes=None, mode=UpdateMode.SYNC, guard: DeletionGuard | None = None):
    """Bring all tables up to date without Dagster; returns the outcomes by table."""
    prefixes = list(archive.prefixes()) if prefixes is None else list(prefixes)
    engine = SparkResource()
    lake.ensure(DEFAULT_MODEL.tables)
    extractors = DEFAULT_EXTRACTORS
    steps = (
        (IndexStep(lake, archive, prefixes, mode, guard), [FILE_INDEX]),
        (ExtractionStep(engine, lake, archive, extractors, prefixes, mode), DEFAULT_MODEL.extracted),
        (CatalogStep(engine, lake, prefixes, mode), [OBJECT_CATALOG]),
    )
    outcomes = {}
    for step, tables in steps:
        outcomes |= converge(step, [table.name for table in tables], engine.run_rewrites, {})
    return outcomes


def clean(archive: Archive, folder: Path) -> Lake:
    """Build a new catalog in a folder."""
    lake = Lake(str(folder))
    build(lake, archive)
    return lake

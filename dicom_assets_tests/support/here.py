"""Whole runs without Spark: the steps as they are, their rows made in this process."""

from collections.abc import Sequence

import pyarrow as pa
from dicom_assets.spark.tasks import _wanted, to_chunk, wanted_files

from dicom_assets.archive.base import Archive
from dicom_assets.delta.files import write_batches
from dicom_assets.delta.lake import Lake
from dicom_assets.extract.model import DEFAULT_EXTRACTORS, DEFAULT_MODEL, OBJECT_CATALOG
from dicom_assets.extract.rows import batches, extract_rows
from dicom_assets.pipeline.catalog import CatalogStep
from dicom_assets.pipeline.converge import converge
from dicom_assets.pipeline.difference import UpdateMode
from dicom_assets.pipeline.extraction import ExtractionStep
from dicom_assets.pipeline.join import assemble_rows
from dicom_assets.pipeline.plan import Outcome
from dicom_assets.tables import FILE_INDEX, KEY
from dicom_assets_tests.support.made_up import index, run_here

EXTRACTORS = DEFAULT_EXTRACTORS


class Extraction(ExtractionStep):
    """The pass."""

    def stage(self, plans):
        wanted = _wanted(to_chunk(wanted_files(self._index, plans)))
        rows = [extract_rows(self.archive, self.extractors, file) for file in wanted]
        staged = {}
        for name, plan in plans.items():
            made = pa.Table.from_batches(batches(rows, [plan.snapshot.table]))
            table = pa.Table.from_struct_array(made[name].combine_chunks().drop_null()).cast(plan.snapshot.table.schema)
            staged[name] = write_batches(
                plan.snapshot.location.filesystem(), plan.snapshot.table, table.combine_chunks().to_batches()
            )
        return staged


class Assembly(CatalogStep):
    """The join."""

    def stage(self, plans):
        plan = plans[OBJECT_CATALOG.name]
        paths = plan.difference.work[KEY].combine_chunks()
        work = self._index.rows_of(paths).join(self._due.select([KEY, "extractor_version"]), KEY).sort_by(KEY)
        made = []
        for prefix in sorted(set(work["prefix"].to_pylist())):
            made += assemble_rows(work.filter(pa.compute.equal(work["prefix"], prefix)), self._sources).to_batches()
        return {OBJECT_CATALOG.name: write_batches(plan.snapshot.location.filesystem(), OBJECT_CATALOG, made)}


def build(
    lake: Lake, archive: Archive, prefixes: Sequence[str], mode: UpdateMode = UpdateMode.SYNC
) -> dict[str, Outcome]:
    """Bring all tables up to date; returns the outcomes by table."""
    outcomes = {FILE_INDEX.name: index(lake, archive, prefixes, mode)}
    extraction = Extraction(None, lake, archive, EXTRACTORS, prefixes, mode)
    outcomes |= converge(extraction, [table.name for table in DEFAULT_MODEL.extracted], run_here, {})
    return outcomes | converge(Assembly(None, lake, prefixes, mode), [OBJECT_CATALOG.name], run_here, {})

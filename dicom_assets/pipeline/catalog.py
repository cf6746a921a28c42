"""The object catalog follows the other tables."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

import pyarrow as pa

from dicom_assets.delta.lake import Lake
from dicom_assets.delta.origin import Origin
from dicom_assets.delta.snapshot import Snapshot
from dicom_assets.extract.model import DEFAULT_MODEL, CatalogModel
from dicom_assets.pipeline.cutting import cut_rows
from dicom_assets.pipeline.difference import UpdateMode, difference
from dicom_assets.pipeline.engine import Engine, StagedFile
from dicom_assets.pipeline.join import JoinTask, catalog_versions
from dicom_assets.pipeline.ownership import refuse_moving
from dicom_assets.pipeline.plan import Staged, TablePlan
from dicom_assets.pipeline.row_versions import with_row_version, without_row_version
from dicom_assets.spark.work import ROWS
from dicom_assets.tables import FILE_INDEX, KEY, PARTITION

_STATE = ("fingerprint", "extractor_version")


@dataclass(frozen=True, slots=True)
class CatalogPlan:
    """Which rows of the catalog are to be joined anew, by one reading of all tables.

    Attributes
    ----------
    index
        Snapshot of ``file_index``.
    sources
        Snapshots of the extracted tables, by name.
    due
        Columns ``prefix``, ``path``, ``fingerprint`` and ``extractor_version`` of the rows that should be there.
    tables
        What is to be done to the catalog.

    """

    index: Snapshot
    sources: Mapping[str, Snapshot]
    due: pa.Table
    tables: Mapping[str, TablePlan]

    def confirm(self) -> None:
        """Do nothing: what is joined are tables, whose own commits tell whether they changed."""


@dataclass(frozen=True, slots=True)
class CatalogStep:
    """Brings the catalog of some prefixes up to date."""

    lake: Lake
    prefixes: Sequence[str]
    mode: UpdateMode = UpdateMode.SYNC
    model: CatalogModel = DEFAULT_MODEL
    run_id: str | None = None

    def plan(self) -> CatalogPlan:
        """Compare the catalog with what its upstream tables hold now.

        Raises
        ------
        SourceMismatchError
            The tables are being moved after their archive.

        """
        # The index last: a move of the archive states itself there before it touches any other table.
        snapshot = self.lake.snapshot(self.model.catalog, self.prefixes)
        sources = {table.name: self.lake.snapshot(table, self.prefixes) for table in self.model.extracted}
        index = self.lake.snapshot(FILE_INDEX, self.prefixes)
        refuse_moving(self.lake, index.properties)
        due = catalog_versions(
            self.model,
            index.keys(["fingerprint", "removed_at"]),
            {source: snapshot.keys(_STATE) for source, snapshot in sources.items()},
        )
        actual = snapshot.keys(_STATE)
        held = without_row_version(actual) if self.mode is UpdateMode.OVERWRITE else with_row_version(actual, *_STATE)
        plan = TablePlan(snapshot, difference(with_row_version(due, *_STATE), held))
        return CatalogPlan(index, sources, due, {self.model.catalog.name: plan})

    def stage(self, plan: CatalogPlan, names: Collection[str], engine: Engine) -> Staged:
        """Join the rows that are due, as data files that are not yet part of the table."""
        (name,) = names
        paths = plan.tables[name].difference.work[KEY].combine_chunks()
        work = plan.index.rows_of(paths).join(plan.due.select([KEY, "extractor_version"]), KEY)
        work = work.sort_by([(PARTITION, "ascending"), (KEY, "ascending")])
        runner = engine.runner(work.num_rows, 0, ROWS)
        origin = Origin.now(self.run_id)
        task = JoinTask(self.model, plan.sources, plan.tables[name].snapshot.location, origin)
        files = map(StagedFile.from_bytes, runner.run(task, cut_rows(work, runner)))
        return Staged({name: [file.add for file in files]}, runner.name, runner.url, origin=origin)

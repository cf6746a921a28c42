"""The object catalog follows the other four tables."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import pyarrow as pa
from deltalake.transaction import AddAction

from dicom_assets.delta.lake import Lake
from dicom_assets.delta.snapshot import Snapshot
from dicom_assets.pipeline.engine import Engine
from dicom_assets.pipeline.join import catalog_versions, stage_catalog
from dicom_assets.pipeline.ownership import refuse_moving
from dicom_assets.pipeline.reconcile import Plan, UpdateMode, difference
from dicom_assets.pipeline.row_versions import with_null_token, with_token
from dicom_assets.tables import EXTRACTED, FILE_INDEX, KEY, OBJECT_CATALOG, PARTITION

_STATE = ("fingerprint", "extractor_version")


@dataclass
class CatalogStep:
    """Brings the catalog of some prefixes up to date."""

    engine: Engine
    lake: Lake
    prefixes: Sequence[str]
    mode: UpdateMode = UpdateMode.SYNC
    _index: Snapshot = field(init=False, repr=False)
    _sources: dict[str, Snapshot] = field(init=False, repr=False)
    _due: pa.Table = field(init=False, repr=False)

    def plan(self, name: str) -> Plan:  # noqa: ARG002 - part of the protocol, this step has one table
        """Compare the catalog with what its upstream tables hold now.

        Raises
        ------
        SourceMismatchError
            The tables are being moved after their archive.

        """
        # The index last: a move of the archive states itself there before it touches any other table.
        snapshot = self.lake.snapshot(OBJECT_CATALOG, self.prefixes)
        self._sources = {table.name: self.lake.snapshot(table, self.prefixes) for table in EXTRACTED}
        self._index = self.lake.snapshot(FILE_INDEX, self.prefixes)
        refuse_moving(self.lake, self._index.properties)
        self._due = catalog_versions(
            self._index.keys(["fingerprint", "removed_at"]),
            {source: snapshot.keys(_STATE) for source, snapshot in self._sources.items()},
        )
        actual = snapshot.keys(_STATE)
        actual = with_null_token(actual) if self.mode is UpdateMode.OVERWRITE else with_token(actual, *_STATE)
        return Plan(snapshot, difference(with_token(self._due, *_STATE), actual))

    def stage(self, plans: Mapping[str, Plan]) -> dict[str, list[AddAction]]:
        """Join the rows that are due, as data files that are not yet part of the table."""
        paths = plans[OBJECT_CATALOG.name].difference.work[KEY].combine_chunks()
        work = self._index.rows_of(paths).join(self._due.select([KEY, "extractor_version"]), KEY)
        work = work.sort_by([(PARTITION, "ascending"), (KEY, "ascending")])
        return stage_catalog(self.engine.spark_session, self.lake, work, self._sources)

    def confirm(self) -> None:
        """Do nothing: what is joined are tables, whose own commits tell whether they changed."""

"""The extracted tables follow the index: a row per listed file, made from that version by this version of the code."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import pyarrow as pa
import pyarrow.compute as pc
from deltalake.transaction import AddAction

from dicom_assets.archive.base import Archive
from dicom_assets.delta.lake import Lake
from dicom_assets.extract.extractors import Extractor
from dicom_assets.extract.spark import FILE_COLUMNS, stage_extraction
from dicom_assets.reconcile import Plan, UpdateMode, difference
from dicom_assets.steps.engine import Engine
from dicom_assets.steps.tokens import with_null_token, with_token
from dicom_assets.tables import FILE_INDEX, KEY

_STATE = ("fingerprint", "extractor_version")


@dataclass
class ExtractionStep:
    """Brings the tables of some extractors up to date, for some prefixes, in one pass over the files."""

    engine: Engine
    lake: Lake
    archive: Archive
    extractors: Sequence[Extractor]
    prefixes: Sequence[str]
    mode: UpdateMode = UpdateMode.SYNC
    _index: pa.Table = field(init=False, repr=False)

    def plan(self, name: str) -> Plan:
        """Compare one table with the index.

        Rows of files that are gone, but kept in the index, are left as they are.
        """
        extractor = next(extractor for extractor in self.extractors if extractor.table.name == name)
        index = self.lake.snapshot(FILE_INDEX, self.prefixes).keys([*FILE_COLUMNS, "removed_at"])
        live = pc.is_null(index["removed_at"])
        self._index = index.filter(live)
        snapshot = self.lake.snapshot(extractor.table, self.prefixes)
        actual = snapshot.keys(_STATE).join(index.filter(pc.invert(live)).select([KEY]), KEY, join_type="left anti")
        version = pa.repeat(extractor.version, self._index.num_rows)
        expected = with_token(self._index.append_column("extractor_version", version), *_STATE)
        actual = with_null_token(actual) if self.mode is UpdateMode.OVERWRITE else with_token(actual, *_STATE)
        return Plan(snapshot, difference(expected, actual))

    def stage(self, plans: Mapping[str, Plan]) -> dict[str, list[AddAction]]:
        """Run the pass, as data files that are not yet part of their tables."""
        return stage_extraction(self.engine.spark_session, self.lake, self.archive, self.extractors, self._index, plans)

"""The extracted tables follow the index: a row per listed file, made from that version by this version of the code."""

from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

import pyarrow as pa
import pyarrow.compute as pc
from deltalake.transaction import AddAction

from dicom_assets.archive.base import Archive, ArchiveError
from dicom_assets.archive.identity import Witness
from dicom_assets.delta.files import DataFile, read_file
from dicom_assets.delta.lake import Lake
from dicom_assets.extract.extractors import Extractor
from dicom_assets.pipeline.engine import Engine
from dicom_assets.pipeline.listings import list_prefix
from dicom_assets.pipeline.ownership import claim
from dicom_assets.pipeline.reconcile import Plan, UpdateMode, count_by_prefix, difference
from dicom_assets.pipeline.row_versions import with_null_token, with_token
from dicom_assets.spark.tasks import FILE_COLUMNS, stage_extraction
from dicom_assets.tables import FILE_INDEX, KEY, PARTITION, Table

_STATE = ("fingerprint", "extractor_version")
_READERS = 16
_KNOWN_FILES = 4
"""How many files of a prefix are remembered: one that is there is proof enough."""
_MOST_GONE = 0.5
"""Share of a prefix's files that may be gone when they are read: more than that is no coincidence."""


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
    _witness: Witness = field(default_factory=Witness, init=False, repr=False)

    def plan(self, name: str) -> Plan:
        """Compare one table with the index.

        Rows of files that are gone, but kept in the index, are left as they are.

        Raises
        ------
        SourceMismatchError
            The catalog belongs to another source.

        """
        extractor = next(extractor for extractor in self.extractors if extractor.table.name == name)
        # Before the index: a move of the archive states itself there before it touches any other table.
        snapshot = self.lake.snapshot(extractor.table, self.prefixes)
        indexed = self.lake.snapshot(FILE_INDEX, self.prefixes)
        self.archive = claim(self.lake, self.archive, indexed.properties)
        index = indexed.keys([*FILE_COLUMNS, "removed_at"])
        live = pc.is_null(index["removed_at"])
        self._index = index.filter(live)
        actual = snapshot.keys(_STATE).join(index.filter(pc.invert(live)).select([KEY]), KEY, join_type="left anti")
        version = pa.repeat(extractor.version, self._index.num_rows)
        expected = with_token(self._index.append_column("extractor_version", version), *_STATE)
        actual = with_null_token(actual) if self.mode is UpdateMode.OVERWRITE else with_token(actual, *_STATE)
        return Plan(snapshot, difference(expected, actual))

    def stage(self, plans: Mapping[str, Plan]) -> dict[str, list[AddAction]]:
        """Run the pass, as data files that are not yet part of their tables.

        Raises
        ------
        ArchiveError
            The archive is not the one that the index lists, or most files of a prefix are gone.

        """
        self._witness = Witness.of(self.archive, self.prefixes, _some_paths(self._index))
        self._witness.recognise(self.archive)
        staged = stage_extraction(
            self.engine.spark_session,
            self.lake,
            self.archive,
            self.extractors,
            self._index,
            plans,
            witness=self._witness,
        )
        for name, adds in staged.items():
            self._check_unread(plans[name].snapshot.table, adds)
        return staged

    def confirm(self) -> None:
        """Raise ``ArchiveError`` unless the archive is the one that the pass began with."""
        if self._witness.root is not None:
            self._witness.confirm(self.archive, self.prefixes)

    def _check_unread(self, table: Table, adds: Sequence[AddAction]) -> None:
        """Raise ``ArchiveError`` when most files of a prefix were gone, though the archive seems to be in place.

        Rows without a fingerprint are of files that could not be read. Where they are many, the prefix is listed once
        more: links that lead nowhere, and files that nobody may read, are still there.
        """
        known = count_by_prefix(self._index)
        for prefix, unread in _count_unread(self.lake, table, adds).items():
            if unread > 1 and unread > _MOST_GONE * known[prefix]:
                listings = list_prefix(self.archive, prefix)
                mine = self._index.filter(pc.equal(self._index[PARTITION], prefix))
                told = pa.concat_tables([listings.files.select([KEY]), listings.untold(mine).select([KEY])])
                gone = mine.join(told, KEY, join_type="left anti").num_rows
                if gone > 1 and gone > _MOST_GONE * known[prefix]:
                    raise ArchiveError(
                        f"prefix {prefix}: {gone} of {known[prefix]} files of the index are gone from the archive. If "
                        "they were deleted, materialize file_index first"
                    )


def _some_paths(index: pa.Table) -> dict[str, list[str]]:
    """Return a few paths of each prefix of an index, spread over all that it has."""
    grouped = index.group_by(PARTITION).aggregate([(KEY, "list")])
    found = {}
    for prefix, paths in zip(grouped[PARTITION].to_pylist(), grouped[f"{KEY}_list"], strict=True):
        last = len(paths) - 1
        places = sorted({last * place // (_KNOWN_FILES - 1) for place in range(_KNOWN_FILES)})
        found[prefix] = [paths[place].as_py() for place in places]
    return found


def _count_unread(lake: Lake, table: Table, adds: Sequence[AddAction]) -> dict[str, int]:
    """Return how many staged rows have no fingerprint, by prefix."""
    filesystem = lake.location(table).filesystem()

    def unread(add: AddAction) -> tuple[str, int]:
        prefix = str(add.partition_values[PARTITION])
        file = DataFile(add.path, prefix, add.size)
        return prefix, sum(batch.column(0).null_count for batch in read_file(filesystem, table, file, ["fingerprint"]))

    counts: dict[str, int] = {}
    with ThreadPoolExecutor(_READERS) as pool:
        for prefix, count in pool.map(unread, adds):
            counts[prefix] = counts.get(prefix, 0) + count
    return counts

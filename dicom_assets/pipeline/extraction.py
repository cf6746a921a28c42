"""The extracted tables follow the index: a row per listed file, made from that version by this version of the code.

One pass reads each file once, for all tables that lack a row of it, and writes the data files where it reads. Rows of
another version that hold all that this one needs are made anew from themselves (:mod:`dicom_assets.pipeline.refill`).
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

import pyarrow as pa
import pyarrow.compute as pc

from dicom_assets.archive.base import Archive, ArchiveError
from dicom_assets.archive.containers.archive import glancing
from dicom_assets.archive.containers.reading_order import reading_order, streams_of
from dicom_assets.archive.identity import Witness
from dicom_assets.delta.lake import Lake
from dicom_assets.delta.origin import Origin
from dicom_assets.delta.snapshot import FILE, Snapshot
from dicom_assets.extract.extractor import Extractor
from dicom_assets.pipeline.cutting import cut_files
from dicom_assets.pipeline.difference import UpdateMode, count_by_prefix, difference
from dicom_assets.pipeline.engine import Engine, StagedFile
from dicom_assets.pipeline.extraction_task import FILE_COLUMNS, KEY_COLUMNS, ExtractionTask
from dicom_assets.pipeline.listings import list_prefix
from dicom_assets.pipeline.ownership import claim
from dicom_assets.pipeline.plan import Staged, TablePlan
from dicom_assets.pipeline.refill import refillable, stage_refills
from dicom_assets.pipeline.row_versions import with_row_version, without_row_version
from dicom_assets.pipeline.task_times import TaskTime, task_times
from dicom_assets.tables import FILE_INDEX, KEY, PARTITION

_STATE = ("fingerprint", "extractor_version")

_KNOWN_FILES = 4
"""How many files of a prefix are remembered: one that is there is proof enough."""
_MOST_GONE = 0.5
"""Share of a prefix's files that may be gone when they are read: more than that is no coincidence."""


@dataclass(frozen=True, slots=True)
class ExtractionPlan:
    """Which files lack rows in which tables, by one reading of the index.

    Attributes
    ----------
    archive
        Where the files are, as the catalog knows it.
    witness
        What was known of the archive when the plan was made.
    index
        Columns ``prefix``, ``path`` and those that tell versions, of all files that are there.
    tables
        What is to be done to each table.
    refills
        By table, the rows that are made anew from themselves: no file of theirs is read.

    """

    archive: Archive
    witness: Witness
    index: pa.Table
    tables: Mapping[str, TablePlan]
    refills: Mapping[str, pa.Table]

    def unread(self, name: str) -> pa.Array:
        """Return the paths that a table lacks a row of and whose files are to be read."""
        work, refills = self.tables[name].difference.work[KEY], self.refills[name][KEY]
        return work.filter(pc.invert(pc.is_in(work, refills.combine_chunks()))).combine_chunks()

    def confirm(self) -> None:
        """Raise ``ArchiveError`` unless the archive is the one that the pass began with."""
        if self.witness.root is not None:
            self.witness.confirm(self.archive, self.witness.folders)


@dataclass(frozen=True, slots=True)
class ExtractionStep:
    """Brings the tables of some extractors up to date, for some prefixes, in one pass over the files."""

    lake: Lake
    archive: Archive
    extractors: Sequence[Extractor]
    prefixes: Sequence[str]
    mode: UpdateMode = UpdateMode.SYNC
    run_id: str | None = None

    def plan(self) -> ExtractionPlan:
        """Compare the tables with the index.

        Rows of files that are gone, but kept in the index, are left as they are, unless they can be made anew from
        themselves.

        Raises
        ------
        SourceMismatchError
            The catalog belongs to another source.
        ArchiveError
            There are files to be read, and the archive cannot be reached.

        """
        # Before the index: a move of the archive states itself there before it touches any other table.
        snapshots = [self.lake.snapshot(extractor.table, self.prefixes) for extractor in self.extractors]
        indexed = self.lake.snapshot(FILE_INDEX, self.prefixes)
        archive = claim(self.lake, self.archive, indexed.properties)
        rows = indexed.keys([*FILE_COLUMNS, "removed_at"])
        live = pc.is_null(rows["removed_at"])
        index, removed = rows.filter(live), rows.filter(pc.invert(live)).select([KEY])
        tables, refills = {}, {}
        for extractor, snapshot in zip(self.extractors, snapshots, strict=True):
            name = extractor.table.name
            tables[name], refills[name] = self._compare(extractor, snapshot, index, removed)
        plan = ExtractionPlan(archive, Witness(), index, tables, refills)
        if any(len(plan.unread(name)) for name in tables):
            plan = replace(plan, witness=Witness.of(archive, self.prefixes, _some_paths(index)))
        return plan

    def _compare(
        self, extractor: Extractor, snapshot: Snapshot, index: pa.Table, removed: pa.Table
    ) -> tuple[TablePlan, pa.Table]:
        """Return what is to be done to one table, and the rows of it that are made anew from themselves."""
        held = snapshot.keys(_STATE)
        due = index.append_column("extractor_version", pa.repeat(extractor.version, index.num_rows))
        due = due.select([PARTITION, KEY, *_STATE])
        gone = pc.is_in(held[KEY], removed[KEY].combine_chunks())
        if self.mode is UpdateMode.OVERWRITE:
            actual = without_row_version(held.filter(pc.invert(gone)))
            return TablePlan(snapshot, difference(with_row_version(due, *_STATE), actual)), held.slice(0, 0)
        refills = refillable(extractor, held)
        is_kept = pc.is_in(refills[KEY], removed[KEY].combine_chunks())
        kept = refills.filter(is_kept)
        refills = refills.filter(pc.or_(is_kept, _is_of_present_version(refills, index)))
        left = pc.and_(gone, pc.invert(pc.is_in(held[KEY], kept[KEY].combine_chunks())))
        version = pa.repeat(extractor.version, kept.num_rows)
        more = pa.table([kept[PARTITION], kept[KEY], kept["fingerprint"], version], schema=due.schema)
        expected = with_row_version(pa.concat_tables([due, more]), *_STATE)
        actual = with_row_version(held.filter(pc.invert(left)), *_STATE)
        return TablePlan(snapshot, difference(expected, actual)), refills.select([KEY, FILE])

    def stage(self, plan: ExtractionPlan, names: Collection[str], engine: Engine) -> Staged:
        """Run the pass, as data files that are not yet part of their tables.

        Raises
        ------
        ArchiveError
            The archive is not the one that the index lists, or most files of a prefix are gone.

        """
        selected = [extractor for extractor in self.extractors if extractor.table.name in names]
        origin = Origin.now(self.run_id)
        snapshots = {name: plan.tables[name].snapshot for name in names}
        refilled = stage_refills(selected, snapshots, plan.refills, engine, origin)
        reading = [extractor for extractor in selected if len(plan.unread(extractor.table.name))]
        if not reading:
            return refilled
        read = self._read(plan, reading, engine, origin)
        both = {name: [*refilled.adds.get(name, ()), *read.adds.get(name, ())] for name in names}
        return replace(read, adds=both)

    def _read(self, plan: ExtractionPlan, extractors: Sequence[Extractor], engine: Engine, origin: Origin) -> Staged:
        """Read the files that tables lack a row of."""
        plan.witness.recognise(plan.archive)
        names = [extractor.table.name for extractor in extractors]
        work = wanted_files(plan, names)
        runner = engine.runner(work.num_rows, pc.sum(work["size"]).as_py() or 0)
        locations = [self.lake.location(extractor.table) for extractor in extractors]
        task = ExtractionTask(plan.archive, plan.witness, tuple(extractors), tuple(locations), origin)
        results = runner.run(task, cut_files(work, runner, streams_of(work)))
        files = [StagedFile.from_bytes(result) for result in results if not TaskTime.is_in(result)]
        _check_unread(plan, files)
        adds = {name: [file.add for file in files if file.table == name] for name in names}
        return Staged(adds, runner.name, runner.url, _bytes_read(files), origin, task_times(results))


def _is_of_present_version(rows: pa.Table, index: pa.Table) -> pa.ChunkedArray:
    """Return whether rows were made from the version of their file that the index lists."""
    listed = index["fingerprint"].take(pc.index_in(rows[KEY], value_set=index[KEY].combine_chunks()))
    return pc.fill_null(pc.equal(rows["fingerprint"], listed), fill_value=False)


def wanted_files(plan: ExtractionPlan, names: Collection[str]) -> pa.Table:
    """Return the files to be read for rows that some tables lack, with a boolean column for each of these."""
    files = plan.index.select(KEY_COLUMNS)
    wanted = None
    for name in names:
        flag = pc.is_in(files[KEY], plan.unread(name))
        files = files.append_column(name, flag)
        wanted = flag if wanted is None else pc.or_(wanted, flag)
    return reading_order(files.filter(wanted))


def _check_unread(plan: ExtractionPlan, files: Sequence[StagedFile]) -> None:
    """Raise ``ArchiveError`` when most files of a prefix were gone, though the archive seems to be in place.

    Where many files of a prefix could not be read, it is listed once more: links that lead nowhere, and files that
    nobody may read, are still there.
    """
    known = count_by_prefix(plan.index)
    for prefix, unread in _most_unread(files).items():
        if unread > 1 and unread > _MOST_GONE * known[prefix]:
            mine = plan.index.filter(pc.equal(plan.index[PARTITION], prefix))
            listings = list_prefix(glancing(plan.archive), prefix, {prefix: mine}.__getitem__)
            told = pa.concat_tables([listings.files.select([KEY]), listings.untold(mine).select([KEY])])
            gone = mine.join(told, KEY, join_type="left anti").num_rows
            if gone > 1 and gone > _MOST_GONE * known[prefix]:
                raise ArchiveError(
                    f"prefix {prefix}: {gone} of {known[prefix]} files of the index are gone from the archive. If "
                    "they were deleted, materialize file_index first"
                )


def _bytes_read(files: Iterable[StagedFile]) -> dict[str, dict[str, int]]:
    """Return how many bytes were read for the rows of each table, by prefix."""
    counts: dict[str, dict[str, int]] = {}
    for file in files:
        of_table = counts.setdefault(file.table, {})
        of_table[file.prefix] = of_table.get(file.prefix, 0) + file.bytes_read
    return counts


def _most_unread(files: Iterable[StagedFile]) -> dict[str, int]:
    """Return how many rows of unread files there are of each prefix, in the table that has most of them."""
    counts: dict[tuple[str, str], int] = {}
    for file in files:
        place = (file.prefix, file.table)
        counts[place] = counts.get(place, 0) + file.unread
    most: dict[str, int] = {}
    for (prefix, _), count in counts.items():
        most[prefix] = max(most.get(prefix, 0), count)
    return most


def _some_paths(index: pa.Table) -> dict[str, list[str]]:
    """Return a few paths of each prefix of an index, spread over all that it has."""
    grouped = index.group_by(PARTITION).aggregate([(KEY, "list")])
    found = {}
    for prefix, paths in zip(grouped[PARTITION].to_pylist(), grouped[f"{KEY}_list"], strict=True):
        last = len(paths) - 1
        places = sorted({place * last // (_KNOWN_FILES - 1) for place in range(_KNOWN_FILES)})
        found[prefix] = [paths[place].as_py() for place in places]
    return found

"""The extracted tables follow the index: a row per listed file, made from that version by this version of the code.

One pass reads each file once, for all tables that lack a row of it, and writes the data files where it reads.
"""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import pyarrow as pa
import pyarrow.compute as pc

from dicom_assets.archive.base import Archive, ArchiveError
from dicom_assets.archive.identity import Witness
from dicom_assets.archive.versions import Listed
from dicom_assets.delta.files import TableSink
from dicom_assets.delta.lake import Lake
from dicom_assets.delta.location import TableLocation
from dicom_assets.delta.origin import Origin
from dicom_assets.extract.extractor import Extractor
from dicom_assets.extract.rows import Row, Wanted, extract_rows, to_batch
from dicom_assets.extract.source_file import FileKey, ReadMeter
from dicom_assets.pipeline.difference import UpdateMode, count_by_prefix, difference
from dicom_assets.pipeline.engine import Engine, StagedFile, cut, from_piece, results_of
from dicom_assets.pipeline.listings import list_prefix
from dicom_assets.pipeline.ownership import claim
from dicom_assets.pipeline.plan import Staged, TablePlan
from dicom_assets.pipeline.row_versions import with_row_version, without_row_version
from dicom_assets.tables import FILE_INDEX, KEY, PARTITION

_STATE = ("fingerprint", "extractor_version")
_FILE_COLUMNS = ("relative_path", "fingerprint", "size", "etag", "source_version")
"""What the pass needs to know of a file besides its key."""
_KEY_COLUMNS = (PARTITION, KEY, *_FILE_COLUMNS)
_BATCH_FILES = 64
_BATCH_MEMBERS = 50_000
"""Members of lists that rows wait with until they are a batch: the frames of one file alone may be more."""

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

    """

    archive: Archive
    witness: Witness
    index: pa.Table
    tables: Mapping[str, TablePlan]

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

        Rows of files that are gone, but kept in the index, are left as they are.

        Raises
        ------
        SourceMismatchError
            The catalog belongs to another source.
        ArchiveError
            There is work, and the archive cannot be reached.

        """
        # Before the index: a move of the archive states itself there before it touches any other table.
        snapshots = [self.lake.snapshot(extractor.table, self.prefixes) for extractor in self.extractors]
        indexed = self.lake.snapshot(FILE_INDEX, self.prefixes)
        archive = claim(self.lake, self.archive, indexed.properties)
        rows = indexed.keys([*_FILE_COLUMNS, "removed_at"])
        live = pc.is_null(rows["removed_at"])
        index, removed = rows.filter(live), rows.filter(pc.invert(live)).select([KEY])
        tables = {}
        for extractor, snapshot in zip(self.extractors, snapshots, strict=True):
            actual = snapshot.keys(_STATE).join(removed, KEY, join_type="left anti")
            due = index.append_column("extractor_version", pa.repeat(extractor.version, index.num_rows))
            held = (
                without_row_version(actual) if self.mode is UpdateMode.OVERWRITE else with_row_version(actual, *_STATE)
            )
            tables[extractor.table.name] = TablePlan(snapshot, difference(with_row_version(due, *_STATE), held))
        witness = Witness()
        if any(table.difference.work.num_rows for table in tables.values()):
            witness = Witness.of(archive, self.prefixes, _some_paths(index))
        return ExtractionPlan(archive, witness, index, tables)

    def stage(self, plan: ExtractionPlan, names: Collection[str], engine: Engine) -> Staged:
        """Run the pass, as data files that are not yet part of their tables.

        Raises
        ------
        ArchiveError
            The archive is not the one that the index lists, or most files of a prefix are gone.

        """
        plan.witness.recognise(plan.archive)
        selected = [extractor for extractor in self.extractors if extractor.table.name in names]
        work = wanted_files(plan, names)
        runner = engine.runner(work.num_rows, pc.sum(work["size"]).as_py() or 0)
        locations = [self.lake.location(extractor.table) for extractor in selected]
        origin = Origin.now(self.run_id)
        task = ExtractionTask(plan.archive, plan.witness, tuple(selected), tuple(locations), origin)
        files = list(map(StagedFile.from_bytes, runner.run(task, cut(work, runner))))
        _check_unread(plan, files)
        adds = {name: [file.add for file in files if file.table == name] for name in names}
        return Staged(adds, runner.name, runner.url, _bytes_read(files), origin)


def wanted_files(plan: ExtractionPlan, names: Collection[str]) -> pa.Table:
    """Return the files that lack a row in some tables, with a boolean column for each of these."""
    files = plan.index.select(_KEY_COLUMNS)
    wanted = None
    for name in names:
        flag = pc.is_in(files[KEY], plan.tables[name].difference.work[KEY].combine_chunks())
        files = files.append_column(name, flag)
        wanted = flag if wanted is None else pc.or_(wanted, flag)
    return files.filter(wanted).sort_by([(PARTITION, "ascending"), (KEY, "ascending")])


@dataclass(frozen=True, slots=True)
class ExtractionTask:
    """What a worker does with a piece of the pass: a table of wanted files, in the order of prefix and path.

    Attributes
    ----------
    archive, witness
        Where the files are, and what was known of that when the pass began.
    extractors, locations
        What is extracted, and the tables that it is written to.
    origin
        What the rows say of where they come from.

    """

    archive: Archive
    witness: Witness
    extractors: tuple[Extractor, ...]
    locations: tuple[TableLocation, ...]
    origin: Origin

    def __call__(self, piece: bytes) -> Iterator[bytes | float]:
        """Read the files of a piece, write their rows, and yield the data files that hold them.

        In between, the share of the piece that is read.
        """
        writers = {
            extractor.table.name: _Writer(extractor, TableSink(location.filesystem(), extractor.table), self.origin)
            for extractor, location in zip(self.extractors, self.locations, strict=True)
        }
        files = wanted_of(piece)
        for number, wanted in enumerate(files):
            meter = ReadMeter()
            for name, row in extract_rows(self.archive, self.extractors, wanted, self.witness, meter).items():
                writers[name].take(row, meter.bytes)
            if number % _BATCH_FILES == _BATCH_FILES - 1:
                yield (number + 1) / len(files)
        for writer in writers.values():
            yield from results_of(writer.close())


class _Writer:
    """Gathers the rows of one table into batches, and counts by prefix what was read and what could not be."""

    def __init__(self, extractor: Extractor, sink: TableSink, origin: Origin) -> None:
        self._table = extractor.table
        self._sink = sink
        self._origin = origin
        self._rows: list[Row] = []
        self._members = 0
        self._unread: dict[str, int] = {}
        self._read: dict[str, int] = {}

    def take(self, row: Row, bytes_read: int) -> None:
        prefix = row[PARTITION]
        if row["fingerprint"] is None:
            self._unread[prefix] = self._unread.get(prefix, 0) + 1
        self._read[prefix] = self._read.get(prefix, 0) + bytes_read
        self._rows.append(row)
        self._members += sum(len(value) for value in row.values() if isinstance(value, list))
        if len(self._rows) == _BATCH_FILES or self._members >= _BATCH_MEMBERS:
            self._flush()

    def close(self) -> Iterator[StagedFile]:
        """Write what is left and yield the data files; a piece has one of each prefix."""
        self._flush()
        for add in self._sink.close():
            prefix = str(add.partition_values[PARTITION])
            yield StagedFile(self._table.name, add, self._unread.get(prefix, 0), self._read[prefix])

    def _flush(self) -> None:
        if self._rows:
            self._sink.write(self._origin.stamp(to_batch(self._rows, self._table)))
            self._rows, self._members = [], 0


def wanted_of(piece: bytes) -> list[Wanted]:
    """Return the files of a piece of work."""
    table = from_piece(piece)
    names = [name for name in table.column_names if name not in _KEY_COLUMNS]
    found = []
    for row in table.to_pylist():
        listed = Listed(row["size"], row["source_version"] or row["etag"] or row["fingerprint"])
        key = FileKey(row[PARTITION], row[KEY], row["relative_path"], row["fingerprint"], listed)
        found.append(Wanted(key, frozenset(name for name in names if row[name])))
    return found


def _check_unread(plan: ExtractionPlan, files: Sequence[StagedFile]) -> None:
    """Raise ``ArchiveError`` when most files of a prefix were gone, though the archive seems to be in place.

    Where many files of a prefix could not be read, it is listed once more: links that lead nowhere, and files that
    nobody may read, are still there.
    """
    known = count_by_prefix(plan.index)
    for prefix, unread in _most_unread(files).items():
        if unread > 1 and unread > _MOST_GONE * known[prefix]:
            listings = list_prefix(plan.archive, prefix)
            mine = plan.index.filter(pc.equal(plan.index[PARTITION], prefix))
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

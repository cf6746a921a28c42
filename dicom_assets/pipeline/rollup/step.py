"""The step that brings ``series`` and ``studies`` to what ``object_catalog`` holds."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

import pyarrow as pa
import pyarrow.compute as pc

from dicom_assets.delta.files import DataFile
from dicom_assets.delta.lake import Lake
from dicom_assets.delta.newest import newest
from dicom_assets.delta.origin import Origin
from dicom_assets.delta.snapshot import FILE, Snapshot
from dicom_assets.extract.headers import DICOM_HEADERS
from dicom_assets.extract.model import DEFAULT_MODEL, CatalogModel
from dicom_assets.extract.rollups import RollupTable
from dicom_assets.pipeline.difference import UpdateMode, difference
from dicom_assets.pipeline.engine import Engine, StagedFile
from dicom_assets.pipeline.ownership import refuse_moving
from dicom_assets.pipeline.plan import Staged, TablePlan
from dicom_assets.pipeline.rollup.due import MEMBER, due_rows, members_of
from dicom_assets.pipeline.rollup.task import PLACES, RollupTask, cut_by_files
from dicom_assets.pipeline.row_versions import with_row_version, without_row_version
from dicom_assets.spark.work import ROWS
from dicom_assets.tables import FILE_INDEX, PARTITION

_STATE = ("extractor_version",)
_ROWS_AT_ONCE = 20_000


@dataclass(frozen=True, slots=True)
class RollupPlan:
    """Which rows of rollups are to be made anew, by one reading of the catalog.

    Attributes
    ----------
    catalog, headers
        Snapshots of ``object_catalog`` and ``dicom_headers``, of which rows are made.
    due
        By table, the rows that should be there.
    tables
        What is to be done to each table.

    """

    catalog: Snapshot
    headers: Snapshot
    due: Mapping[str, "Due"]
    tables: Mapping[str, TablePlan]

    def confirm(self) -> None:
        """Do nothing: what is grouped are tables, whose own commits tell whether they changed."""


@dataclass(frozen=True, slots=True)
class RollupStep:
    """Brings rollups of some prefixes up to date; without any named, of all, for whoever keeps other writers out.

    Rows of files that are gone do not count, whatever the mode: a rollup says what is there.
    """

    lake: Lake
    prefixes: Sequence[str] | None
    mode: UpdateMode = UpdateMode.SYNC
    model: CatalogModel = DEFAULT_MODEL
    run_id: str | None = None
    tables: tuple[RollupTable, ...] | None = None

    def plan(self) -> RollupPlan:
        """Compare the rollups with what the catalog holds now.

        Raises
        ------
        SourceMismatchError
            The tables are being moved after their archive.

        """
        plan = self.compare()
        # Last: a move states itself in the index, before it touches any other table.
        refuse_moving(self.lake, newest(self.lake.location(FILE_INDEX)).metadata().configuration)
        return plan

    def compare(self) -> RollupPlan:
        """Do the same whether the tables are being moved or not: part of such a move."""
        tables = self.model.rollups if self.tables is None else self.tables
        # Headers after the catalog: they may be newer than it then, never older.
        held = {table.name: self.lake.snapshot(table, self.prefixes) for table in tables}
        catalog = self.lake.snapshot(self.model.catalog, self.prefixes)
        headers = self.lake.snapshot(self.model.table(DICOM_HEADERS.name), self.prefixes)
        due = _due(catalog, tables)
        plans = {table.name: self._compared(held[table.name], due[table.name]) for table in tables}
        return RollupPlan(catalog, headers, due, plans)

    def _compared(self, snapshot: Snapshot, due: "Due") -> TablePlan:
        actual = snapshot.keys(_STATE)
        held = without_row_version(actual) if self.mode is UpdateMode.OVERWRITE else with_row_version(actual, *_STATE)
        return TablePlan(snapshot, difference(with_row_version(due.rows, *_STATE), held, snapshot.table.key))

    def stage(self, plan: RollupPlan, names: Collection[str], engine: Engine) -> Staged:
        """Make the rows that are due, as data files that are not yet part of their tables."""
        works = {name: _work(plan, name) for name in names}
        runner = engine.runner(max(pc.sum(work["files"]).as_py() for work in works.values()), 0, ROWS)
        origin = Origin.now(self.run_id)
        adds = {}
        for table in self.model.rollups:
            if table.name in works:
                task = RollupTask(table, plan.catalog, plan.headers, self.lake.location(table), origin)
                pieces = cut_by_files(works[table.name], runner.parallelism)
                adds[table.name] = [StagedFile.from_bytes(result).add for result in runner.run(task, pieces)]
        return Staged(adds, runner.name, runner.url, origin=origin)


@dataclass(frozen=True, slots=True)
class Due:
    """The rows of one rollup that should be there.

    Attributes
    ----------
    rows
        Columns ``prefix``, the key, ``extractor_version`` and ``files``.
    places
        Columns ``prefix``, the key, and a data file of ``object_catalog`` that holds members; several of some.

    """

    rows: pa.Table
    places: pa.Table


def _work(plan: RollupPlan, name: str) -> pa.Table:
    """Return the entities of which a table lacks rows, neighbours by the files of the catalog that hold them."""
    row, due = list(plan.tables[name].snapshot.table.identity), plan.due[name]
    missing = plan.tables[name].difference.work.select(row)
    work = due.rows.join(missing, row, join_type="left semi")
    places: dict[tuple[str, str], list[str]] = {}
    for prefix, key, file in _values(due.places.join(missing, row, join_type="left semi").select([*row, FILE])):
        places.setdefault((prefix, key), []).append(file)
    listed = [sorted(places[prefix, key]) for prefix, key in _values(work.select(row))]
    columns = {"_first": pa.array([files[0] for files in listed], pa.string())}
    columns[PLACES] = pa.array(listed, pa.list_(pa.string()))
    for column, values in columns.items():
        work = work.append_column(column, values)
    return work.sort_by([(name, "ascending") for name in (PARTITION, "_first", row[1])]).drop_columns("_first")


def _values(rows: pa.Table) -> Iterator[tuple[str, ...]]:
    return zip(*(column.to_pylist() for column in rows.columns), strict=True)


def _due(catalog: Snapshot, tables: Sequence[RollupTable]) -> dict[str, Due]:
    """Return the rows of rollups that are due, some prefixes at a time, so that few keys of files are in memory."""
    columns = list(dict.fromkeys([*(table.key for table in tables), *MEMBER]))
    parts = {table.name: [_no_due(table)] for table in tables}
    for files in _groups(catalog.files):
        rows = replace(catalog, files=tuple(files)).keys(columns)
        for table in tables:
            members = members_of(rows, table.key)
            places = members.group_by([*table.identity, FILE]).aggregate([])
            parts[table.name].append(Due(due_rows(members, table), places))
    return {name: _together(some) for name, some in parts.items()}


def _no_due(table: RollupTable) -> Due:
    text, number = pa.string(), pa.int64()
    row = [(name, text) for name in table.identity]
    return Due(
        pa.schema([*row, *((name, text) for name in _STATE), ("files", number)]).empty_table(),
        pa.schema([*row, (FILE, text)]).empty_table(),
    )


def _together(parts: Sequence[Due]) -> Due:
    rows, places = [part.rows for part in parts], [part.places for part in parts]
    return Due(
        pa.concat_tables(rows, promote_options="permissive"), pa.concat_tables(places, promote_options="permissive")
    )


def _groups(files: Sequence[DataFile]) -> Iterator[list[DataFile]]:
    """Yield data files, all of a prefix together, in groups of about so many rows."""
    group: list[DataFile] = []
    rows = 0
    for file in files:
        if group and rows >= _ROWS_AT_ONCE and file.prefix != group[-1].prefix:
            yield group
            group, rows = [], 0
        group.append(file)
        rows += file.rows or 0
    if group:
        yield group

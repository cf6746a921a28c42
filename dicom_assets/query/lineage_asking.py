"""Lineage of a catalog: from what users ask to the answer."""

from bisect import bisect_right
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import pyarrow as pa

from dicom_assets.delta.history import CommitLog
from dicom_assets.delta.snapshot import Snapshot
from dicom_assets.extract.model import CATALOG_NAME, DEFAULT_MODEL
from dicom_assets.query.database import Catalog
from dicom_assets.query.errors import CatalogError, LineageError, NoCatalogError
from dicom_assets.query.lineage import TracedTable, file_lineages, row_groups
from dicom_assets.query.lineage_holders import INSTANCE, UserTableAt
from dicom_assets.query.lineage_model import Holder, Lineage, RunLineage, RunTable
from dicom_assets.query.lineage_names import LEVELS, is_uid, nearest, spellings
from dicom_assets.query.sql_text import literal
from dicom_assets.tables import FILE_INDEX, KEY, PARTITION, RUN_ID, SOURCE

_SHORT_ID = 6
_LOOKED_AT = 2
"""Data files that are searched for a path like one that is not there."""


@dataclass(frozen=True)
class Asking:
    """One question; tables are opened when they are needed, once."""

    catalog: Catalog

    @cached_property
    def tables(self) -> tuple[TracedTable, ...]:
        """Tables of files, in the order data walks: those of extractors of one's own before the joined one."""
        return tuple(table for table in self._ours if table.declared.key == KEY)

    @cached_property
    def rollups(self) -> tuple[TracedTable, ...]:
        """Tables of series and studies."""
        return tuple(table for table in self._ours if table.declared.key != KEY)

    @cached_property
    def _ours(self) -> tuple[TracedTable, ...]:
        lake = self.catalog.lake
        found = lake.existing(DEFAULT_MODEL.tables)
        if not found:
            raise NoCatalogError(f"there is no catalog at {lake.root.rstrip('/')}/{lake.schema}")
        ordered = sorted(found, key=lambda table: (table.key != KEY, table.name == CATALOG_NAME))
        opened = ((table, lake.location(table)) for table in ordered)
        return tuple(TracedTable(location, self.catalog.open_table(location), table) for table, location in opened)

    @cached_property
    def user_tables(self) -> tuple[UserTableAt, ...]:
        """Other tables beside them; one that was not there at the time asked for is left out."""
        lake, ours = self.catalog.lake, {table.name for table in self._ours}
        return tuple(self._opened(sorted(lake.table_names() - ours)))

    def _opened(self, names: Iterable[str]) -> Iterator[UserTableAt]:
        for name in names:
            location = self.catalog.location(name)
            try:
                yield UserTableAt(name, location, self.catalog.open_table(location))
            except CatalogError:
                if self.catalog.as_of is None:
                    raise

    def lineage(self, asked: str) -> Lineage:
        """Answer for a path or a UID."""
        for path in (candidates := self.candidates(asked)):
            prefixes = {prefix for table in self.tables for prefix in table.rows([path])[PARTITION].to_pylist()}
            if prefixes:
                return self._of_files(asked, "path", [path], prefixes)
        if is_uid(asked):
            return self._of_uid(asked)
        raise LineageError(f"the catalog has no file {asked}{self.hint(candidates)}")

    def candidates(self, asked: str) -> list[str]:
        """Return the paths that may be meant, the most literal first."""
        index = next((table for table in self.tables if table.name == FILE_INDEX.name), None)
        properties = {} if index is None else index.delta.metadata().configuration
        return spellings(asked, properties.get(SOURCE))

    def hint(self, candidates: Sequence[str]) -> str:
        """Return a path that may be meant, from the data files whose paths are next to what was asked for."""
        table = self.tables[0]
        ordered = sorted(table.files, key=lambda file: file.first_key or "")
        starts = [file.first_key or "" for file in ordered]
        places = {max(0, bisect_right(starts, path) - 1) for path in candidates}
        files = [file for place in sorted(places) for file in ordered[place : place + _LOOKED_AT]]
        snapshot = Snapshot(table.location, table.table, table.delta.version(), tuple(dict.fromkeys(files)), {})
        near = nearest(candidates, snapshot.keys([])[KEY].to_pylist())
        return "" if near is None else f"; did you mean {near}?"

    def _of_uid(self, uid: str) -> Lineage:
        catalog = next((table for table in self.tables if table.name == CATALOG_NAME), None)
        columns = set() if catalog is None else {field.name for field in catalog.delta.schema().fields}
        for level in (level for level in LEVELS if level in columns):
            query = (
                f"SELECT DISTINCT {PARTITION}, {KEY} FROM {CATALOG_NAME} WHERE {level} = {literal(uid)} ORDER BY {KEY}"  # noqa: S608 - quoted
            )
            if found := self.catalog.sql(query).fetchall():
                prefixes, paths = {row[0] for row in found}, [row[1] for row in found]
                if level == INSTANCE:
                    return self._of_files(uid, level, paths, prefixes)
                rollups = [table for table in self.rollups if table.declared.key == level]
                groups = (*row_groups(self.tables, paths, prefixes), *row_groups(rollups, [uid], prefixes))
                return Lineage(uid, level, len(paths), (), groups, self._holders(paths, prefixes))
        raise LineageError(f"the catalog has no file, and no study, series or instance {uid}")

    def _of_files(self, asked: str, level: str, paths: Sequence[str], prefixes: Iterable[str]) -> Lineage:
        within = frozenset(prefixes)
        files = file_lineages(self.tables, paths, within)
        told = tuple(replace(file, held_by=self._holders([file.path], within)) for file in files)
        return Lineage(asked, level, len(told), told)

    def _holders(self, paths: Sequence[str], prefixes: Iterable[str]) -> tuple[Holder, ...]:
        if not self.user_tables:
            return ()
        instances: list[str] = []
        for table in self.tables:
            if table.name == CATALOG_NAME and INSTANCE in table.table.schema.names:
                values = table.rows(paths, prefixes, [INSTANCE])[INSTANCE].drop_null()
                instances = values.unique().to_pylist()
        found = (table.holder(paths, instances) for table in self.user_tables)
        return tuple(holder for holder in found if holder is not None)

    def of_run(self, asked: str, *, paths: bool) -> RunLineage:
        """Answer for a run."""
        every: tuple[TracedTable | UserTableAt, ...] = (*self._ours, *self.user_tables)
        logs = {table.name: CommitLog(table.location, table.delta.version()) for table in every}
        run_id = self._whole_id(asked, logs.values())
        told = []
        for table in self._ours:
            rows, held = self._rows_of_run(table, run_id, paths=paths)
            told.append(RunTable(table.name, logs[table.name].of_run(run_id), rows, held))
        told += [RunTable(table.name, logs[table.name].of_run(run_id), {}) for table in self.user_tables]
        found = tuple(table for table in told if table.commits or table.rows)
        if not found:
            raise LineageError(f"no table has a row or a commit of a run {asked}; logs are kept for 30 days or more")
        return RunLineage(run_id, found)

    def _whole_id(self, asked: str, logs: Iterable[CommitLog]) -> str:
        """Return the id of a run that begins as asked for: Dagster shows the first eight characters only."""
        if len(asked) < _SHORT_ID:
            raise LineageError(f"{asked!r} is no id of a run: give {_SHORT_ID} characters or more")
        ids = {commit.run_id for log in logs for commit in log if (commit.run_id or "").startswith(asked)}
        for table in self._ours if not ids else ():
            if _says_run(table):
                where = f"starts_with({RUN_ID.name}, {literal(asked)})"
                query = f"SELECT DISTINCT {RUN_ID.name} FROM {table.name} WHERE {where}"  # noqa: S608 - quoted
                ids |= {row[0] for row in self.catalog.sql(query).fetchall()}
        if len(ids) > 1 and asked not in ids:
            raise LineageError(f"{len(ids)} runs begin with {asked}: {', '.join(sorted(map(str, ids))[:5])}")
        return asked if asked in ids or not ids else str(ids.pop())

    def _rows_of_run(self, table: TracedTable, run_id: str, *, paths: bool) -> tuple[dict[str, int], tuple[str, ...]]:
        """Return how many rows of a run a table holds, by prefix, and their keys where they are wanted."""
        if not _says_run(table):
            return {}, ()
        where = f"FROM {table.name} WHERE {RUN_ID.name} = {literal(run_id)}"
        counts = self.catalog.sql(f"SELECT {PARTITION}, count(*) {where} GROUP BY 1 ORDER BY 1").fetchall()
        held = self.catalog.sql(f"SELECT {table.declared.key} {where} ORDER BY 1").fetchall() if paths else []
        return dict(counts), tuple(row[0] for row in held)


def _says_run(table: TracedTable) -> bool:
    return RUN_ID.name in pa.schema(table.delta.schema().to_arrow()).names

"""Where rows come from: for a path or a UID the rows of every table and who made them; for a run the rows that it left.

A row says itself which run made it (``run_id``, ``made_at``), which lasts through compaction, moves of the archive and
a shortened log. Which version of the table that was, the log tells as long as it does. Rows of older releases say
nothing; for them the log is asked who added their data file, and where that may only have rewritten it, the answer is
"this version or before".
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cached_property
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
from deltalake import DeltaTable

from dicom_assets.delta.files import DataFile, read_rows
from dicom_assets.delta.history import CommitLog
from dicom_assets.delta.layout import from_log
from dicom_assets.delta.location import TableLocation
from dicom_assets.delta.snapshot import FILE, live_files
from dicom_assets.extract.rollups import RollupTable
from dicom_assets.query.lineage_model import FileLineage, Made, RowGroup, RowLineage
from dicom_assets.tables import KEY, PARTITION, PROVENANCE, Table

_STATE = ("fingerprint", "extractor_version", "status", "removed_at", *(column.name for column in PROVENANCE))
REMOVED = "removed"


@dataclass(frozen=True)
class TracedTable:
    """One table of the catalog at one version, asked for the origin of its rows.

    Attributes
    ----------
    location, delta
        The table, and the version of it.
    declared
        What it should be; columns that it does not have yet are null.

    """

    location: TableLocation
    delta: DeltaTable
    declared: Table

    @property
    def name(self) -> str:
        """Its name."""
        return self.declared.name

    @cached_property
    def table(self) -> Table:
        """The table with all columns that tell origins, whatever release created it."""
        known = {column.name for column in self.declared}
        return Table(
            self.name,
            self.declared.description,
            (*self.declared.columns, *(column for column in PROVENANCE if column.name not in known)),
            self.declared.key,
        )

    @cached_property
    def log(self) -> CommitLog:
        """Its commits."""
        return CommitLog(self.location, self.delta.version())

    @cached_property
    def files(self) -> tuple[DataFile, ...]:
        """Its live data files."""
        return live_files(self.delta, key=self.declared.key)

    @cached_property
    def _written(self) -> Mapping[str, datetime]:
        """When data files were written, by their paths on storage."""
        actions = pa.table(self.delta.get_add_actions(flatten=True))
        times = (datetime.fromtimestamp(time / 1000, UTC) for time in actions["modification_time"].to_pylist())
        return dict(zip(map(from_log, actions["path"].to_pylist()), times, strict=True))

    def rows(self, keys: Sequence[str], prefixes: Iterable[str] | None = None, extra: Sequence[str] = ()) -> pa.Table:
        """Return the rows of some keys: key, what tells versions and origins, further columns, and data file.

        Parameters
        ----------
        keys
            Those wanted: paths, in most tables.
        prefixes
            Where they are, where that is known.
        extra
            Further columns, of those that the table has.

        """
        names = [*self.table.identity, *(name for name in (*_STATE, *extra) if name in self.table.schema.names)]
        schema = pa.schema([self.table.schema.field(name) for name in names]).append(pa.field(FILE, pa.string()))
        wanted, within = pa.array(sorted(keys), pa.string()), None if prefixes is None else frozenset(prefixes)
        batches = []
        if keys:
            filesystem, low, high = self.location.filesystem(), min(keys), max(keys)
            for file in self.files:
                if file.may_hold(low, high) and (within is None or file.prefix in within):
                    for batch in read_rows(filesystem, self.table, file, names, wanted):
                        place = pa.repeat(pa.scalar(file.path), batch.num_rows)
                        batches.append(pa.RecordBatch.from_arrays([*batch.columns, place], schema=schema))
        return pa.Table.from_batches(batches, schema)

    def made(self, row: Mapping[str, Any]) -> Made:
        """Return who made a row of :meth:`rows`."""
        run_id, made_at = row["run_id"], row["made_at"]
        if made_at is None:
            return brought(self.log, row[FILE], self._written[row[FILE]])
        commit = self.log.that_made(run_id, made_at)
        if commit is not None:
            return Made(run_id, made_at, commit.version, commit.at)
        return Made(run_id, made_at, not_after=_before(self.log))


def brought(log: CommitLog, file: str, written: datetime) -> Made:
    """Return who brought rows that do not say it, by the data file that holds them."""
    bringing = log.that_added(file, written)
    if bringing is None:
        return Made(not_after=_before(log))
    commit = bringing.commit
    if not bringing.made:
        return Made(not_after=commit.version)
    return Made(commit.run_id, commit.made_at, commit.version, commit.at)


def _before(log: CommitLog) -> int | None:
    """Return the newest version that the log does not tell of, ``None`` when it tells of all."""
    return log.oldest - 1 if log.oldest else None


def row_lineage(table: TracedTable, row: Mapping[str, Any]) -> RowLineage:
    """Return where a row of :meth:`TracedTable.rows` comes from."""
    gone = REMOVED if row.get("removed_at") is not None else None
    return RowLineage(
        table.name,
        row[PARTITION],
        row["fingerprint"],
        row.get("extractor_version"),
        row.get("status", gone),
        table.made(row),
    )


def file_lineages(tables: Sequence[TracedTable], paths: Sequence[str], prefixes: Iterable[str]) -> list[FileLineage]:
    """Return where the rows of some files come from; who holds them is left out."""
    rows: dict[str, list[RowLineage]] = {path: [] for path in paths}
    within = frozenset(prefixes)
    for table in tables:
        for row in table.rows(paths, within).to_pylist():
            rows[row[KEY]].append(row_lineage(table, row))
    names = [table.name for table in tables]
    return [
        FileLineage(path, tuple(found), tuple(name for name in names if name not in {row.table for row in found}), ())
        for path, found in rows.items()
    ]


def row_groups(tables: Sequence[TracedTable], keys: Sequence[str], prefixes: Iterable[str]) -> list[RowGroup]:
    """Return the rows of some keys, counted by table and origin."""
    within = frozenset(prefixes)
    return [group for table in tables for group in _groups(table, table.rows(keys, within))]


def _groups(table: TracedTable, rows: pa.Table) -> list[RowGroup]:
    said = [name for name in ("extractor_version", "run_id", "made_at") if name in rows.column_names]
    silent = pc.is_null(rows["made_at"])
    # Rows that do not say who made them are told apart by their data files.
    by = rows.set_column(rows.schema.get_field_index(FILE), FILE, pc.if_else(silent, rows[FILE], ""))
    counts: Counter[tuple[str | None, Made]] = Counter()
    for group in by.group_by([*said, FILE]).aggregate([([], "count_all")]).to_pylist():
        counts[_of_code(table.declared, group.get("extractor_version")), table.made(group)] += group["count_all"]
    ordered = sorted(counts.items(), key=lambda entry: (entry[0][1].version or -1, str(entry[0])))
    return [RowGroup(table.name, version, made, count) for (version, made), count in ordered]


def _of_code(table: Table, version: str | None) -> str | None:
    """Return the version of the code: that of a rollup goes on with a digest of its members, each row's own."""
    return version.partition(" ")[0] if version is not None and isinstance(table, RollupTable) else version

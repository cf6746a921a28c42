"""What is in a lake: its tables and how much they hold, the runs that wrote them last, and what is not well."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from itertools import islice

import pyarrow as pa
from deltalake import DeltaTable
from pyarrow.fs import FileSelector, FileSystem

from dicom_assets.archive.sources import read
from dicom_assets.delta.history import Commit, CommitLog
from dicom_assets.delta.lake import CATALOG_TABLE
from dicom_assets.extract.model import CATALOG_NAME, DEFAULT_MODEL
from dicom_assets.extract.status import CatalogStatus
from dicom_assets.query.database import Catalog
from dicom_assets.query.errors import CatalogError
from dicom_assets.query.fetching import fetch
from dicom_assets.query.vocabulary import quoted
from dicom_assets.storage.retries import retry_listing
from dicom_assets.tables import FILE_INDEX, SOURCE

_OURS = frozenset(table.name for table in DEFAULT_MODEL.tables)
_KEYS = {table.name: table.key for table in DEFAULT_MODEL.rollups}
_STATUS = "status"
_FINE = (CatalogStatus.OK, CatalogStatus.NO_IMAGE, CatalogStatus.NOT_DICOM)
_COMMITS = 50
"""Of each table that are looked at for its last runs."""
_RUNS = 5
_PROBLEMS = 10


@dataclass(frozen=True, slots=True)
class TableState:
    """One table, at its present version.

    Attributes
    ----------
    name
        Its name.
    of_catalog
        Whether it belongs to the catalog, rather than to a user.
    version, committed_at
        Of its last commit, as long as the log tells of one.
    rows
        ``None`` where a data file of a stranger does not tell.
    entities
        Series or studies that the rows are of, which have one in each prefix with files of theirs; ``None`` for tables
        of files and of users.
    files, bytes
        Data files of the present version.
    stored_bytes
        All that is on storage: older versions and the log, too.
    statuses
        Number of rows of each status, the most frequent first; empty for tables without.
    error
        Why it cannot be read, ``None`` where it can.

    """

    name: str
    of_catalog: bool = False
    version: int | None = None
    committed_at: datetime | None = None
    rows: int | None = None
    entities: int | None = None
    files: int = 0
    bytes: int = 0
    stored_bytes: int = 0
    statuses: dict[str, int] = field(default_factory=dict)
    error: str | None = None


@dataclass(frozen=True, slots=True)
class RunState:
    """One of the last runs.

    Attributes
    ----------
    run_id
        Of Dagster, or of an update without it.
    at
        When it committed last.
    rows_made
        Number of rows that it made, by table.
    rows_removed
        Number of rows that it took out of all tables.

    """

    run_id: str
    at: datetime
    rows_made: dict[str, int]
    rows_removed: int


@dataclass(frozen=True, slots=True)
class Problem:
    """Files that are not well, for one reason."""

    status: str
    error: str | None
    files: int


@dataclass(frozen=True, slots=True)
class LakeState:
    """What is in a catalog.

    Attributes
    ----------
    uri, source
        Where the tables are, and the archive that they follow; ``None`` where they do not say.
    tables
        In the order data walks, those of users last.
    runs
        The last ones, newest first.
    problems
        The most frequent ones.

    """

    uri: str
    source: str | None
    tables: tuple[TableState, ...]
    runs: tuple[RunState, ...]
    problems: tuple[Problem, ...]


def lake_state(catalog: Catalog) -> LakeState:
    """Look at a lake; raises :class:`NoCatalogError` where there is no table."""
    states, logs, source = [], {}, None
    for name in catalog.tables():
        location = catalog.location(name)
        try:
            delta = catalog.open_table(location)
            logs[name] = tuple(islice(CommitLog(location, delta.version()), _COMMITS))
            states.append(_state(catalog, name, delta, logs[name][:1], location.filesystem()))
        except CatalogError as error:
            states.append(TableState(name, error=str(error)))
            continue
        properties = delta.metadata().configuration
        if name == FILE_INDEX.name and SOURCE in properties:
            source = read(properties[SOURCE])
    there = {state.name for state in states if state.error is None}
    problems = _problems(catalog) if CATALOG_NAME in there else ()
    uri = f"{catalog.lake.root.rstrip('/')}/{catalog.lake.schema}"
    return LakeState(uri, source, tuple(states), _runs(logs), problems)


def _state(
    catalog: Catalog, name: str, delta: DeltaTable, newest: Sequence[Commit], filesystem: FileSystem
) -> TableState:
    actions = pa.table(delta.get_add_actions(flatten=True))
    rows = actions["num_records"].to_pylist() if "num_records" in actions.column_names else [None] * actions.num_rows
    properties = delta.metadata().configuration
    columns = {column.name for column in delta.schema().fields}
    stored = retry_listing(lambda: filesystem.get_file_info(FileSelector("", recursive=True)))
    return TableState(
        name,
        name in _OURS or properties.get(CATALOG_TABLE) == "true",
        delta.version(),
        newest[0].at if newest else None,
        None if None in rows else sum(rows),
        _entities(catalog, name) if _KEYS.get(name) in columns else None,
        actions.num_rows,
        sum(actions["size_bytes"].to_pylist()),
        sum(entry.size or 0 for entry in stored),
        _statuses(catalog, name) if _STATUS in columns else {},
    )


def _entities(catalog: Catalog, name: str) -> int:
    [counted] = fetch(catalog, f"SELECT count(DISTINCT {quoted(_KEYS[name])}) AS entities FROM {quoted(name)}")  # noqa: S608 - quoted
    return int(counted["entities"])


def _statuses(catalog: Catalog, name: str) -> dict[str, int]:
    query = f"SELECT coalesce({_STATUS}::VARCHAR, '') AS status, count(*) AS rows FROM {quoted(name)} GROUP BY 1"  # noqa: S608 - quoted
    rows = sorted(fetch(catalog, query), key=lambda row: (-row["rows"], row["status"]))
    return {row["status"]: row["rows"] for row in rows}


def _runs(logs: dict[str, tuple[Commit, ...]]) -> tuple[RunState, ...]:
    """Return the runs that committed last, over all tables."""
    runs: dict[str, list[tuple[str, Commit]]] = {}
    for name, commits in logs.items():
        for commit in commits:
            if commit.run_id is not None:
                runs.setdefault(commit.run_id, []).append((name, commit))
    told = (_run(run_id, commits) for run_id, commits in runs.items())
    return tuple(sorted(told, key=lambda run: run.at, reverse=True)[:_RUNS])


def _run(run_id: str, commits: Iterable[tuple[str, Commit]]) -> RunState:
    made: dict[str, int] = {}
    removed, at = 0, []
    for name, commit in commits:
        made[name] = made.get(name, 0) + (commit.rows_made or 0)
        removed += commit.rows_removed or 0
        at.append(commit.at)
    return RunState(run_id, max(at), made, removed)


def _problems(catalog: Catalog) -> tuple[Problem, ...]:
    fine = ", ".join(f"'{status}'" for status in _FINE)
    query = (
        f"SELECT {_STATUS}, error, count(*) AS files FROM {CATALOG_NAME} WHERE {_STATUS} NOT IN ({fine}) "  # noqa: S608
        f"GROUP BY ALL ORDER BY 3 DESC, 1, 2 LIMIT {_PROBLEMS}"
    )
    return tuple(Problem(**row) for row in fetch(catalog, query))

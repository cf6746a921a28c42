"""Whether ``object_catalog`` is the join of its parents: in SQL for people, by the code of the join for the check.

Versions and states are compared, key by key; the headers themselves are not read.
"""

from collections.abc import Iterator, Mapping
from dataclasses import replace

import pyarrow as pa
import pyarrow.compute as pc

from dicom_assets.checks.check import Measured, Scope, Severity
from dicom_assets.checks.statements import listed, within
from dicom_assets.delta.snapshot import Snapshot
from dicom_assets.extract.extractor import ExtractedTable
from dicom_assets.extract.model import CatalogModel
from dicom_assets.extract.status import ABSENT, CHANGED, CatalogStatus, PartState, summarize
from dicom_assets.pipeline.difference import count_by_prefix
from dicom_assets.pipeline.join import VERSION, catalog_versions
from dicom_assets.query.sql_text import identifier, literal
from dicom_assets.tables import FILE_INDEX, KEY, PARTITION

BEHIND, OTHER_STATE = "rows behind their parents", "rows of another status than their parents"
_STATE = ("fingerprint", "extractor_version")
_ROWS_AT_ONCE = 20_000


def measure_parents(scope: Scope) -> Measured:
    """Count the rows of the catalog that are not what a join of its parents would give now.

    A row that is behind waits for a run, or one is under way; a row of the due version and another status is wrong.
    """
    model = scope.model
    catalog = scope.lake.snapshot(model.catalog, scope.prefixes)
    parts = {table.name: scope.lake.snapshot(table, scope.prefixes) for table in model.extracted}
    index = scope.lake.snapshot(FILE_INDEX, scope.prefixes)
    behind: dict[str, int] = {}
    wrong: dict[str, int] = {}
    looked_at = 0
    for prefixes in _groups(catalog):
        held = _held(model, catalog, prefixes)
        due = _due(model, index, parts, prefixes)
        looked_at += held.num_rows
        joined = _beside(held, due)
        late = _differ(joined, _STATE)
        behind |= count_by_prefix(joined.filter(late))
        states = ("status", *(table.status_column for table in model.extracted))
        wrong |= count_by_prefix(joined.filter(pc.and_(pc.invert(late), _differ(joined, states))))
    kinds = {BEHIND: sum(behind.values()), OTHER_STATE: sum(wrong.values())}
    severity = Severity.ERROR if wrong else Severity.WARN
    return Measured(sum(kinds.values()), looked_at, kinds, sorted({*behind, *wrong}), severity=severity)


def _groups(catalog: Snapshot) -> Iterator[frozenset[str]]:
    """Yield the prefixes of the catalog in groups of so many rows that they fit into memory."""
    group: set[str] = set()
    rows = 0
    for file in catalog.files:
        if file.prefix not in group and rows >= _ROWS_AT_ONCE:
            yield frozenset(group)
            group, rows = set(), 0
        group.add(file.prefix)
        rows += file.rows or 0
    if group:
        yield frozenset(group)


def _beside(held: pa.Table, due: pa.Table) -> pa.Table:
    """Return the rows held that are due at all, with what is due of them: many times as fast as a join."""
    places = pc.index_in(held[KEY], due[KEY].combine_chunks())
    known = pc.is_valid(places)
    other = due.drop_columns([KEY]).take(places.filter(known).combine_chunks())
    mine = held.filter(known)
    return pa.table([*mine.columns, *other.columns], names=[*mine.column_names, *other.column_names])


def _rows(snapshot: Snapshot, prefixes: frozenset[str], *columns: str) -> pa.Table:
    some = replace(snapshot, files=tuple(file for file in snapshot.files if file.prefix in prefixes))
    names = [PARTITION, KEY, *columns]
    schema = pa.schema([snapshot.table.schema.field(name) for name in names])
    return pa.Table.from_batches([batch for _, batch in some.rows(names)], schema)


def _held(model: CatalogModel, catalog: Snapshot, prefixes: frozenset[str]) -> pa.Table:
    return _rows(catalog, prefixes, *_STATE, "status", *(table.status_column for table in model.extracted))


def _due(model: CatalogModel, index: Snapshot, parts: Mapping[str, Snapshot], prefixes: frozenset[str]) -> pa.Table:
    """Return key, version and states that the rows of some prefixes should have, each named ``due.<column>``."""
    derived = {name: _rows(part, prefixes, *_STATE, "status", "error") for name, part in parts.items()}
    due = catalog_versions(model, _rows(index, prefixes, "fingerprint", "removed_at"), derived)
    columns = {KEY: due[KEY], **{f"due.{name}": due[name] for name in _STATE}}
    paths, seen = due[KEY].combine_chunks(), []
    for table in model.extracted:
        rows = derived[table.name]
        found = rows.take(pc.index_in(paths, rows[KEY].combine_chunks()))
        unread = pc.and_(pc.is_valid(found[KEY]), pc.is_null(found["fingerprint"]))
        counts = pc.or_(unread, pc.fill_null(pc.equal(found["fingerprint"], due["fingerprint"]), fill_value=False))
        status = pc.if_else(counts, found["status"], pa.scalar(None, pa.string()))
        columns[f"due.{table.status_column}"] = status
        changed = pc.and_(counts, pc.fill_null(pc.equal(found["error"], CHANGED), fill_value=False))
        seen += [status, unread, changed]
    columns["due.status"] = _summaries(model, seen, due.num_rows)
    return pa.table(columns)


def _summaries(model: CatalogModel, seen: list[pa.ChunkedArray], rows: int) -> pa.Array:
    """Return the status of each row as the join tells it; what parts say is alike for most of them."""
    if not seen:
        return pa.repeat(str(summarize(())[0]), rows)
    names = [str(number) for number in range(len(seen))]
    said = pa.table(dict(zip(names, seen, strict=True)))
    distinct = said.group_by(names).aggregate([])
    marks = pc.binary_join_element_wise(*(pc.fill_null(pc.cast(said[n], pa.string()), "") for n in names), "\n")
    known = pc.binary_join_element_wise(*(pc.fill_null(pc.cast(distinct[n], pa.string()), "") for n in names), "\n")
    states = [_summary(model.extracted, list(row.values())) for row in distinct.select(names).to_pylist()]
    return pa.array(states, pa.string()).take(pc.index_in(marks, known.combine_chunks()).combine_chunks())


def _summary(tables: tuple[ExtractedTable, ...], said: list[str | bool | None]) -> str:
    parts = []
    for place, table in enumerate(tables):
        status, unread, changed = said[3 * place : 3 * place + 3]
        known = isinstance(status, str) and status in table.meanings
        state = PartState(table.meanings[str(status)], CHANGED if changed else None, bool(unread)) if known else ABSENT
        parts.append(state)
    return str(summarize(parts)[0])


def _differ(joined: pa.Table, names: tuple[str, ...]) -> pa.ChunkedArray:
    """Return whether any of some columns is not the one that is due; null equals null."""
    differs = None
    for name in names:
        mine, due = joined[name], joined[f"due.{name}"]
        either = pc.fill_null(pc.not_equal(mine, due), fill_value=False)
        either = pc.or_(either, pc.xor(pc.is_null(mine), pc.is_null(due)))
        differs = either if differs is None else pc.or_(differs, either)
    return differs


def unlike_parents(model: CatalogModel, scope: Scope) -> str:
    """List the rows of the catalog that are not what a join of its parents would give now."""
    here, names = within(scope), [identifier(table.name) for table in model.extracted]
    parts = [f"LEFT JOIN (FROM {name} WHERE {here}) AS {name} ON {name}.{KEY} = c.{KEY}" for name in names]
    states = "".join(f"{_state(identifier(table.name))} AS {table.name}_due, " for table in model.extracted)
    differs = " OR ".join(
        ["status IS DISTINCT FROM status_due"]
        + [f"{identifier(table.status_column)} IS DISTINCT FROM {table.name}_due" for table in model.extracted]
    )
    columns = "".join(f"c.{identifier(table.status_column)}, " for table in model.extracted)
    return (
        f"SELECT * FROM (SELECT *, CASE WHEN version IS DISTINCT FROM version_due THEN {literal(BEHIND)} "  # noqa: S608
        f"WHEN {differs} THEN {literal(OTHER_STATE)} END AS what FROM (\n"
        f"SELECT c.{PARTITION}, c.{KEY}, c.status, {columns}{states}\n{_status(model)} AS status_due,\n"
        f"c.fingerprint || ' ' || c.extractor_version AS version,\n"
        f"file_index.fingerprint || ' ' || {_version(model)} AS version_due\n"
        f"FROM (FROM {model.catalog.name} WHERE {here}) AS c\n"
        f"JOIN (FROM {FILE_INDEX.name} WHERE {here}) AS file_index ON file_index.{KEY} = c.{KEY}\n"
        + "\n".join(parts)
        + ")) WHERE what IS NOT NULL"
    )


def _counts(name: str) -> str:
    """Return whether the row of a part counts, in SQL."""
    return f"{name}.fingerprint IS NULL OR {name}.fingerprint = file_index.fingerprint"


def _state(name: str) -> str:
    return f"CASE WHEN {_counts(name)} THEN {name}.status END"


def _version(model: CatalogModel) -> str:
    """Return the version that is due, in SQL, as :func:`catalog_versions` names it."""
    parts = [
        f"coalesce(CASE WHEN {name}.{KEY} IS NULL THEN '-' "
        f"WHEN {name}.fingerprint IS NULL THEN {name}.extractor_version || '?' "
        f"WHEN {name}.fingerprint = file_index.fingerprint THEN {name}.extractor_version END, '-')"
        for name in (identifier(table.name) for table in model.extracted)
    ]
    removed = "CASE WHEN file_index.removed_at IS NULL THEN '' ELSE ' removed' END"
    return " || ".join([literal(f"{VERSION} "), " || ' ' || ".join(parts), removed]) if parts else removed


def _status(model: CatalogModel) -> str:
    """Return the status that is due, in SQL, as :func:`summarize` tells it."""
    order = list(CatalogStatus)
    ranks, unread, changed = ["0"], [], []
    for table in model.extracted:
        name = identifier(table.name)
        states = " ".join(f"WHEN {literal(state)} THEN {order.index(means)}" for state, means in table.meanings.items())
        ranks.append(f"CASE {_state(name)} {states} ELSE {order.index(CatalogStatus.PENDING)} END")
        unread.append(f"({name}.{KEY} IS NOT NULL AND {name}.fingerprint IS NULL)")
        changed.append(f"(({_counts(name)}) AND {name}.error = {literal(CHANGED)})")
    if not unread:
        return literal(str(CatalogStatus.OK))
    worst = f"[{listed(map(str, order))}][1 + greatest({', '.join(ranks)})]"
    pending, unreadable = literal(str(CatalogStatus.PENDING)), literal(str(CatalogStatus.UNREADABLE))
    return (
        f"CASE WHEN {' OR '.join(f'coalesce({c}, false)' for c in changed)} THEN {pending} "
        f"WHEN ({' OR '.join(unread)}) AND {worst} <> {pending} THEN {unreadable} ELSE {worst} END"
    )

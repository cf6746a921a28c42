"""Measuring checks: those that are SQL in one query for a run of a table, the others one by one."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace

from dicom_assets.checks.answer import answer
from dicom_assets.checks.check import Check, Measured, Outcome, Scope
from dicom_assets.checks.declared import SCHEMA
from dicom_assets.checks.statements import within
from dicom_assets.query.sql_text import identifier, literal
from dicom_assets.tables import PARTITION, Table

_NAMED_PREFIXES = 20
"""The most prefixes that the SQL of an outcome names; of more, it lists the cases of all."""

_Row = tuple[str, str | None, str | None, str | None, int]
"""Check, kind of cases, the prefixes that they are in and reach into, and how many they are."""


def look(checks: Sequence[Check], scope: Scope) -> Iterator[Outcome]:
    """Yield the outcomes of checks of one table, in their order.

    Where a table is missing, that is all there is to say: its other checks, and those that compare it, are left out.
    Tables of files are compared with one another, and rollups with them; a lake of an earlier release has no rollups.

    Raises
    ------
    CatalogError
        A table cannot be read.

    """
    missing = [table for table in scope.model.tables if not scope.lake.location(table).exists()]
    rollups = scope.model.rollups
    feasible = [
        check
        for check in checks
        if check.name == SCHEMA or all(table in rollups and table != check.table for table in missing)
    ]
    counted = _counted([check for check in feasible if check.measure is None], scope)
    for check in feasible:
        measured = counted[check.name] if check.measure is None else check.measure(scope)
        yield Outcome(check, measured, measured.sql or check.statement(shown_scope(scope)))


def shown_scope(scope: Scope) -> Scope:
    """Return the scope that people are shown SQL for: short enough to read, and to copy from a terminal."""
    names = scope.prefixes
    if names is None or (len(names) <= _NAMED_PREFIXES and all(name.isprintable() for name in names)):
        return scope
    return replace(scope, prefixes=None)


def _counted(checks: Sequence[Check], scope: Scope) -> Mapping[str, Measured]:
    """Return what the SQL of some checks of one table finds."""
    if scope.prefixes is None and len(checks) > 1:
        # One after the other: over all prefixes, what several of them keep in memory is what counts.
        return {name: found for check in checks for name, found in _counted([check], scope).items()}
    if not checks:
        return {}
    rows: list[_Row] = answer(_counting(checks[0].table, checks, scope), scope)
    looked_at = sum(count for name, *_, count in rows if not name)
    return {check.name: _measured([row for row in rows if row[0] == check.name], looked_at) for check in checks}


def _counting(table: Table, checks: Iterable[Check], scope: Scope) -> str:
    parts = [f"SELECT '', NULL, NULL, NULL, count(*) FROM {identifier(table.name)} WHERE {within(scope)}"]  # noqa: S608 - our own names
    for check in checks:
        kind = check.kind or "NULL"
        parts.append(
            f"SELECT {literal(check.name)}, {kind}, {PARTITION}, {check.reaches}, count(*) "  # noqa: S608 - our own names
            f"FROM ({check.statement(scope)}) GROUP BY ALL"
        )
    return _read_once(table, scope) + "\nUNION ALL\n".join(parts)


def _read_once(table: Table, scope: Scope) -> str:
    """Return what lets the statements of a query share one pass over a table, in which the columns are read that count.

    The rows of some prefixes are kept for that, and spilled where they do not fit. Of all, they would be the table.
    """
    if scope.prefixes is None:
        return ""
    name = identifier(table.name)
    return f"WITH {name} AS MATERIALIZED (FROM temp.{name} WHERE {within(scope)})\n"


def _measured(rows: Sequence[_Row], looked_at: int) -> Measured:
    kinds: Counter[str] = Counter()
    for _, kind, _, _, count in rows:
        if kind is not None:
            kinds[kind] += count
    found = sum(count for *_, count in rows)
    places = {prefix for _, _, first, last, _ in rows for prefix in (first, last) if prefix is not None}
    return Measured(found, looked_at, dict(sorted(kinds.items())), sorted(places))

"""``dicom-assets check``: all checks of the tables, for people and scripts without the Dagster UI."""

import json
import sys
from collections.abc import Sequence
from typing import Any

from rich import box
from rich.console import Console
from rich.table import Table as Grid
from rich.text import Text

from dicom_assets.checks.check import Outcome, Severity
from dicom_assets.query.visible import visible

_SHOWN_PREFIXES = 5
_STYLES = {"passed": "green", Severity.WARN: "yellow", Severity.ERROR: "red"}
_WIDE = 200
"""Columns of a table that does not go to a terminal: nothing needs to be wrapped there."""


def print_report(outcomes: Sequence[Outcome]) -> None:
    """Print a table of the checks, and for each that failed where, and the SQL that lists the cases."""
    terminal = sys.stdout.isatty()
    console = Console(highlight=False, width=None if terminal else _WIDE)
    grid = Grid(box=box.SIMPLE_HEAD, pad_edge=False, show_edge=False, header_style="bold")
    for title in ("check", "table", "outcome", "found", "bound"):
        grid.add_column(title, justify="right" if title in ("found", "bound") else "left")
    for outcome in outcomes:
        said = result_of(outcome)
        cells = (outcome.check.name, outcome.check.table.name, said, outcome.found_text, outcome.bound_text)
        grid.add_row(*(Text(visible(cell), style=_STYLES[said] if cell is said else "") for cell in cells))
    console.print(grid)
    failed = [outcome for outcome in outcomes if not outcome.passed]
    for outcome in failed:
        console.print()
        for line in _details(outcome):
            console.print(Text(visible(line)), soft_wrap=True)
    console.print()
    warnings = sum(outcome.severity is Severity.WARN for outcome in failed)
    passed = len(outcomes) - len(failed)
    console.print(f"{passed} passed, {warnings} warnings, {len(failed) - warnings} errors")


def result_of(outcome: Outcome) -> str:
    """Return how a check went, in one word."""
    return "passed" if outcome.passed else outcome.severity


def _details(outcome: Outcome) -> list[str]:
    check, measured = outcome.check, outcome.measured
    lines = [f"{outcome.severity}: {check.name} of {check.table.name}: {check.description}"]
    lines += [f"  {kind}: {count:,}" for kind, count in measured.kinds.items() if count]
    lines += [f"  {difference}" for difference in measured.differences]
    if measured.prefixes:
        more = len(measured.prefixes) - _SHOWN_PREFIXES
        shown = ", ".join(measured.prefixes[:_SHOWN_PREFIXES])
        lines.append(f"  in: {shown}{f' and {more} more' if more > 0 else ''}")
    return [*lines, *outcome.sql.splitlines()]


def as_json(outcomes: Sequence[Outcome]) -> str:
    """Return the outcomes for programs; in ASCII, so that it may go to a terminal as well."""
    return json.dumps([_fields(outcome) for outcome in outcomes], indent=2)


def _fields(outcome: Outcome) -> dict[str, Any]:
    check, measured = outcome.check, outcome.measured
    return {
        "check": check.name,
        "table": check.table.name,
        "description": check.description,
        "passed": outcome.passed,
        "severity": outcome.severity,
        "blocking": check.blocking,
        "found": measured.found,
        "looked_at": measured.looked_at,
        "bound": check.bound,
        "unit": check.unit,
        "kinds": dict(measured.kinds),
        "differences": list(measured.differences),
        "prefixes": list(measured.prefixes),
        "sql": outcome.sql,
    }

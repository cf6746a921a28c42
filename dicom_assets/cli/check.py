"""``dicom-assets check``: all checks of the tables, for people and scripts without the Dagster UI."""

import json
import sys
from collections.abc import Sequence
from datetime import timedelta
from typing import Annotated, Any

import typer
from rich import box
from rich.console import Console
from rich.table import Table as Grid
from rich.text import Text

from dicom_assets.checks.check import Outcome, Severity
from dicom_assets.checks.options import Bounds, CheckOptions
from dicom_assets.checks.report import check_catalog
from dicom_assets.cli.errors import clear_errors
from dicom_assets.cli.options import Json, LakeOption, Schema
from dicom_assets.delta.lake import Lake
from dicom_assets.extract.installed import installed_extractors
from dicom_assets.extract.model import CatalogModel
from dicom_assets.query.visible import visible

_SHOWN_PREFIXES = 5
_STYLES = {"passed": "green", Severity.WARN: "yellow", Severity.ERROR: "red"}
_WIDE = 200
"""Columns of a table that does not go to a terminal: nothing needs to be wrapped there."""


def check(  # noqa: PLR0913, PLR0917 - the options of the command
    lake: LakeOption,
    schema: Schema = "dicom",
    prefix: Annotated[
        list[str] | None, typer.Option("--prefix", help="Only this partition; may be given several times.")
    ] = None,
    errors: Annotated[
        float, typer.Option("--errors", min=0, max=1, help="Share of rows that may have the status error.")
    ] = 0.01,
    damaged: Annotated[
        float, typer.Option("--damaged", min=0, max=1, help="Share of rows that may be truncated or partial.")
    ] = 0.05,
    newest_hours: Annotated[
        float | None,
        typer.Option("--newest-hours", help="How old the newest file may be; by default, that is not checked."),
    ] = None,
    tolerate_warnings: Annotated[
        bool, typer.Option("--tolerate-warnings", help="Exit with 0 where nothing but warnings was found.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Check the tables: what is promised of them, what was found, and the SQL that lists the cases.

    Exits with 0 when all checks passed, 1 when one failed, warnings included, and 2 when nothing could be checked.
    """
    with clear_errors():
        newest = None if newest_hours is None else timedelta(hours=newest_hours)
        options = CheckOptions(Bounds(errors, damaged), newest_file=newest)
        model = CatalogModel(installed_extractors())
        outcomes = check_catalog(Lake(lake, schema), prefix, model, options)
    if as_json:
        typer.echo(_as_json(outcomes))
    else:
        _print_report(outcomes)
    if not all(outcome.passed or (tolerate_warnings and outcome.severity == "warning") for outcome in outcomes):
        raise typer.Exit(1)


def _print_report(outcomes: Sequence[Outcome]) -> None:
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


def _as_json(outcomes: Sequence[Outcome]) -> str:
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

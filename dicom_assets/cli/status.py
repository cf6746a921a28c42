"""``dicom-assets status``: what is in a lake, what was done to it last, and whether it follows its archive."""

import dataclasses
import sys
from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Annotated

import typer
from rich import box
from rich.console import Console, RenderableType
from rich.table import Table as Grid
from rich.text import Text

from dicom_assets.cli.destination import write_document
from dicom_assets.cli.errors import clear_errors, stderr
from dicom_assets.cli.options import Containers, Json, LakeOption, Schema
from dicom_assets.query.labels import file_size
from dicom_assets.query.visible import visible

if TYPE_CHECKING:
    from dicom_assets.pipeline.lag import Lag
    from dicom_assets.query.lake_state import LakeState, TableState

_SHOWN = 10
_FILE_WIDTH = 200
_TIME = "%Y-%m-%d %H:%M"


def status(
    lake: LakeOption,
    schema: Schema = "dicom",
    source: Annotated[
        str | None, typer.Option("--source", help="List this archive, and tell how far the catalog lags behind it.")
    ] = None,
    containers: Containers = True,
    json: Json = False,
) -> None:
    """Tell what is in the lake: tables, versions, rows by status, sizes, the last runs, and what is not well."""
    from dicom_assets.query.lake_state import lake_state
    from dicom_assets.query.opening import open_catalog

    with clear_errors():
        state = lake_state(open_catalog(lake, schema))
        lag = None if source is None else _lag(lake, schema, source, containers=containers)
    if json:
        write_document({**dataclasses.asdict(state), "lag": _lag_fields(lag)})
        return
    console = Console(highlight=False, width=None if sys.stdout.isatty() else _FILE_WIDTH)
    for part in _parts(state, lag):
        console.print(part, soft_wrap=isinstance(part, Text))


def _lag(lake: str, schema: str, source: str, *, containers: bool) -> "Lag":
    """Compare a catalog with its archive."""
    from dicom_assets.archive.opening import open_archive
    from dicom_assets.delta.lake import Lake
    from dicom_assets.extract.installed import installed_extractors
    from dicom_assets.extract.model import CatalogModel
    from dicom_assets.pipeline.lag import cut_of, find_lag

    tables = Lake(lake, schema)
    archive = open_archive(source, cut_of(tables), lake=tables.root, containers=containers)
    with stderr.status("Listing the archive..."):
        return find_lag(tables, archive, CatalogModel(installed_extractors()))


def _lag_fields(lag: "Lag | None") -> Mapping[str, object] | None:
    if lag is None:
        return None
    return {**dataclasses.asdict(lag), "new": lag.new, "changed": lag.changed, "gone": lag.gone}


def _parts(state: "LakeState", lag: "Lag | None") -> Iterator[RenderableType]:
    """Yield what is shown."""
    yield Text(visible(f"Tables: {state.uri}"))
    if state.source is not None:
        yield Text(visible(f"Source: {state.source}"))
    yield Text()
    yield _tables(state.tables)
    yield from (Text(visible(f"{table.name}: {table.error}"), style="red") for table in state.tables if table.error)
    yield from (Text(visible(_spread(table))) for table in state.tables if table.entities not in {None, table.rows})
    if any(table.statuses for table in state.tables):
        yield Text("\nRows by status", style="bold")
        yield from (Text(_statuses(table)) for table in state.tables if table.statuses)
    if state.runs:
        yield Text("\nLast runs", style="bold")
        for run in state.runs:
            made = ", ".join(f"{name} {rows:,}" for name, rows in run.rows_made.items() if rows)
            removed = f"; {run.rows_removed:,} rows removed" if run.rows_removed else ""
            yield Text(visible(f"{_time(run.at)}  {_short(run.run_id)}  {made or 'no rows made'}{removed}"))
    if state.problems:
        yield Text("\nProblems", style="bold")
        for problem in state.problems:
            yield Text(visible(f"{problem.files:>9,}  {problem.status}: {problem.error or 'no reason is given'}"))
    if lag is not None:
        yield Text("\nBehind the archive", style="bold")
        yield from (Text(visible(line)) for line in _lag_lines(lag))


def _tables(tables: "tuple[TableState, ...]") -> Grid:
    grid = Grid(box=box.SIMPLE_HEAD, pad_edge=False, show_edge=False, header_style="bold")
    grid.add_column("table", no_wrap=True)
    for title in ("version", "committed", "rows", "files", "size", "stored"):
        grid.add_column(title, justify="right", no_wrap=True)
    for table in tables:
        rows = "?" if table.rows is None else f"{table.rows:,}"
        sizes = (file_size(table.bytes), file_size(table.stored_bytes))
        cells = ("unreadable",) if table.error else (str(table.version), _time(table.committed_at), rows)
        more = () if table.error else (f"{table.files:,}", *sizes)
        grid.add_row(*(Text(visible(cell)) for cell in (table.name, *cells, *more)))
    return grid


def _spread(table: "TableState") -> str:
    """Return how many series or studies there are, where some have rows in several prefixes."""
    return f"{table.name}: {table.entities:,} in {table.rows or 0:,} rows, one for each prefix that has files of it"


def _statuses(table: "TableState") -> str:
    counts = "  ".join(f"{status or 'none'} {rows:,}" for status, rows in table.statuses.items())
    return visible(f"{table.name:16}  {counts}")


def _lag_lines(lag: "Lag") -> Iterator[str]:
    """Yield how far a catalog lags behind."""
    if not lag.behind and not lag.unlisted:
        yield f"Nothing: all {lag.prefixes:,} prefixes are as they are listed."
        return
    files = f"{lag.new:,} new, {lag.changed:,} changed, {lag.gone:,} gone"
    yield f"{len(lag.behind):,} of {lag.prefixes:,} prefixes, with files {files}"
    for one in lag.behind[:_SHOWN]:
        reason = f"; {one.reason}" if one.reason else ""
        yield f"{one.prefix}: {one.status}, {one.new:,} new, {one.changed:,} changed, {one.gone:,} gone{reason}"
    if len(lag.behind) > _SHOWN:
        yield f"... and {len(lag.behind) - _SHOWN:,} more; --json lists all"
    yield from (f"Not listed whole: {reason}" for reason in lag.unlisted)


def _time(moment: datetime | None) -> str:
    return "" if moment is None else f"{moment:{_TIME}}"


def _short(run_id: str) -> str:
    """Return as much of the id of a run as tells it from others, which is as much as `lineage --run` needs."""
    kind, dash, number = run_id.partition("update-")
    return f"{dash}{(number or kind)[:8]}"

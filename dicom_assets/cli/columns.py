"""``dicom-assets columns``: the columns of one's own that a catalog has."""

import time
from collections.abc import Sequence
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table as Grid

from dicom_assets.cli.errors import clear_errors
from dicom_assets.cli.options import LakeOption, Schema
from dicom_assets.delta.lake import Lake
from dicom_assets.pipeline.change_columns import change_columns
from dicom_assets.pipeline.own_columns import saved_columns
from dicom_assets.query.opening import open_catalog
from dicom_assets.query.visible import visible

stdout = Console()


def columns(
    lake: LakeOption,
    schema: Schema = "dicom",
    add: Annotated[
        list[str] | None,
        typer.Option("--add", metavar="COLUMN", help="Add this one: PatientWeight, Weight=PatientWeight:number."),
    ] = None,
    remove: Annotated[
        list[str] | None, typer.Option("--remove", metavar="NAME", help="Remove the one of a name.")
    ] = None,
) -> None:
    """Show the columns of your own that a catalog has, add some or remove some.

    They are filled from the headers in the tables: no file of the archive is read.
    """
    with clear_errors():
        _run_columns(Lake(lake, schema), add or (), remove or ())


def _run_columns(lake: Lake, add: Sequence[str], remove: Sequence[str]) -> None:
    """Change the columns of a catalog, if that is asked for, and show those that it has then.

    Raises
    ------
    NoCatalogError
        There is no catalog.
    OwnColumnError
        A column cannot be added or removed.

    """
    open_catalog(lake.root, lake.schema).tables()
    if add or remove:
        from dicom_assets.cli.spark import chosen_spark  # loads Dagster, which showing them does not need

        started = time.monotonic()
        with stdout.status("Filling columns from the headers..."):
            done = change_columns(lake, chosen_spark().engine(), add=add, remove=remove)
        stdout.print(f"{done.rows} rows made anew in {time.monotonic() - started:.1f} s; no file was read.")
    columns = saved_columns(lake)
    if not columns:
        stdout.print("The catalog has no columns of your own.")
        return
    grid = Grid(box=None, padding=(0, 3, 0, 0))
    for title in ("Column", "Type", "Attribute"):
        grid.add_column(title, overflow="fold")
    for one in columns:
        grid.add_row(one.name, visible(one.type).replace("[", "\\["), visible(one.attribute).replace("[", "\\["))
    stdout.print(grid, highlight=False)

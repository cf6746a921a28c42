"""The program: its commands by name, and how it starts and ends."""

import gc
import warnings
from importlib.metadata import version as installed_version
from typing import Annotated

import typer

from dicom_assets.cli.commands import Commands
from dicom_assets.cli.leave import leave

app = typer.Typer(
    cls=Commands,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    help="A queryable, versioned, incremental catalog of a DICOM archive.",
)


def _print_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"dicom-assets {installed_version('dicom-assets')}")
        raise typer.Exit


@app.callback()
def common(
    version: Annotated[
        bool, typer.Option("--version", callback=_print_version, is_eager=True, help="Print the version and exit.")
    ] = False,
) -> None:
    """Take what goes for every command."""


_OBJECTS_PER_COLLECTION = 50_000


def main() -> None:
    """Run the command line."""
    # Dagster warns of every parameter of its own that is in beta, at every start.
    warnings.filterwarnings("ignore", message=".*is currently in beta")
    # Modules are objects that stay: with Python's 700, a tenth of a short command is spent on looking through them.
    gc.set_threshold(_OBJECTS_PER_COLLECTION)
    try:
        app()
    except SystemExit as end:
        leave(end)

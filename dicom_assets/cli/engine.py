"""``dicom-assets engine``: a Spark that stays warm between commands, and what clusters need of this package."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

from dicom_assets.cli.destination import tell_programs
from dicom_assets.cli.errors import clear_errors, refuse
from dicom_assets.cli.options import Json, SparkConfig

app = typer.Typer(
    no_args_is_help=True, help="Spark that stays warm on this machine, and this package for workers elsewhere."
)
_NOT_RUNNING = 1


@app.command()
def start(spark_config: SparkConfig = None) -> None:
    """Start an engine that stays until it is stopped: `catalog` uses it, and saves the seconds that Spark starts in.

    There is one for each user. It listens on this machine alone, and takes nobody but its user. It needs the extra
    `connect`.
    """
    from dicom_assets.spark.remote import check_installed
    from dicom_assets.spark.server import start_server
    from dicom_assets.spark.settings import settings_from_environment, spark_settings

    with clear_errors():
        check_installed()
        around = {} if spark_config else settings_from_environment()
        if strange := [key for key in ("spark.master", "spark.remote") if key in around]:
            refuse(f"the environment names {strange[0]}, which commands would use in place of an engine")
        server = start_server({**around, **spark_settings(None, None, spark_config or ())})
    typer.echo(f"The engine runs: process {server.pid}, port {server.port}. `dicom-assets engine stop` ends it.")


@app.command()
def stop() -> None:
    """Stop the engine that was started on this machine."""
    from dicom_assets.spark.server import stop_server

    with clear_errors():
        stopped = stop_server()
    typer.echo("The engine was stopped." if stopped else "There was no engine.")


@app.command()
def status(json: Json = False) -> None:
    """Tell whether an engine runs, and whether commands of this installation use it; exits with 1 where none runs."""
    from dicom_assets.spark.server import running_server

    with clear_errors():
        server = running_server()
    misfit = server.misfit() if server else None
    started = datetime.fromtimestamp(server.started, UTC) if server else None
    if json:
        found = {"pid": server.pid, "port": server.port, "not_used_because": misfit} if server else {}
        when = {"started": started.isoformat(timespec="seconds")} if started else {}
        tell_programs({"running": server is not None, **found, **when})
    elif server and started:
        line = f"The engine runs since {started:%Y-%m-%d %H:%M} UTC: process {server.pid}, port {server.port}."
        typer.echo(f"{line} Commands do not use it: {misfit}." if misfit else line)
    else:
        typer.echo("No engine runs.")
    if server is None:
        raise typer.Exit(_NOT_RUNNING)


@app.command()
def prepare() -> None:
    """Let Spark start on this machine in half the time: 150 MB in the cache folder of the user, made once in a minute.

    They are the classes of one Java and one Spark, as a JVM has them in memory. Do it again after an update of either.
    """
    from dicom_assets.spark.prepare import prepare as write_classes

    with clear_errors():
        try:
            archive = write_classes()
        except OSError as error:
            refuse(f"{error.filename} cannot be written: {error.strerror}")
    typer.echo(f"Written: {archive} ({archive.stat().st_size >> 20} MiB). Commands that start Spark use it.")


@app.command()
def pack(
    archive: Annotated[Path, typer.Argument(metavar="FILE.zip", help="The archive to write.")],
) -> None:
    """Write this package as an archive for workers that do not have it: `--spark-config spark.submit.pyFiles=FILE.zip`.

    The packages that it needs must be there.
    """
    from dicom_assets.spark.code import pack as write_archive

    if archive.suffix != ".zip":
        refuse(f"{archive} does not end with .zip, and Spark would not look into it")
    try:
        write_archive(archive)
    except OSError as error:
        refuse(f"{archive} cannot be written: {error.strerror}")
    typer.echo(f"Written: {archive.absolute()}")

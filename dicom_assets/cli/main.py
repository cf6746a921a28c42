"""The commands and their options. What they do is in the modules beside this one and in :mod:`dicom_assets.query`."""

import gc
import warnings
from importlib.metadata import version as installed_version
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from dicom_assets.cli.changes import changes
from dicom_assets.cli.cohort import app as cohort_commands
from dicom_assets.cli.destination import tell_programs
from dicom_assets.cli.engine import app as engine_commands
from dicom_assets.cli.errors import clear_errors
from dicom_assets.cli.export import export
from dicom_assets.cli.issues import issues
from dicom_assets.cli.leave import leave
from dicom_assets.cli.levels import series, studies
from dicom_assets.cli.notify import notify
from dicom_assets.cli.options import (
    Chars,
    Commands,
    Containers,
    Depth,
    FollowOutsideLinks,
    Json,
    LakeOption,
    Master,
    Remote,
    Schema,
    Source,
    SparkConfig,
)
from dicom_assets.cli.serve import serve
from dicom_assets.cli.shell import shell
from dicom_assets.cli.show import show
from dicom_assets.cli.sql import sql
from dicom_assets.cli.status import status
from dicom_assets.cli.viewer import app as viewer_commands
from dicom_assets.pipeline.difference import UpdateMode
from dicom_assets.query.visible import visible

app = typer.Typer(
    cls=Commands,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    help="A queryable, versioned, incremental catalog of a DICOM archive.",
)

app.add_typer(cohort_commands, name="cohort")
app.add_typer(engine_commands, name="engine")
app.add_typer(viewer_commands, name="viewer")


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


@app.command()
def catalog(  # noqa: PLR0913, PLR0917 - the options of the command
    source: Source,
    lake: LakeOption,
    prefix_depth: Depth = 1,
    prefix_chars: Chars = 0,
    prefix: Annotated[
        list[str] | None, typer.Option("--prefix", help="Only this partition; may be given several times.")
    ] = None,
    schema: Schema = "dicom",
    mode: Annotated[UpdateMode, typer.Option(help="What happens to rows that exist.")] = UpdateMode.SYNC,
    sha256: Annotated[bool, typer.Option("--sha256", help="Hash every file, which reads it whole.")] = False,
    pixel_hash: Annotated[
        bool, typer.Option("--pixel-hash", help="Hash the pixel data of every file, which reads it whole.")
    ] = False,
    column: Annotated[
        list[str] | None,
        typer.Option(
            "--column",
            metavar="COLUMN",
            help="A column for an attribute of the header: PatientWeight, Weight=PatientWeight:number. The catalog "
            "keeps it for later runs; may be given several times.",
        ),
    ] = None,
    allow_mass_deletion: Annotated[
        bool, typer.Option("--allow-mass-deletion", help="Allow most files to be removed from the tables.")
    ] = False,
    move_source: Annotated[
        bool, typer.Option("--move-source", help="The archive was moved here: rewrite the paths in the tables first.")
    ] = False,
    move_prefixes: Annotated[
        bool,
        typer.Option(
            "--move-prefixes",
            help="The prefixes are to be these: move the rows of the tables to them first, which reads no file.",
        ),
    ] = False,
    inventory: Annotated[
        str,
        typer.Option(
            "--inventory",
            metavar="FILE|URI",
            help="What lists the objects of a bucket in place of the bucket: CSV, Parquet, or S3 Inventory's manifest.",
        ),
    ] = "",
    follow_outside_links: FollowOutsideLinks = False,
    master: Master = None,
    remote: Remote = None,
    spark_config: SparkConfig = None,
    containers: Containers = True,
    json: Json = False,
) -> None:
    """Catalog an archive: find its prefixes and materialize what changed, through Dagster.

    Exits with 0 when the catalog holds what the archive holds, 1 when a run failed or a folder could not be listed, and
    2 when nothing was done.
    """
    from dicom_assets.cli.ahead import begin_spark
    from dicom_assets.cli.spark import chosen_settings

    with clear_errors():
        settings = chosen_settings(master, remote, spark_config or ())
        if not (prefix or inventory or move_source or move_prefixes):
            begin_spark(source, lake, schema, prefix_depth, settings)

    # What loads Dagster takes as long as Spark takes to start: it comes after that has begun.
    from dicom_assets.archive.prefixes import PrefixCut
    from dicom_assets.cli.catalog import CatalogCommand, run_catalog
    from dicom_assets.cli.places import Places, checked_places
    from dicom_assets.extract.headers import with_more_columns
    from dicom_assets.extract.installed import installed_extractors
    from dicom_assets.extract.model import CatalogModel
    from dicom_assets.orchestration.instance import open_instance
    from dicom_assets.orchestration.launch import Launcher
    from dicom_assets.orchestration.resources.spark import SparkResource

    with clear_errors():
        cut = PrefixCut(prefix_depth, prefix_chars)
        places = checked_places(Places(source, lake, schema, cut, follow_outside_links, containers, inventory))
        extractors = installed_extractors(sha256=sha256, pixel_hash=pixel_hash)
        model = CatalogModel(with_more_columns(extractors, column or ()))
        spark = SparkResource(spark_config=settings)
        command = CatalogCommand(
            places, tuple(prefix or ()), mode, allow_mass_deletion, move_source, move_prefixes, model, spark, json=json
        )
        with open_instance(places.lake) as instance:
            succeeded = run_catalog(command, Launcher(instance))
    if not succeeded:
        raise typer.Exit(1)


@app.command()
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
    from dicom_assets.cli.columns import run_columns
    from dicom_assets.delta.lake import Lake

    with clear_errors():
        run_columns(Lake(lake, schema), add or (), remove or ())


app.command()(notify)
app.command()(sql)
app.command()(shell)
app.command()(show)
app.command()(studies)
app.command()(series)
app.command()(issues)
app.command()(export)
app.command()(changes)
app.command()(status)
app.command()(serve)


@app.command()
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
    from datetime import timedelta

    from dicom_assets.checks.options import Bounds, CheckOptions
    from dicom_assets.checks.report import check_catalog
    from dicom_assets.cli.check import as_json as json_of
    from dicom_assets.cli.check import print_report
    from dicom_assets.delta.lake import Lake
    from dicom_assets.extract.installed import installed_extractors
    from dicom_assets.extract.model import CatalogModel

    with clear_errors():
        newest = None if newest_hours is None else timedelta(hours=newest_hours)
        options = CheckOptions(Bounds(errors, damaged), newest_file=newest)
        model = CatalogModel(installed_extractors())
        outcomes = check_catalog(Lake(lake, schema), prefix, model, options)
    if as_json:
        typer.echo(json_of(outcomes))
    else:
        print_report(outcomes)
    if not all(outcome.passed or (tolerate_warnings and outcome.severity == "warning") for outcome in outcomes):
        raise typer.Exit(1)


@app.command()
def gallery(
    output: Annotated[Path, typer.Argument(help="The HTML file to write.")],
    lake: LakeOption,
    schema: Schema = "dicom",
    where: Annotated[
        str, typer.Option("--where", help="Only files that meet this condition, SQL on columns of object_catalog.")
    ] = "true",
    limit: Annotated[int, typer.Option("--limit", min=1, help="The most files on the page.")] = 500,
    title: Annotated[str, typer.Option("--title", help="Heading of the page.")] = "DICOM catalog",
    json: Json = False,
) -> None:
    """Write a page of the thumbnails."""
    from dicom_assets.query.gallery import write_gallery
    from dicom_assets.query.opening import open_catalog

    with clear_errors():
        page = write_gallery(open_catalog(lake, schema), output, title=title, where=where, limit=limit)
    if json:
        tell_programs({"shown": page.shown, "files": page.files, "page": str(output.absolute())})
        return
    line = visible(f"{page}: {output.absolute()}")
    Console().print(line, markup=False, highlight=False, soft_wrap=True)


@app.command()
def lineage(
    lake: LakeOption,
    path_or_uid: Annotated[
        str | None,
        typer.Argument(
            metavar="[PATH|UID]",
            help="A file of the archive, or the UID of an instance, a series or a study.",
        ),
    ] = None,
    schema: Schema = "dicom",
    run: Annotated[
        str | None, typer.Option("--run", help="What this run wrote; the first characters of its id are enough.")
    ] = None,
    paths: Annotated[bool, typer.Option("--paths", help="With --run: the paths of its rows, too.")] = False,
    json: Json = False,
    dagster_url: Annotated[
        str | None, typer.Option("--dagster-url", help="Address of the Dagster UI, for links to runs.")
    ] = None,
) -> None:
    """Tell where rows come from: which run made them, from which version of the file, by which version of the code."""
    from dicom_assets.cli.lineage import LineageCommand, show_lineage
    from dicom_assets.query.opening import open_catalog

    with clear_errors():
        command = LineageCommand(path_or_uid, run, paths, json, dagster_url)
        show_lineage(open_catalog(lake, schema), command)


@app.command()
def demo(
    folder: Annotated[Path, typer.Option("--to", help="Folder of the lake and the page.")] = Path(".demo"),
) -> None:
    """Catalog the real DICOM files that come with pydicom, and show what can be asked about them."""
    from dicom_assets.cli.demo import run_demo

    with clear_errors():
        succeeded = run_demo(folder.absolute())
    if not succeeded:
        raise typer.Exit(1)


@app.command()
def ui(  # noqa: PLR0913, PLR0917 - the options of the command
    source: Source,
    lake: LakeOption,
    prefix_depth: Depth = 1,
    prefix_chars: Chars = 0,
    schema: Schema = "dicom",
    follow_outside_links: FollowOutsideLinks = False,
    containers: Containers = True,
    host: Annotated[str, typer.Option(help="Address to listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(help="Port to listen on.")] = 3000,
) -> None:
    """Open the Dagster UI and its daemon on this archive and this lake."""
    from dicom_assets.archive.prefixes import PrefixCut
    from dicom_assets.cli.places import Places, checked_places
    from dicom_assets.cli.ui import serve

    with clear_errors():
        cut = PrefixCut(prefix_depth, prefix_chars)
        places = checked_places(Places(source, lake, schema, cut, follow_outside_links, containers))
        serve(places, host, port)


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

"""The commands that run Dagster: their options. What they do loads Dagster, and is imported when it is asked for."""

from pathlib import Path
from typing import Annotated

import typer

from dicom_assets.cli.errors import clear_errors
from dicom_assets.cli.loading import loading
from dicom_assets.cli.options import (
    Chars,
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
from dicom_assets.pipeline.difference import UpdateMode


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
    with loading():
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


def demo(
    folder: Annotated[Path, typer.Option("--to", help="Folder of the lake and the page.")] = Path(".demo"),
) -> None:
    """Catalog the real DICOM files that come with pydicom, and show what can be asked about them."""
    with loading():
        from dicom_assets.cli.demo import run_demo

    with clear_errors():
        succeeded = run_demo(folder.absolute())
    if not succeeded:
        raise typer.Exit(1)


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

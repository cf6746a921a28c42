"""``dicom-assets cohort``: the commands of cohorts and their options."""

from pathlib import Path
from typing import Annotated

import typer

from dicom_assets.cli.errors import clear_errors
from dicom_assets.cli.options import FollowOutsideLinks, Json, LakeOption, Schema
from dicom_assets.cohorts.copying import Mode
from dicom_assets.cohorts.recipe import PATIENT, Level

app = typer.Typer(no_args_is_help=True, help="Choose files by a query, and keep, check and export what was chosen.")


Name = Annotated[str, typer.Argument(metavar="NAME[@VERSION]", help="A cohort, at its latest version or another one.")]


@app.command()
def create(  # noqa: PLR0913, PLR0917 - the options of the command
    name: Annotated[str, typer.Argument(help="What the cohort is called: letters, digits, `_` and `-`.")],
    lake: LakeOption,
    where: Annotated[str, typer.Option("--where", help="Condition in SQL, over the table of the level.")] = "true",
    level: Annotated[
        Level, typer.Option("--level", help="What the condition is about, and what is taken whole.")
    ] = Level.INSTANCE,
    split: Annotated[
        str | None, typer.Option("--split", help="Splits and their shares, such as `train=0.8,test=0.2`.")
    ] = None,
    by: Annotated[
        str, typer.Option("--by", help="With --split: column whose values are not divided, besides patients.")
    ] = PATIENT,
    seed: Annotated[int, typer.Option("--seed", help="With --split: of the draw.")] = 0,
    schema: Schema = "dicom",
    json: Json = False,
) -> None:
    """Make a cohort, or a new version of it when other files are chosen than before."""
    from dicom_assets.cli.cohort_output import print_made
    from dicom_assets.cohorts.create import make
    from dicom_assets.cohorts.recipe import Recipe, Split
    from dicom_assets.query.opening import open_catalog

    with clear_errors():
        recipe = Recipe(where, level, None if split is None else Split.parse(split, by, seed))
        print_made(make(open_catalog(lake, schema), name, recipe), json=json)


@app.command("list")
def list_(lake: LakeOption, schema: Schema = "dicom", json: Json = False) -> None:
    """List the cohorts, each at its latest version."""
    from dicom_assets.cli.cohort_output import print_list
    from dicom_assets.cohorts.cohort import list_cohorts
    from dicom_assets.query.opening import open_catalog

    with clear_errors():
        print_list([cohort.record for cohort in list_cohorts(open_catalog(lake, schema))], json=json)


@app.command()
def show(name: Name, lake: LakeOption, schema: Schema = "dicom", json: Json = False) -> None:
    """Show a version of a cohort: its query, what it was made from, how much it holds; and which versions there are."""
    from dicom_assets.cli.cohort_output import print_record
    from dicom_assets.cohorts.cohort import open_cohort
    from dicom_assets.cohorts.store import CohortStore
    from dicom_assets.query.opening import open_catalog

    with clear_errors():
        cohort = open_cohort(open_catalog(lake, schema), name)
        versions = CohortStore(cohort.catalog.lake).versions(cohort.record.name)
        print_record(cohort.record, versions, json=json)


@app.command()
def verify(
    name: Name,
    lake: LakeOption,
    files: Annotated[
        bool, typer.Option("--files", help="Look at each file in the archive, too, and not at the catalog only.")
    ] = False,
    follow_outside_links: FollowOutsideLinks = False,
    schema: Schema = "dicom",
    json: Json = False,
) -> None:
    """Tell which members have changed since, and which are gone.

    Exits with 0 when all are as they were, 1 when some are not, and 2 when that could not be told.
    """
    from dicom_assets.cli.cohort_output import looking, print_verification
    from dicom_assets.cohorts.cohort import open_cohort
    from dicom_assets.query.opening import open_catalog

    with clear_errors():
        cohort = open_cohort(open_catalog(lake, schema), name)
        archive = cohort.archive(follow_outside_links=follow_outside_links) if files else None
        with looking(cohort.record.counts, shown=files) as advance:
            found = cohort.verify(files=files, archive=archive, progress=advance)
    print_verification(cohort.record, found, json=json)
    if not found.ok:
        raise typer.Exit(1)


@app.command()
def diff(
    first: Annotated[str, typer.Argument(metavar="NAME[@VERSION]", help="What is compared.")],
    second: Annotated[str, typer.Argument(metavar="NAME[@VERSION]", help="What it is compared with.")],
    lake: LakeOption,
    schema: Schema = "dicom",
    json: Json = False,
) -> None:
    """Tell which members two cohorts do not have in common, two versions of one or two of different names."""
    from dicom_assets.cli.cohort_output import print_comparison
    from dicom_assets.cohorts.cohort import open_cohort
    from dicom_assets.query.opening import open_catalog

    with clear_errors():
        catalog = open_catalog(lake, schema)
        found = open_cohort(catalog, first).compare(open_cohort(catalog, second))
    print_comparison(found, json=json)


@app.command()
def manifest(
    name: Name,
    output: Annotated[Path, typer.Option("-o", "--output", metavar="FILE", help="A .csv, .json or .parquet file.")],
    lake: LakeOption,
    schema: Schema = "dicom",
) -> None:
    """Write the list of members to a file."""
    from dicom_assets.cli.cohort_output import say
    from dicom_assets.cohorts.cohort import open_cohort
    from dicom_assets.cohorts.manifest import write_manifest
    from dicom_assets.query.opening import open_catalog

    with clear_errors():
        cohort = open_cohort(open_catalog(lake, schema), name)
        count = write_manifest(cohort.present(), output)
    say(f"{cohort}: {count:,} members in {output.absolute()}")


@app.command()
def export(
    name: Name,
    folder: Annotated[Path, typer.Argument(help="Where the files go: a folder that is new, or of the same export.")],
    lake: LakeOption,
    mode: Annotated[Mode, typer.Option("--mode", help="Copy the files, or link to them.")] = Mode.COPY,
    follow_outside_links: FollowOutsideLinks = False,
    schema: Schema = "dicom",
    json: Json = False,
) -> None:
    """Write the files to folders of patients, studies and series, with a manifest; called again, go on.

    Exits with 0 when all files are there, 1 when some have changed or are gone, and 2 when nothing was done.
    """
    from dicom_assets.cli.cohort_output import exporting, print_exported
    from dicom_assets.cohorts.cohort import open_cohort
    from dicom_assets.query.opening import open_catalog

    with clear_errors():
        cohort = open_cohort(open_catalog(lake, schema), name)
        archive = cohort.archive(follow_outside_links=follow_outside_links)
        with exporting(cohort.record.counts) as advance:
            done = cohort.export(folder, mode, archive=archive, progress=advance)
    print_exported(cohort.record, done, folder, json=json)
    if done.left_out.num_rows:
        raise typer.Exit(1)

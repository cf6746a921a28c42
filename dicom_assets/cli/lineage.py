"""``dicom-assets lineage``: where rows come from, and what a run wrote."""

import dataclasses
import sys
from dataclasses import dataclass
from typing import Annotated

import orjson
import typer

from dicom_assets.cli.errors import clear_errors, refuse
from dicom_assets.cli.options import Json, LakeOption, Schema
from dicom_assets.delta.origin import is_of_dagster
from dicom_assets.query.database import Catalog
from dicom_assets.query.lineage_model import Lineage, RunLineage
from dicom_assets.query.opening import open_catalog
from dicom_assets.query.visible import visible


@dataclass(frozen=True, slots=True)
class _Question:
    """What the user asked for: a path or a UID, or a run."""

    path_or_uid: str | None
    run: str | None = None
    paths: bool = False
    json: bool = False
    dagster_url: str | None = None


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
    with clear_errors():
        question = _Question(path_or_uid, run, paths, json, dagster_url)
        _show(open_catalog(lake, schema), question)


def _show(catalog: Catalog, question: _Question) -> None:
    """Write the answer to standard output."""
    found = _ask(catalog, question)
    links = _links(found, question.dagster_url)
    if question.json:
        told = {**dataclasses.asdict(found), "run_urls": links}
        sys.stdout.buffer.write(orjson.dumps(told, option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE))
        sys.stdout.buffer.flush()
        return
    lines = [visible(line) for line in str(found).split("\n")]
    lines += ["", *links.values()] if links else []
    sys.stdout.write("\n".join(lines) + "\n")


def _ask(catalog: Catalog, question: _Question) -> Lineage | RunLineage:
    if (question.path_or_uid is None) == (question.run is None):
        refuse("name either a path or UID, or a run with --run")
    if question.run is not None:
        return catalog.lineage_of_run(question.run, paths=question.paths)
    assert question.path_or_uid is not None, "one of the two"
    return catalog.lineage(question.path_or_uid)


def _links(found: Lineage | RunLineage, dagster_url: str | None) -> dict[str, str]:
    """Return where the Dagster UI shows the runs of an answer; updates without Dagster are not there."""
    if dagster_url is None:
        return {}
    return {run_id: f"{dagster_url.rstrip('/')}/runs/{run_id}" for run_id in found.run_ids if is_of_dagster(run_id)}

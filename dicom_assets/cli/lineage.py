"""``dicom-assets lineage``: where rows come from, and what a run wrote."""

import dataclasses
import sys
from dataclasses import dataclass

import orjson

from dicom_assets.cli.errors import refuse
from dicom_assets.delta.origin import is_of_dagster
from dicom_assets.query.database import Catalog
from dicom_assets.query.lineage_model import Lineage, RunLineage
from dicom_assets.query.visible import visible


@dataclass(frozen=True, slots=True)
class LineageCommand:
    """What the user asked for: a path or a UID, or a run."""

    path_or_uid: str | None
    run: str | None = None
    paths: bool = False
    json: bool = False
    dagster_url: str | None = None


def show_lineage(catalog: Catalog, command: LineageCommand) -> None:
    """Write the answer to standard output."""
    found = _ask(catalog, command)
    links = _links(found, command.dagster_url)
    if command.json:
        told = {**dataclasses.asdict(found), "run_urls": links}
        sys.stdout.buffer.write(orjson.dumps(told, option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE))
        sys.stdout.buffer.flush()
        return
    lines = [visible(line) for line in str(found).split("\n")]
    lines += ["", *links.values()] if links else []
    sys.stdout.write("\n".join(lines) + "\n")


def _ask(catalog: Catalog, command: LineageCommand) -> Lineage | RunLineage:
    if (command.path_or_uid is None) == (command.run is None):
        refuse("name either a path or UID, or a run with --run")
    if command.run is not None:
        return catalog.lineage_of_run(command.run, paths=command.paths)
    assert command.path_or_uid is not None, "one of the two"
    return catalog.lineage(command.path_or_uid)


def _links(found: Lineage | RunLineage, dagster_url: str | None) -> dict[str, str]:
    """Return where the Dagster UI shows the runs of an answer; updates without Dagster are not there."""
    if dagster_url is None:
        return {}
    return {run_id: f"{dagster_url.rstrip('/')}/runs/{run_id}" for run_id in found.run_ids if is_of_dagster(run_id)}

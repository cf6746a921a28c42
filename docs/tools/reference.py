"""The pages of the reference that are made from the code: ``python docs/tools/reference.py`` rewrites them.

Belongs here: how a page is put together. What it says is in the code that it is about: help of options, descriptions
of fields, docstrings of enums. A test fails when a page is stale.
"""

import dataclasses
import inspect
import re
import sys
import typing
from collections.abc import Callable, Iterable, Iterator, Mapping
from enum import Enum
from pathlib import Path
from typing import Any

import typer
from pydantic import BaseModel
from pydantic_core import PydanticUndefined

from dicom_assets.checks import describe as checks
from dicom_assets.cli.main import app
from dicom_assets.dicom.header.issues import IssueCode
from dicom_assets.orchestration import definitions
from dicom_assets.orchestration import describe as component
from dicom_assets.orchestration.assets.file_index import IndexConfig
from dicom_assets.orchestration.assets.specs import UpdateConfig
from dicom_assets.orchestration.maintenance import MaintenanceConfig
from dicom_assets.orchestration.resources.archive import ArchiveResource
from dicom_assets.orchestration.resources.io_manager import LakeIOManager
from dicom_assets.orchestration.resources.lake import LakeResource
from dicom_assets.orchestration.resources.spark import SparkResource
from dicom_assets.orchestration.sensors import SensorOptions
from dicom_assets.query.describe import documented, lineage_page, tables_page
from dicom_assets.query.engine import EngineOptions

NOTE = "<!-- Made from the code by `make reference`; do not edit. -->"

TABLE_METADATA = {
    "dagster/row_count": "Rows of the whole table.",
    "dagster/size_bytes": "Bytes of its data files.",
    "dagster/uri": "Where the table is.",
    "dagster/table_name": "Its schema and name.",
    "delta_version": "Version of the table after the run; `DeltaTable(uri, version=...)` reads it.",
    "committed": "Whether the run wrote a version. A run with nothing to do writes none.",
}
"""What a materialization says of its table."""

RUN_METADATA = {
    "engine": "Where the rows were made: in the process of the run, or on Spark.",
    "spark_ui": "Page of the Spark application, where it has one.",
    "run/prefixes": "Partitions that the run took.",
    "run/rows_made": "Rows that it made, in all of them.",
    "run/bytes_written": "Bytes that it wrote, in all of them.",
    "run/files_per_second": "Rows made by seconds, where any were made.",
    "run/seconds": "What the step took for this table.",
    "run/seconds/plan": "Of that, comparing what is there with what should be.",
    "run/seconds/stage": "Of that, making rows and writing them.",
    "run/seconds/rewrite": "Of that, rewriting data files that held changed rows.",
    "run/seconds/commit": "Of that, committing.",
    "run/tasks": "Of extracted tables: tasks that the reading of files was cut into.",
    "run/longest_task/seconds": "Of extracted tables: what the longest of these tasks took.",
    "run/longest_task/share": "That, as a share of `run/seconds/stage`. Near 1 with many tasks, the run waited for it.",
    "run/problems": "Of `object_catalog`: the ten most frequent states that are not well, with their reasons.",
    "run/problems_sql": "Of `object_catalog`: the SQL that lists the files.",
}
"""What a materialization says of its run as a whole, over all partitions."""

PARTITION_METADATA = {
    "dagster/partition_row_count": "Rows that the partition has.",
    "added": "Rows that are new.",
    "changed": "Rows that were made again: their file changed, or the version of their extractor.",
    "removed": "Rows that were deleted.",
    "kept": "Rows that were left as they are.",
    "files_listed": "Of `file_index`: files that the listing found.",
    "bytes_listed": "Of `file_index`: their sizes, in all.",
    "files_read": "Of extracted tables: files that were opened.",
    "bytes_read": "Of extracted tables: bytes that were read of them.",
    "bytes_written": "Bytes of the data files that were written.",
    "status/*": "Rows of each state, such as `status/ok`; see [Tables and states](tables.md#states).",
    "preview": "Thumbnails, where `DICOM_ASSETS_PREVIEWS` asks for them: patient data.",
}
"""What a materialization says of its partition."""

NOT_ALWAYS = {"status/*", "preview", "spark_ui"}
"""Names that not every run reports."""


def table(head: Iterable[str], rows: Iterable[Iterable[str]]) -> str:
    """Return a table in Markdown."""
    titles = list(head)
    lines = [titles, ["---"] * len(titles), *(list(row) for row in rows)]
    return "\n".join("| " + " | ".join(_cell(entry) for entry in line) + " |" for line in lines)


def _cell(text: str) -> str:
    return " ".join(text.split()).replace("|", "\\|")


def _page(title: str, *parts: str) -> str:
    return "\n\n".join([f"# {title}", NOTE, *parts]) + "\n"


def cli_page() -> str:
    """Return the page of the command line."""
    group: Any = typer.main.get_command(app)
    parts = [
        (
            "All commands exit with 0 when all is done, 1 when a part failed or was left out, 2 when nothing was done; "
            "`dicom-assets COMMAND --help` prints what is here. [On the command line](shell.md) shows them at work."
        ),
        (
            "Variables of the environment stand for options that are not given: `export DICOM_ASSETS_LAKE=/data/lake` "
            "saves `--lake`. `dicom-assets --install-completion` sets up completion for your shell."
        ),
    ]
    for name, command in _commands(group):
        parts += [f"## {name}", f"`dicom-assets {name} {' '.join(_usage(command))}`", inspect.cleandoc(command.help)]
        rows = [(_spelling(option), option.help or "", _default(option)) for option in command.params]
        if rows:
            parts.append(table(("Argument or option", "", "Default"), rows))
    return _page("Command line", *parts)


def _commands(group: Any, before: str = "") -> Iterator[tuple[str, Any]]:
    """Yield the commands of a group with their whole names, those of groups in it as well."""
    for name in group.list_commands(None):
        command = group.get_command(None, name)
        if hasattr(command, "commands"):
            yield from _commands(command, f"{before}{name} ")
        else:
            yield f"{before}{name}", command


def _usage(command: Any) -> Iterator[str]:
    for parameter in command.params:
        if parameter.param_type_name == "argument":
            yield parameter.name.upper()
    for parameter in command.params:
        if parameter.param_type_name == "option" and parameter.required:
            yield f"{max(parameter.opts, key=len)} {parameter.name.upper()}"
    yield "[OPTIONS]"


def _spelling(parameter: Any) -> str:
    if parameter.param_type_name == "argument":
        return f"`{parameter.name.upper()}`"
    kind = "" if parameter.is_flag else f" {_values(parameter)}"
    opts = [*parameter.opts, *parameter.secondary_opts]
    return ", ".join(f"`{opt}{kind if opt == parameter.opts[-1] else ''}`" for opt in opts)


def _values(parameter: Any) -> str:
    if parameter.metavar:
        return str(parameter.metavar)
    annotation = parameter.type_descriptor.annotation
    (kind, *_) = [part for part in typing.get_args(annotation) if part is not type(None)] or [annotation]
    if issubclass(kind, Enum):
        return "/".join(str(member.value) for member in kind)
    return {str: "TEXT", int: "INTEGER", float: "NUMBER", Path: "PATH"}.get(kind, kind.__name__.upper())


def _default(parameter: Any) -> str:
    variable = f"`{parameter.envvar}`" if parameter.envvar else ""
    if parameter.required:
        return f"required, or {variable}" if variable else "required"
    value = parameter.default
    if getattr(parameter, "is_flag", False):
        told = "on" if value else "off"
    else:
        told = f"`{getattr(value, 'value', value)}`" if value not in (None, (), [], "") else ""
    return f"{variable}, else {told}" if variable else told


def issues_page() -> str:
    """Return the page of the codes in the column ``issues``."""
    rows = ((f"`{code}`", text) for code, text in documented(IssueCode).items())
    return _page(
        "Issue codes",
        "What can be wrong with a header. An entry of the column `issues` of `dicom_headers` and `object_catalog` is a "
        "struct of `path` (tags and item numbers), `vr`, one of these codes as `code`, and the first 64 bytes of the "
        "value as `raw`. [Headers](headers.md) tells how a header is read.",
        "```sql\nSELECT issue.code, count(*) AS values, count(DISTINCT path) AS files\n"
        "FROM (SELECT path, unnest(issues) AS issue FROM dicom_headers)\nGROUP BY ALL ORDER BY values DESC\n```",
        table(("Code", "Meaning"), rows),
    )


def configuration_page() -> str:
    """Return the page of everything that can be set, by where it is set."""
    parts = [
        (
            "The command line takes [options](cli.md). A deployment in Dagster takes variables of the environment, or "
            "resources in definitions of its own; runs take run config."
        ),
        "## Environment",
        (
            "Read by `workspace.yaml` and `-m dicom_assets.definitions`, and by `build_definitions` for what it is not "
            "given. Credentials of object stores come from their usual variables ([A bucket](bucket.md))."
        ),
        table(("Variable", ""), _variables()),
        "## Resources",
        "Each value can be a `dagster.EnvVar`, which is the place for secrets.",
    ]
    for resource in (ArchiveResource, LakeResource, SparkResource, LakeIOManager):
        parts += [f"### {resource.__name__}", f"`from {resource.__module__} import {resource.__name__}`"]
        parts += [_summary(resource), table(("Field", "", "Default"), _fields(resource))]
    parts += ["## Run config", "By op, in Dagster's launchpad or `dagster.RunConfig`."]
    for title, config in (
        ("file_index", IndexConfig),
        ("extraction, object_catalog and rollups", UpdateConfig),
        ("maintenance", MaintenanceConfig),
    ):
        parts += [f"### Of {title}", table(("Field", "", "Default"), _fields(config))]
    parts += ["Modes are written in capitals there: `mode: OVERWRITE`.", "## Options in Python"]
    for options, used in (
        (SensorOptions, "build_definitions(sensor=...)"),
        (EngineOptions, "open_catalog(engine=...)"),
    ):
        parts += [f"### {options.__name__}", f"`from {options.__module__} import {options.__name__}`, for `{used}`."]
        parts += [_summary(options), table(("Field", "", "Default"), _attributes(options))]
    return _page("Configuration", *parts)


def _variables() -> Iterator[tuple[str, str]]:
    """Yield the variables that the docstring of the definitions describes."""
    text = inspect.getdoc(definitions) or ""
    for name, meaning in re.findall(r"^``(\w+)``\n((?: +.*\n?)+)", text, re.MULTILINE):
        yield f"`{name}`", meaning.replace("``", "`")


def _summary(thing: type) -> str:
    return re.sub(r":\w+:`~?([\w.]+)`", r"`\1`", (inspect.getdoc(thing) or "").partition("\n\n")[0].replace("``", "`"))


def _fields(model: type[BaseModel]) -> Iterator[tuple[str, str, str]]:
    for name, field in model.model_fields.items():
        if field.description is None and name == "lake":
            yield f"`{name}`", "The lake, a `LakeResource`.", "required"
        else:
            yield f"`{name}`", field.description or "", _field_default(field)


def _field_default(field: Any) -> str:
    if field.default_factory is not None:
        return "none" if not field.default_factory() else f"`{field.default_factory.__name__}()`"
    if field.default is PydanticUndefined:
        return "required"
    return f"`{field.default}`"


def _attributes(options: Any) -> Iterator[tuple[str, str, str]]:
    """Yield the fields of a dataclass, described in the section Attributes of its docstring."""
    text = (inspect.getdoc(options) or "").partition("Attributes\n----------\n")[2]
    described = dict(re.findall(r"^(\w+)\n((?: +.*\n?)+)", text, re.MULTILINE))
    for field in dataclasses.fields(options):
        yield f"`{field.name}`", described[field.name].replace("``", "`"), f"`{field.default}`"


def metadata_page() -> str:
    """Return the page of what runs report."""
    return _page(
        "Run metadata",
        "What Dagster shows of a run, for people and for alerts. None of it is patient data unless previews are on; "
        "the names of prefixes are folder names, see [Operations](operations.md).",
        "## Of a table",
        table(("Name", ""), ((f"`{name}`", text) for name, text in TABLE_METADATA.items())),
        "## Of the run",
        table(("Name", ""), ((f"`{name}`", text) for name, text in RUN_METADATA.items())),
        "## Of each partition",
        table(("Name", ""), ((f"`{name}`", text) for name, text in PARTITION_METADATA.items())),
        "## Of each commit",
        "The history of a table (`DeltaTable(uri).history()`) has `dagster/run_id`, the run that made the version.",
        "What checks report is described in [Checks](checks.md).",
    )


PAGES: Mapping[str, Callable[[], str]] = {
    "cli.md": cli_page,
    "configuration.md": configuration_page,
    "issues.md": issues_page,
    "lineage.md": lineage_page,
    "metadata.md": metadata_page,
    "tables.md": tables_page,
}
"""By file name below ``docs/``."""


def main(project: Path) -> None:
    """Rewrite the pages."""
    for name, page in PAGES.items():
        (project / "docs" / name).write_text(page(), encoding="utf-8")
    component.main(project)
    checks.main(project)


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).parents[2])

"""Options that several commands share, and the variables of the environment that stand for them.

The variables are those that the code location of Dagster reads, so that whoever has set them up has set up the command
line too. An option on the command line wins.
"""

from pathlib import Path
from typing import Annotated

import typer

from dicom_assets.cli.errors import clear_errors

_SOURCE, _LAKE, _SCHEMA = "DICOM_ASSETS_SOURCE", "DICOM_ASSETS_LAKE", "DICOM_ASSETS_SCHEMA"
_DEPTH, _CHARS = "DICOM_ASSETS_PREFIX_DEPTH", "DICOM_ASSETS_PREFIX_CHARS"
_OUTSIDE, _CONTAINERS = "DICOM_ASSETS_FOLLOW_OUTSIDE_LINKS", "DICOM_ASSETS_CONTAINERS"


def _checked_schema(schema: str) -> str:
    from dicom_assets.delta.lake import check_schema_name

    with clear_errors():
        check_schema_name(schema)
    return schema


Source = Annotated[str, typer.Argument(envvar=_SOURCE, help="Folder or bucket URI that holds the DICOM files.")]
LakeOption = Annotated[
    str, typer.Option("--lake", envvar=_LAKE, help="Folder or bucket URI that holds the tables.", show_default=False)
]
Schema = Annotated[
    str,
    typer.Option(
        "--schema", envvar=_SCHEMA, callback=_checked_schema, help="Folder of this catalog in the lake, a plain name."
    ),
]
Depth = Annotated[
    int,
    typer.Option(
        "--prefix-depth", envvar=_DEPTH, min=0, help="How many directories below the source make a partition."
    ),
]
Chars = Annotated[
    int,
    typer.Option(
        "--prefix-chars",
        envvar=_CHARS,
        min=0,
        help="How many characters of the last of them count, 0 for all: folders that begin alike make one partition.",
    ),
]
FollowOutsideLinks = Annotated[
    bool,
    typer.Option(
        "--follow-outside-links", envvar=_OUTSIDE, help="Follow symbolic links that lead out of the source, too."
    ),
]
Master = Annotated[
    str | None,
    typer.Option(
        "--master",
        metavar="URL",
        help="Spark master where large work is done: spark://host:7077, yarn, k8s://https://host, local[4]. By default "
        "DICOM_ASSETS_SPARK_MASTER, else the engine that runs, else this machine.",
    ),
]
Remote = Annotated[
    str | None,
    typer.Option(
        "--remote",
        metavar="URL",
        help="Spark Connect server where large work is done: sc://host:15002. By default DICOM_ASSETS_SPARK_REMOTE.",
    ),
]
SparkConfig = Annotated[
    list[str] | None,
    typer.Option(
        "--spark-config",
        metavar="KEY=VALUE",
        help="A Spark setting; may be given several times. By default those of DICOM_ASSETS_SPARK_CONFIG, separated by "
        ";.",
    ),
]
Containers = Annotated[
    bool,
    typer.Option(
        "--containers/--no-containers", envvar=_CONTAINERS, help="Catalog the files in ZIP and TAR files, too."
    ),
]

Json = Annotated[bool, typer.Option("--json", help="Write JSON.")]
OutputFile = Annotated[
    Path | None,
    typer.Option("-o", "--output", metavar="FILE", help="Write to this file: .csv, .json or .parquet."),
]
Where = Annotated[str, typer.Option("--where", help="Only rows that meet this condition, in SQL.")]
Limit = Annotated[int | None, typer.Option("--limit", min=0, help="The most rows.")]
AllowFiles = Annotated[
    list[Path] | None,
    typer.Option("--allow-files", help="Let the query read files below this folder; may be given several times."),
]
Unsafe = Annotated[
    bool, typer.Option("--unsafe", help="Let the query do whatever you may do: read and write any file, and more.")
]
SpreadsheetSafe = Annotated[
    bool, typer.Option("--spreadsheet-safe", help="Put ' before CSV texts that spreadsheets take for formulas.")
]

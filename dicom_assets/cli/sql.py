"""``dicom-assets sql``: the answers to one query, or to those of a file."""

import sys
from pathlib import Path
from typing import Annotated

import typer

from dicom_assets.cli.destination import Destination
from dicom_assets.cli.errors import clear_errors, refuse, tell
from dicom_assets.cli.options import AllowFiles, Json, LakeOption, OutputFile, Schema, SpreadsheetSafe, Unsafe
from dicom_assets.cli.script import read_statements
from dicom_assets.errors import DicomAssetsError
from dicom_assets.query.database import Catalog
from dicom_assets.query.engine import EngineOptions
from dicom_assets.query.formats import Format
from dicom_assets.query.opening import open_catalog

FormatOption = Annotated[
    Format | None,
    typer.Option("--format", help="How the result is written; by default as the name of FILE says, else a table."),
]
QueryFile = Annotated[
    str | None,
    typer.Option("-f", "--file", metavar="SCRIPT", help="Run the queries of this file instead, - for a pipe."),
]


def sql(  # noqa: PLR0913, PLR0917 - the options of the command
    lake: LakeOption,
    query: Annotated[
        str | None, typer.Argument(help="SQL in the dialect of DuckDB, over the tables by name.", show_default=False)
    ] = None,
    file: QueryFile = None,
    schema: Schema = "dicom",
    form: FormatOption = None,
    json: Json = False,
    output: OutputFile = None,
    allow_files: AllowFiles = None,
    unsafe: Unsafe = False,
    spreadsheet_safe: SpreadsheetSafe = False,
) -> None:
    """Query the tables. A query reads the tables and nothing else, unless an option allows more.

    A file may hold several queries, each ended by a semicolon; the first that fails ends it, with 1 where others were
    answered before.
    """
    with clear_errors():
        queries = _queries(query, file, output)
        destination = Destination.chosen(output, form, json=json, spreadsheet_safe=spreadsheet_safe)
        engine = EngineOptions(allow_files=tuple(allow_files or ()), unsafe=unsafe)
        answer_all(open_catalog(lake, schema, engine=engine), queries, destination)


def _queries(query: str | None, file: str | None, output: Path | None) -> list[str]:
    """Return what is asked."""
    if query is not None and file is None:
        return [query]
    if query is not None or file is None:
        refuse("give either a query, or a file of queries with -f")
    queries = read_statements(file)
    if output is not None and len(queries) > 1:
        refuse(f"{file} holds {len(queries)} queries, and {output} takes the answer to one")
    return queries


def answer_all(catalog: Catalog, queries: list[str], destination: Destination) -> None:
    """Write the answers one after the other, up to the first query that fails.

    Raises
    ------
    DicomAssetsError
        The first query failed. Later ones end the command with 1.

    """
    for number, query in enumerate(queries):
        if number and destination.is_read:
            sys.stdout.write("\n")
            sys.stdout.flush()
        try:
            destination.write(catalog.sql(query))
        except DicomAssetsError as error:
            if not number:
                raise
            tell(f"Error in query {number + 1} of {len(queries)}: {error}")
            raise typer.Exit(1) from error

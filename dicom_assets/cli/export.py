"""``dicom-assets export``: rows of a table into a file, without a line of SQL."""

from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from dicom_assets.cli.destination import Destination, tell_programs
from dicom_assets.cli.errors import clear_errors
from dicom_assets.cli.options import Json, LakeOption, Limit, Schema, SpreadsheetSafe, Where
from dicom_assets.extract.model import CATALOG_NAME
from dicom_assets.query.opening import open_catalog
from dicom_assets.query.row_query import RowQuery
from dicom_assets.query.visible import visible


def export(  # noqa: PLR0913, PLR0917 - the options of the command
    file: Annotated[Path, typer.Argument(metavar="FILE", help="The file to write: .csv, .json or .parquet.")],
    lake: LakeOption,
    schema: Schema = "dicom",
    table: Annotated[str, typer.Option("--table", help="A table or view.")] = CATALOG_NAME,
    where: Where = "true",
    columns: Annotated[str, typer.Option("--columns", help="Columns, by commas.")] = "*",
    limit: Limit = None,
    spreadsheet_safe: SpreadsheetSafe = False,
    json: Json = False,
) -> None:
    """Write rows of a table to a file, whole or not at all.

    The files of the archive themselves are exported by way of a cohort.
    """
    with clear_errors():
        destination = Destination.chosen(file, spreadsheet_safe=spreadsheet_safe)
        rows = destination.write(open_catalog(lake, schema).sql(RowQuery(table, where, columns, limit=limit).sql))
    if json:
        tell_programs({"rows": rows, "file": str(file.absolute())})
        return
    line = visible(f"{rows:,} {'row' if rows == 1 else 'rows'}: {file.absolute()}")
    Console().print(line, markup=False, highlight=False, soft_wrap=True)

"""``dicom-assets issues``: values that break a rule of the standard."""

from typing import Annotated

import typer

from dicom_assets.cli.destination import Destination
from dicom_assets.cli.errors import clear_errors
from dicom_assets.cli.options import Json, LakeOption, Limit, OutputFile, Schema, Where
from dicom_assets.query.opening import open_catalog
from dicom_assets.query.row_query import RowQuery

_BY_KIND = """\
SELECT code, keyword, count(*) AS values, count(DISTINCT path) AS files{example}
FROM ({rows})
GROUP BY ALL
ORDER BY files DESC, code, keyword"""


def issues(
    lake: LakeOption,
    schema: Schema = "dicom",
    where: Where = "true",
    every: Annotated[bool, typer.Option("--list", help="One row a value, rather than one a kind.")] = False,
    limit: Limit = None,
    json: Json = False,
    output: OutputFile = None,
) -> None:
    """Tell which values break a rule: how many of each kind, in how many files."""
    with clear_errors():
        destination = Destination.chosen(output, json=json)
        rows = RowQuery("issues", where, limit=limit if every else None, order="path" if every else "").sql
        example = "" if destination.is_read else ", min(path) AS example"  # a path is wider than a terminal
        query = rows if every else _BY_KIND.format(rows=rows, example=example)
        if limit is not None and not every:
            query += f"\nLIMIT {limit}"
        destination.write(open_catalog(lake, schema).sql(query))

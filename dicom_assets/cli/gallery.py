"""``dicom-assets gallery``: a page of thumbnails as a file."""

from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from dicom_assets.cli.destination import tell_programs
from dicom_assets.cli.errors import clear_errors
from dicom_assets.cli.options import Json, LakeOption, Schema
from dicom_assets.query.gallery import write_gallery
from dicom_assets.query.opening import open_catalog
from dicom_assets.query.visible import visible


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
    with clear_errors():
        page = write_gallery(open_catalog(lake, schema), output, title=title, where=where, limit=limit)
    if json:
        tell_programs({"shown": page.shown, "files": page.files, "page": str(output.absolute())})
        return
    line = visible(f"{page}: {output.absolute()}")
    Console().print(line, markup=False, highlight=False, soft_wrap=True)

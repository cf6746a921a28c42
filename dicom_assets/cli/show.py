"""``dicom-assets show``: one file as the catalog knows it."""

import io
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import orjson
import typer
from PIL import Image
from rich.console import Console

from dicom_assets.cli.destination import write_document
from dicom_assets.cli.errors import clear_errors
from dicom_assets.cli.options import Json, LakeOption, Schema
from dicom_assets.query.blocks import blocks, opened
from dicom_assets.query.errors import CatalogError, OutputError
from dicom_assets.query.header_tree import name_of, tree
from dicom_assets.query.labels import file_size
from dicom_assets.query.visible import visible
from dicom_assets.tables import KEY

if TYPE_CHECKING:
    from dicom_assets.query.finding import Found

_PICTURE = (48, 20)
"""Characters of the thumbnail: it leaves room for the header."""
_FILE_WIDTH = 200
_STATUSES = "_status"


def show(
    path_or_uid: Annotated[
        str, typer.Argument(metavar="PATH|UID", help="A file of the archive, or a SOP Instance UID.")
    ],
    lake: LakeOption,
    schema: Schema = "dicom",
    thumbnail: Annotated[
        Path | None,
        typer.Option("--thumbnail", metavar="FILE", help="Write the thumbnail to this file: .jpg, .png or .webp."),
    ] = None,
    json: Json = False,
) -> None:
    """Show one file: its states, its whole header as a tree, and in a terminal its thumbnail."""
    from dicom_assets.query.finding import find
    from dicom_assets.query.opening import open_catalog

    with clear_errors():
        found = find(open_catalog(lake, schema), path_or_uid)
        if thumbnail is not None:
            _save(found.row, thumbnail)
        if json:
            _write_json(found)
            return
        header = _header(found.row)
        _draw(found.row)
        width = Console().width if sys.stdout.isatty() else _FILE_WIDTH
        for line in (*_about(found), "", *_trees(header, width), *_issues(found.row, header)):
            sys.stdout.write(f"{line}\n")


def _about(found: "Found") -> Iterator[str]:
    """Yield what the catalog says of the file as a whole."""
    row = found.row
    told = {
        "path": row[KEY],
        "size": file_size(row["size"]) if row.get("size") is not None else None,
        "modified": f"{row['modified_at']:%Y-%m-%d %H:%M:%S} UTC" if row.get("modified_at") else None,
        "removed": f"{row['removed_at']:%Y-%m-%d %H:%M:%S} UTC" if row.get("removed_at") else None,
        "status": row.get("status"),
        "error": row.get("error"),
        "parts": ", ".join(f"{name.removesuffix(_STATUSES)} {state}" for name, state in _parts(row)),
        "copies": ", ".join(found.copies),
    }
    yield from (f"{name:9} {visible(str(value))}" for name, value in told.items() if value)


def _parts(row: dict[str, Any]) -> list[tuple[str, str]]:
    """Return the states of the tables that the row is joined from."""
    return [(name, state or "missing") for name, state in row.items() if name.endswith(_STATUSES)]


def _header(row: dict[str, Any]) -> dict[str, Any]:
    """Return the header, with none of its parts where there is none."""
    try:
        header: dict[str, Any] = orjson.loads(row.get("header") or "{}")
    except orjson.JSONDecodeError as error:
        raise CatalogError(f"the header of {row[KEY]} in the tables is no JSON; catalog the file anew") from error
    return header


def _trees(header: dict[str, Any], width: int) -> Iterator[str]:
    for title, part in (("File meta information", "fileMeta"), ("Data set", "dataset")):
        if header.get(part):
            yield title
            yield from (str(line) for line in tree(header[part], width))
            yield ""
    if not (header.get("fileMeta") or header.get("dataset")):
        yield "There is no header."


def _issues(row: dict[str, Any], header: dict[str, Any]) -> Iterator[str]:
    """Yield what is wrong with values."""
    issues = row.get("issues") or []
    if issues:
        yield "Issues"
    for issue in issues:
        tag = (issue["path"] or "").rpartition(".")[2].partition("[")[0]
        known = {**header.get("fileMeta", {}), **header.get("dataset", {})}
        name = name_of(known, tag) if len(tag) == len("00080005") else ""
        yield visible(f"{issue['path']} {issue['vr']} {name}  {issue['code']}  {issue['raw']}".strip())


def _draw(row: dict[str, Any]) -> None:
    """Draw the thumbnail, in a terminal that has colours."""
    console = Console(highlight=False)
    if console.is_terminal and not console.no_color and console.color_system and row.get("thumbnail") is not None:
        console.print(blocks(opened(row["thumbnail"]), min(_PICTURE[0], console.width), _PICTURE[1]))


def _save(row: dict[str, Any], file: Path) -> None:
    """Write the thumbnail in the format of a file's suffix: as it is stored, where it is stored so."""
    if row.get("thumbnail") is None:
        state = row.get("thumbnail_status") or "missing"
        raise OutputError(f"{row[KEY]} has no thumbnail: its status is {state}")
    image = opened(row["thumbnail"])
    form = Image.registered_extensions().get(file.suffix.lower())
    if form not in {"JPEG", "PNG", "WEBP"}:
        raise OutputError(f"{file} is in no known format: let it end in .jpg, .png or .webp")
    content = io.BytesIO(row["thumbnail"])
    if form != image.format:
        content = io.BytesIO()
        (image.convert("RGB") if form == "JPEG" and image.mode not in {"L", "RGB"} else image).save(content, form)
    try:
        file.write_bytes(content.getvalue())
    except OSError as error:
        raise OutputError(f"{file} cannot be written: {error.strerror}") from error


def _write_json(found: "Found") -> None:
    """Write the row with its header as an object, and without its thumbnail."""
    row = {name: value for name, value in found.row.items() if name != "thumbnail"}
    write_document({**row, "header": _header(found.row), "copies": list(found.copies)})

"""The documentation of the tables, generated from their definitions: ``python -m dicom_assets.query.describe``.

Rewrites ``docs/tables.md``; a test fails when it is stale.
"""

import ast
import inspect
import sys
from enum import StrEnum
from itertools import pairwise
from pathlib import Path

import pyarrow as pa

from dicom_assets.dicom.status import HeaderStatus, ThumbnailStatus
from dicom_assets.extract.status import CatalogStatus, MetadataStatus
from dicom_assets.tables import TABLES, Column


def type_name(type_: pa.DataType) -> str:
    """Return the name of a type as DuckDB and Delta users read it: ``list<double>``, ``timestamp``."""
    if pa.types.is_list(type_):
        return f"list<{type_name(type_.value_type)}>"
    if pa.types.is_struct(type_):
        return f"struct<{', '.join(field.name for field in type_)}>"
    if pa.types.is_timestamp(type_):
        return "timestamp (UTC)"
    return str(type_).partition("[")[0].replace("date32", "date")


def column_rows(columns: tuple[Column, ...]) -> str:
    """Return a Markdown table of columns: name, type, attribute tag, description."""
    lines = ["| Column | Type | Tag | |", "|---|---|---|---|"]
    for column in columns:
        tag = f"({column.tag[:4]},{column.tag[4:]})" if column.tag else ""
        description = column.description.replace("|", "\\|")
        lines.append(f"| `{column.name}` | {type_name(column.type)} | {tag} | {description} |")
    return "\n".join(lines)


def tables_page() -> str:
    """Return ``docs/tables.md``: every table with its columns, and the states in the status columns."""
    parts = ["# The tables", "Generated from `dicom_assets/tables.py` by `python -m dicom_assets.query.describe`."]
    for table in TABLES:
        parts += [f"## {table.name}", table.description, column_rows(table.columns)]
    parts += [
        "## States",
        "Of files as a whole (`status` of `object_catalog`); `error` is one sentence on the worst of it:",
    ]
    parts += [_states(CatalogStatus), "Of `file_metadata` (`status`, `metadata_status`):", _states(MetadataStatus)]
    parts += ["Of headers (`status` of `dicom_headers`, `header_status`):", _states(HeaderStatus)]
    parts += ["Of thumbnails (`status` of `thumbnails`, `thumbnail_status`):", _states(ThumbnailStatus)]
    return "\n\n".join(parts) + "\n"


def _states(enum: type[StrEnum]) -> str:
    """Return the members of an enum with the docstring that follows each in its source."""
    definition = ast.parse(inspect.getsource(enum)).body[0]
    assert isinstance(definition, ast.ClassDef)
    lines = ["| State | |", "|---|---|"]
    for statement, following in pairwise(definition.body):
        match statement, following:
            case ast.Assign(value=ast.Constant(value=str(state))), ast.Expr(value=ast.Constant(value=str(text))):
                lines.append(f"| `{state}` | {' '.join(text.replace('``', '`').split())} |")
    return "\n".join(lines)


def main(root: Path) -> None:
    """Rewrite the generated page of a checkout."""
    page = root / "docs" / "tables.md"
    page.parent.mkdir(exist_ok=True)
    page.write_text(tables_page(), encoding="utf-8")


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else Path.cwd())

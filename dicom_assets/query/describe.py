"""The documentation of the tables, generated from their definitions: ``python -m dicom_assets.query.describe``.

Rewrites ``docs/tables.md`` and ``docs/lineage.md``, as ``make reference`` does; a test fails when one is stale.
"""

import sys
from collections.abc import Iterable, Iterator
from enum import StrEnum
from pathlib import Path

import pyarrow as pa

from dicom_assets.extract.column_lineage import column_sources
from dicom_assets.extract.model import DEFAULT_MODEL, CatalogModel
from dicom_assets.extract.rollups import RollupStatus
from dicom_assets.extract.status import CatalogStatus
from dicom_assets.query.documented import documented
from dicom_assets.query.views import VIEWS, View
from dicom_assets.tables import FILE_INDEX, Column, Table


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


def tables_page(model: CatalogModel = DEFAULT_MODEL) -> str:
    """Return ``docs/tables.md``: every table of a catalog with its columns, and the states in the status columns."""
    parts = ["# The tables", "Generated from the code by `make reference`."]
    for table in model.tables:
        parts += [f"## {table.name}", table.description, column_rows(table.columns)]
    parts += [
        "## States",
        f"Of files as a whole (`status` of `{model.catalog.name}`); `error` is one sentence on the worst of it:",
        _state_rows(documented(CatalogStatus).items()),
    ]
    for table in model.extracted:
        states = ((status.value, status.description or _docstring(status.value)) for status in table.statuses)
        parts += [f"Of `{table.name}` (its `status`, `{table.status_column}`):", _state_rows(states)]
    if model.rollups:
        names = " and ".join(f"`{table.name}`" for table in model.rollups)
        parts += [f"Of {names}:", _state_rows(documented(RollupStatus).items())]
    parts += [
        "## Views",
        "Queries of this package can name these like tables ([SQL](sql.md#views)); they are no part of the lake.",
        "\n".join(["| View | | Reads |", "|---|---|---|", *map(_view_row, VIEWS)]),
    ]
    return "\n\n".join(parts) + "\n"


def _view_row(view: View) -> str:
    needs = ", ".join(f"`{name}`" for name in view.needs)
    return f"| `{view.name}` | {view.description} | {needs} |"


def lineage_page(model: CatalogModel = DEFAULT_MODEL) -> str:
    """Return ``docs/lineage.md``: where each column of ``object_catalog`` comes from."""
    lines = ["| Column | Comes from | Attribute |", "|---|---|---|"]
    for name, sources in column_sources(model).items():
        column = model.catalog[name]
        parts = ", ".join(f"`{source.table}.{source.column}`" for source in sources) or "the join itself"
        attribute = f"{column.name} ({column.tag[:4]},{column.tag[4:]})" if column.tag else ""
        lines.append(f"| `{name}` | {parts} | {attribute} |")
    tables = "\n".join(f"- `{table.name}`: {text}" for table, text in _table_sources(model))
    return (
        "\n\n".join(
            [
                "# Where columns come from",
                "Generated from the code by `python -m dicom_assets.query.describe`.",
                "Which run made a row is [another question](operations.md#where-a-row-comes-from).",
                "## From the archive to the tables",
                tables,
                f"## Columns of {model.catalog.name}",
                "\n".join(lines),
            ]
        )
        + "\n"
    )


def _table_sources(model: CatalogModel) -> Iterator[tuple[Table, str]]:
    yield FILE_INDEX, "the listing of the archive"
    for table in model.extracted:
        yield table, f"the content of each file that `{FILE_INDEX.name}` lists"
    joined = ", ".join(f"`{table.name}`" for table in (FILE_INDEX, *model.extracted))
    yield model.catalog, f"{joined}, joined by `path` where they are of the version of the file that is listed"
    files = f"the rows of `{model.catalog.name}` whose files are there"
    for rollup in model.rollups:
        yield rollup, f"{files}, grouped by `prefix` and `{rollup.key}`"


def _state_rows(states: Iterable[tuple[str, str]]) -> str:
    return "\n".join(["| State | |", "|---|---|", *(f"| `{state}` | {text} |" for state, text in states)])


def _docstring(state: str) -> str:
    """Return the docstring of a state that is a member of an enum, empty for other texts."""
    return documented(type(state)).get(str(state), "") if isinstance(state, StrEnum) else ""


def main(root: Path) -> None:
    """Rewrite the generated pages of a checkout."""
    folder = root / "docs"
    folder.mkdir(exist_ok=True)
    (folder / "tables.md").write_text(tables_page(), encoding="utf-8")
    (folder / "lineage.md").write_text(lineage_page(), encoding="utf-8")


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else Path.cwd())

"""From a catalog and a recipe to the members: one query, over versions of tables that are told."""

from collections.abc import Mapping
from dataclasses import dataclass, field, fields

import duckdb
import pyarrow as pa
from deltalake import DeltaTable

from dicom_assets.cohorts.errors import CohortError
from dicom_assets.cohorts.grouping import BY, assign
from dicom_assets.cohorts.members import FROM_CATALOG, SPLIT
from dicom_assets.cohorts.recipe import Level, Recipe
from dicom_assets.delta.location import TableLocation
from dicom_assets.extract.model import CATALOG_NAME
from dicom_assets.query.database import Catalog
from dicom_assets.query.errors import QueryError, one_line
from dicom_assets.query.sql_text import identifier
from dicom_assets.tables import FILE_INDEX, SOURCE

_UNITS = {
    Level.SERIES: ("SeriesInstanceUID", "series", "all_series"),
    Level.STUDY: ("StudyInstanceUID", "studies", "all_studies"),
}
"""What a level takes whole, the table that has a row for each of it, and the view of that table over all prefixes."""

# A file without a SOP Instance UID is no object that a cohort could name. The chosen are a query of their own: in a
# subquery, a column that its table lacks would be taken from object_catalog without a word.
_OF_INSTANCES = """
SELECT {columns}
FROM object_catalog
WHERE removed_at IS NULL AND SOPInstanceUID IS NOT NULL AND (
{where}
)
ORDER BY relative_path, path
"""
_OF_UNITS = """
WITH chosen AS (
  SELECT DISTINCT {unit}
  FROM {over}
  WHERE {present} AND (
{where}
  )
)
SELECT {columns}
FROM object_catalog
WHERE removed_at IS NULL AND SOPInstanceUID IS NOT NULL AND {unit} IN (FROM chosen)
ORDER BY relative_path, path
"""


@dataclass(frozen=True, slots=True)
class Selection:
    """What a recipe chose.

    Attributes
    ----------
    rows
        Members, as :data:`~dicom_assets.cohorts.members.SCHEMA`, in the order of ``relative_path``.
    over
        The table that the condition was about.
    tables
        Version of each table that was read.
    source
        Root of the archive, in text, as its index has it; empty where it does not tell.

    """

    rows: pa.Table
    over: str
    tables: Mapping[str, int]
    source: str


@dataclass(frozen=True)
class _Noting(Catalog):
    """A catalog that notes which version of each table it opens."""

    opened: dict[str, int] = field(default_factory=dict)

    @classmethod
    def like(cls, catalog: Catalog) -> "_Noting":
        return cls(**{each.name: getattr(catalog, each.name) for each in fields(catalog) if each.init})

    def open_table(self, location: TableLocation) -> DeltaTable:
        delta = super().open_table(location)
        self.opened[location.uri.rpartition("/")[2]] = delta.version()
        return delta


def select_members(catalog: Catalog, recipe: Recipe) -> Selection:
    """Return the members that a recipe chooses.

    Raises
    ------
    CohortError
        No file meets the condition.
    SplitError
        A split would be empty.
    QueryError
        The condition, or the column that is split by, is not one of the table.
    NoCatalogError
        There is no catalog.

    """
    noting = _Noting.like(catalog)
    over = _over(noting, recipe.level)
    query = _query(recipe, over)
    try:
        found = noting.sql(query).to_arrow_table()
    except duckdb.Error as error:  # on a value, which shows when rows are read
        raise QueryError(one_line(error)) from error
    versions = dict(sorted(noting.opened.items()))  # before the index is opened, which the query did not read
    if not found.num_rows:
        raise CohortError("no file meets the condition: a cohort has at least one member")
    split = pa.nulls(found.num_rows, SPLIT.type) if recipe.split is None else assign(found, recipe.split)
    columns = [found[column.name].cast(column.type) for column in FROM_CATALOG]
    schema = pa.schema([pa.field(column.name, column.type) for column in (*FROM_CATALOG, SPLIT)])
    return Selection(pa.table([*columns, split], schema=schema), over, versions, source_of(catalog))


def source_of(catalog: Catalog) -> str:
    """Return the root of a catalog's archive as its index has it, in text; empty where it does not tell."""
    location = catalog.location(FILE_INDEX.name)
    if not location.exists():
        return ""
    return str(catalog.open_table(location).metadata().configuration.get(SOURCE, ""))


def _over(catalog: Catalog, level: Level) -> str:
    """Return the table that a condition is about.

    A catalog of an older release has no row for each series and study: there it is about ``object_catalog``, and
    whatever has a file that meets it is taken whole.
    """
    if level not in _UNITS:
        return CATALOG_NAME
    _, table, view = _UNITS[level]
    return view if table in catalog.tables() else CATALOG_NAME


def _query(recipe: Recipe, over: str) -> str:
    columns = [identifier(column.name) for column in FROM_CATALOG]
    if recipe.split is not None:
        columns.append(f"CAST({identifier(recipe.split.by)} AS VARCHAR) AS {BY}")
    listed = ", ".join(columns)
    if recipe.level not in _UNITS:
        return _OF_INSTANCES.format(columns=listed, where=recipe.where)
    unit, *_ = _UNITS[recipe.level]
    present = "removed_at IS NULL" if over == CATALOG_NAME else "true"
    return _OF_UNITS.format(columns=listed, unit=unit, over=over, present=present, where=recipe.where)

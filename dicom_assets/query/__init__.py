"""The reading side: SQL over the Delta tables, and what is made of its answers.

Here belongs what reads a finished catalog for people: the SQL engine and its limits (``database``, ``engine``,
``references``), views by name (``views``, each in a module by its subject, ``relations``), attributes by name
(``words``, ``json_values``, ``dictionary``), Delta tables as datasets for DuckDB to scan (``opened``, ``dataset``,
``scans``, ``remote``), the text of queries (``statements``, ``row_query``, ``vocabulary``, ``explain``), results on a
terminal and in files (``formats``, ``terminal``, ``values``, ``visible``, ``spreadsheet``), pages and pictures
(``gallery``, ``preview``, ``blocks``), one file (``finding``, ``header_tree``), what changed between versions
(``version_changes``, ``as_of``, ``versions``), what a lake holds (``lake_state``, ``summary``, ``labels``), where rows
come from (``lineage_asking`` takes the question; ``lineage`` and its neighbours answer it), what researchers take out
(``research``, and what it calls: ``selection``, ``objects``, ``volume``) and the documentation of the tables
(``describe``).

What writes a table belongs in ``pipeline``, and the options and messages of commands belong in ``cli``.
Neither Dagster nor Spark is imported: to read a catalog, a laptop and this package are enough.
"""

from typing import TYPE_CHECKING

from dicom_assets.lazy import importer

if TYPE_CHECKING:
    from dicom_assets.query.database import Catalog
    from dicom_assets.query.engine import EngineOptions
    from dicom_assets.query.errors import CatalogError, NoCatalogError, OutputError, QueryError
    from dicom_assets.query.formats import Format, write
    from dicom_assets.query.selection import Selection

__all__ = [
    "Catalog",
    "CatalogError",
    "EngineOptions",
    "Format",
    "NoCatalogError",
    "OutputError",
    "QueryError",
    "Selection",
    "write",
]

_HOMES = {
    "Catalog": "dicom_assets.query.database",
    "CatalogError": "dicom_assets.query.errors",
    "EngineOptions": "dicom_assets.query.engine",
    "Format": "dicom_assets.query.formats",
    "NoCatalogError": "dicom_assets.query.errors",
    "OutputError": "dicom_assets.query.errors",
    "QueryError": "dicom_assets.query.errors",
    "Selection": "dicom_assets.query.selection",
    "write": "dicom_assets.query.formats",
}
"""In which module each name is defined."""

if not TYPE_CHECKING:  # type checkers see the names above, and no others
    __getattr__ = importer(__name__, _HOMES)

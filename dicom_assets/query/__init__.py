"""The reading side: SQL over the Delta tables, and what is made of its answers.

Here belongs what reads a finished catalog for people: the SQL engine and its limits (``database``, ``engine``,
``references``), views by name (``views``, each in a module by its subject, ``relations``), attributes by name
(``words``, ``json_values``, ``dictionary``), Delta tables as datasets for DuckDB to scan (``opened``, ``dataset``,
``scans``, ``remote``), results on a terminal and in files (``formats``, ``terminal``, ``values``, ``visible``,
``spreadsheet``), pages and pictures (``gallery``, ``preview``), counts (``summary``, ``labels``), where rows come from
(``lineage_asking`` takes the question; ``lineage`` and its neighbours answer it) and the documentation of the tables
(``describe``).

What writes a table belongs in ``pipeline``, and the options and messages of commands belong in ``cli``.
Neither Dagster nor Spark is imported: to read a catalog, a laptop and this package are enough.
"""

from dicom_assets.query.database import Catalog
from dicom_assets.query.engine import EngineOptions
from dicom_assets.query.errors import CatalogError, NoCatalogError, OutputError, QueryError
from dicom_assets.query.formats import Format, write

__all__ = ["Catalog", "CatalogError", "EngineOptions", "Format", "NoCatalogError", "OutputError", "QueryError", "write"]

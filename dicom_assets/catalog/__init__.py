"""The reading side: SQL over the Delta tables, results in files, the gallery, and the documentation of the tables.

Imports neither Dagster nor Spark: a catalog is read with what a laptop has.
"""

from dicom_assets.catalog.database import Catalog
from dicom_assets.catalog.engine import EngineOptions
from dicom_assets.catalog.errors import CatalogError, NoCatalogError, OutputError, QueryError
from dicom_assets.catalog.formats import Format, write

__all__ = ["Catalog", "CatalogError", "EngineOptions", "Format", "NoCatalogError", "OutputError", "QueryError", "write"]

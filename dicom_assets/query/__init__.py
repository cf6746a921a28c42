"""The reading side: SQL over the Delta tables, results in files, the gallery, and the documentation of the tables.

Imports neither Dagster nor Spark: a catalog is read with what a laptop has.
"""

from dicom_assets.query.database import Catalog
from dicom_assets.query.engine import EngineOptions
from dicom_assets.query.errors import CatalogError, NoCatalogError, OutputError, QueryError
from dicom_assets.query.formats import Format, write

__all__ = ["Catalog", "CatalogError", "EngineOptions", "Format", "NoCatalogError", "OutputError", "QueryError", "write"]

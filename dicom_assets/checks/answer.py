"""Asking the tables for a check, within bounds."""

from typing import Any

import duckdb

from dicom_assets.checks.check import Scope
from dicom_assets.query.database import Catalog
from dicom_assets.query.engine import EngineOptions
from dicom_assets.query.errors import CatalogError, one_line

MEMORY_BYTES = 512 << 20
"""What a query may use before it spills to disk."""


def answer(query: str, scope: Scope) -> list[Any]:
    """Return the rows of a query.

    Raises
    ------
    CatalogError
        A table cannot be read.

    """
    try:
        return Catalog(scope.lake, engine=EngineOptions(memory_bytes=MEMORY_BYTES)).sql(query).fetchall()
    except duckdb.Error as error:
        raise CatalogError(f"the tables cannot be checked: {one_line(error)}") from error

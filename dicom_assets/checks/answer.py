"""Asking the tables for a check."""

from typing import Any

import duckdb

from dicom_assets.checks.check import Scope
from dicom_assets.query.errors import CatalogError, one_line


def answer(query: str, scope: Scope) -> list[Any]:
    """Return the rows of a query.

    Raises
    ------
    CatalogError
        A table cannot be read.

    """
    try:
        return scope.catalog.sql(query).fetchall()
    except duckdb.Error as error:
        raise CatalogError(f"the tables cannot be checked: {one_line(error)}") from error

"""Answers that are read whole, with errors of this package where reading them fails."""

from typing import Any

import duckdb
import pyarrow as pa

from dicom_assets.query.database import Catalog
from dicom_assets.query.errors import QueryError, one_line


def fetch(catalog: Catalog, query: str) -> list[dict[str, Any]]:
    """Return the rows of an answer, by the names of its columns.

    Raises
    ------
    QueryError
        The query does not bind, or fails while it is read: a value cannot be converted, a data file is missing.
    NoCatalogError
        There is no table at all.

    """
    try:
        rows: list[dict[str, Any]] = catalog.sql(query).to_arrow_table().to_pylist()
    except (duckdb.Error, pa.ArrowException, OSError) as error:
        raise QueryError(one_line(error)) from error
    return rows

"""Asking the tables for a check."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import duckdb
import pyarrow as pa

from dicom_assets.checks.check import Scope
from dicom_assets.query.errors import CatalogError, one_line


def answer(query: str, scope: Scope) -> list[Any]:
    """Return the rows of a query; raises as :func:`answer_table` does."""
    with _told():
        return scope.catalog.sql(query).fetchall()


def answer_table(query: str, scope: Scope) -> pa.Table:
    """Return the rows of a query that may be many.

    Raises
    ------
    CatalogError
        A table cannot be read.

    """
    with _told():
        return scope.catalog.sql(query).to_arrow_table()


@contextmanager
def _told() -> Iterator[None]:
    try:
        yield
    except duckdb.Error as error:
        raise CatalogError(f"the tables cannot be checked: {one_line(error)}") from error

"""Whether a table on storage has the columns that are declared."""

from collections.abc import Iterator

import pyarrow as pa

from dicom_assets.checks.check import Measured, Scope
from dicom_assets.delta.newest import newest
from dicom_assets.extract.headers import DICOM_HEADERS
from dicom_assets.extract.model import CATALOG_NAME
from dicom_assets.pipeline.own_columns import saved_columns
from dicom_assets.tables import Table


def measure_schema(table: Table, scope: Scope) -> Measured:
    """Count the columns that a table lacks, has too many, or has in another type than declared."""
    location = scope.lake.location(table)
    if not location.exists():
        return Measured(1, differences=["the table is missing"])
    stored = pa.schema(newest(location).schema().to_arrow())
    found = list(_differences(_with_own_columns(table, scope), stored))
    return Measured(len(found), differences=found)


def _with_own_columns(table: Table, scope: Scope) -> pa.Schema:
    """Return what is declared, by the model and by the catalog itself: columns that were added to it."""
    declared = table.schema
    if table.name in (DICOM_HEADERS.name, CATALOG_NAME):
        for one in saved_columns(scope.lake):
            if one.name not in declared.names:
                declared = declared.append(pa.field(one.name, one.column().type))
    return declared


def _differences(declared: pa.Schema, stored: pa.Schema) -> Iterator[str]:
    for field in declared:
        if field.name not in stored.names:
            yield f"{field.name} is missing"
        elif (found := stored.field(field.name).type) != field.type:
            yield f"{field.name} is {found}, declared {field.type}"
    for name in stored.names:
        if name not in declared.names:
            yield f"{name} is not declared"

"""Which columns of the other tables each column of ``object_catalog`` is made of."""

from collections.abc import Mapping
from dataclasses import dataclass

from dicom_assets.extract.model import CatalogModel
from dicom_assets.tables import FILE_INDEX, PROVENANCE


@dataclass(frozen=True, slots=True)
class ColumnSource:
    """One column of one table."""

    table: str
    column: str


def column_sources(model: CatalogModel) -> Mapping[str, tuple[ColumnSource, ...]]:
    """Return where the columns of ``object_catalog`` come from, in their order.

    Columns that tell who made the row of ``object_catalog`` itself come from nowhere.
    """
    found: dict[str, tuple[ColumnSource, ...]] = {column.name: () for column in PROVENANCE}
    found["extractor_version"] = tuple(ColumnSource(table.name, "extractor_version") for table in model.extracted)
    # The worst that any table says of the file: rows without a fingerprint are of files that could not be read.
    found["status"] = found["error"] = tuple(
        ColumnSource(table.name, column)
        for table in model.extracted
        for column in ("status", "error", "fingerprint", table.codes_column)
        if column
    )
    for table in model.extracted:
        found[table.status_column] = (ColumnSource(table.name, "status"),)
        for column in table.own_columns:
            if column.in_catalog:
                found[column.name] = (ColumnSource(table.name, column.name),)
    return {
        name: found[name] if name in found else (ColumnSource(FILE_INDEX.name, name),)
        for name in model.catalog.schema.names
    }

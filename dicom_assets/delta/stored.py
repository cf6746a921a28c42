"""The definition of a table as its log holds it."""

from collections.abc import Mapping
from dataclasses import dataclass, field

import pyarrow as pa

from dicom_assets.delta.format import KEY_COLUMN
from dicom_assets.delta.location import STATISTICS, TableLocation
from dicom_assets.tables import KEY, Column, Table


@dataclass(frozen=True)
class StoredTable(Table):
    """A table as it is on storage.

    Attributes
    ----------
    properties
        Of the table, ours and Delta's.

    """

    properties: Mapping[str, str] = field(default_factory=dict)


def stored_table(location: TableLocation, version: int | None = None) -> StoredTable:
    """Return the definition of a table as its log holds it; raises ``TableNotFoundError``."""
    delta = location.open(version)
    metadata = delta.metadata()
    key = metadata.configuration.get(KEY_COLUMN, KEY)
    statistics = metadata.configuration.get(STATISTICS, key).split(",")
    schema = pa.schema(delta.schema().to_arrow())
    columns = tuple(Column(field.name, field.type, "", field.name in statistics) for field in schema)
    return StoredTable(metadata.name or "", metadata.description or "", columns, key, metadata.configuration)

"""A listing: the files of one prefix, as columns."""

from collections.abc import Iterable
from datetime import datetime
from typing import NamedTuple

import pyarrow as pa

from dicom_assets.errors import InfrastructureError
from dicom_assets.tables import FILE_INDEX

LISTING_SCHEMA = pa.schema(
    [
        FILE_INDEX.schema.field(name)
        for name in ("prefix", "path", "relative_path", "size", "modified_at", "etag", "fingerprint", "source_version")
    ]
)
"""Schema of a listing: the index less what we add to it."""

UNKNOWN = "unknown"
"""Fingerprint of a file that is there, and of which the storage does not tell more."""


class ListingError(InfrastructureError, OSError):
    """A prefix could not be listed whole; what was listed says nothing of what was removed.

    Attributes
    ----------
    listed
        Those files that were listed, as :data:`LISTING_SCHEMA`.

    """

    def __init__(self, message: str, listed: pa.Table | None = None) -> None:
        super().__init__(message)
        self.listed = LISTING_SCHEMA.empty_table() if listed is None else listed


class ListedFile(NamedTuple):
    """One file, as the storage tells of it."""

    path: str
    relative_path: str
    size: int | None
    modified_at: datetime | None
    etag: str | None
    fingerprint: str
    source_version: str | None = None


def to_table(prefix: str, files: Iterable[ListedFile]) -> pa.Table:
    """Return a listing in the order of paths."""
    rows = sorted(files, key=lambda file: file.path)
    columns: list[tuple[object, ...]] = list(zip(*rows, strict=True)) if rows else [()] * len(ListedFile._fields)
    return pa.table([pa.repeat(prefix, len(rows)), *map(list, columns)], schema=LISTING_SCHEMA)


def with_column(rows: pa.Table, name: str, column: pa.Array | pa.ChunkedArray) -> pa.Table:
    """Return rows with other values in a column that they have."""
    return rows.set_column(rows.schema.get_field_index(name), rows.schema.field(name), column)

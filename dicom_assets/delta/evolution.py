"""Bringing the tables of a lake to what this version of the package has: created, widened, narrowed."""

from collections.abc import Collection, Mapping

import pyarrow as pa
from deltalake import DeltaTable, Field, Schema
from deltalake.exceptions import CommitFailedError, TableNotFoundError

from dicom_assets.delta.format import FORMAT, KEY_COLUMN, format_for, format_of
from dicom_assets.delta.location import TableLocation
from dicom_assets.delta.newest import newest
from dicom_assets.errors import UserError
from dicom_assets.storage.retries import retry_lost_race
from dicom_assets.tables import KEY, PARTITION, Table

_ATTEMPTS = 10
"""At an upgrade, beside others."""
_NO_PREFIX = "\0"
"""A partition value that no file has."""


class TableSchemaError(UserError, ValueError):
    """What is on storage is not the table that this version of the package writes: other types, or another key."""


def ensure_table(location: TableLocation, table: Table, properties: Mapping[str, str] | None = None) -> None:
    """Create a table, or bring an existing one up to the columns and the format of this version of the package.

    Safe beside others that do the same: creation ignores a table that appeared meanwhile, and an upgrade that another
    one got in the way of looks again. Killed between its two commits, it is completed by the next.

    Parameters
    ----------
    location, table
        Where it is, and what it should be.
    properties
        Of a table that is created.

    Raises
    ------
    TableSchemaError
        An existing column has another type, or the table is one of a user that has the name of this one.
    LakeFormatError
        A newer version of this package has written it.

    """
    retry_lost_race(lambda: _ensure(location, table, properties), CommitFailedError, _ATTEMPTS)


def _ensure(location: TableLocation, table: Table, properties: Mapping[str, str] | None) -> None:
    """Create or upgrade a table; raises ``CommitFailedError`` where another upgrade was faster."""
    try:
        existing = newest(location)
    except TableNotFoundError:
        location.create(table, properties)
        return
    stated = existing.metadata().configuration
    if stated.get(KEY_COLUMN, KEY) != table.key:
        raise TableSchemaError(
            f"the table at {location.uri} is not the {table.name} of a catalog, which would stand there: rename it, or "
            "give the catalog a schema of its own (--schema, or DICOM_ASSETS_SCHEMA)"
        )
    if _missing_columns(existing, table) or format_of(stated, location.uri) < format_for(table):
        _upgrade(location, table)


def _upgrade(location: TableLocation, table: Table) -> None:
    """Add columns, then state the format: on one version, so that of two who do so the second looks again."""
    existing = location.open()
    if missing := _missing_columns(existing, table):
        existing.alter.add_columns(missing)
    if format_of(existing.metadata().configuration, location.uri) < (wanted := format_for(table)):
        existing.alter.set_table_properties({FORMAT: str(wanted)}, raise_if_not_exists=False)


def _missing_columns(existing: DeltaTable, table: Table) -> list[Field]:
    """Return the columns that a table which an older version of this package created lacks."""
    present = {column.name: column.type for column in existing.schema().fields}
    missing: list[Field] = []
    for column in Schema.from_arrow(pa.schema(table.schema)).fields:
        if column.name not in present:
            missing.append(Field(column.name, column.type, nullable=True))
        elif present[column.name] != column.type:
            raise TableSchemaError(
                f"table {table.name}: column {column.name} is {present[column.name]} on storage and "
                f"{column.type} in this version; move the table away to have it rebuilt"
            )
    return missing


def drop_columns(location: TableLocation, names: Collection[str]) -> None:
    """Take columns out of the schema of a table; those that it does not have are passed over.

    Data files are left as they are: readers pass over columns that the schema does not have. Whoever wants them gone
    from the files, too, has rewritten these before, for a column of the name that comes later would show them again.

    Parameters
    ----------
    location
        Of an existing table.
    names
        Neither key nor partition are among them.

    """

    def drop_once() -> None:
        delta = location.open()
        fields = delta.schema().fields
        kept = [field for field in fields if field.name not in names]
        if len(kept) < len(fields):
            # delta-rs drops no column by itself; an overwrite of no partition is a commit of the schema alone.
            delta.create_write_transaction(
                [],
                mode="overwrite",
                schema=Schema(kept),
                partition_by=[PARTITION],
                partition_filters=[(PARTITION, "=", _NO_PREFIX)],
            )

    retry_lost_race(drop_once, CommitFailedError, _ATTEMPTS)

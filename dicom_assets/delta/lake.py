"""The tables of one catalog, side by side at ``{root}/{schema}/{table}``."""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from dicom_assets.delta.evolution import ensure_table
from dicom_assets.delta.file_list import FileList
from dicom_assets.delta.location import TableLocation
from dicom_assets.delta.newest import newest
from dicom_assets.delta.snapshot import Snapshot, take_snapshot
from dicom_assets.delta.stored import stored_table
from dicom_assets.errors import UserError
from dicom_assets.storage.addresses import AddressError, absolute, is_remote
from dicom_assets.tables import Table

_SCHEMA_NAME = re.compile(r"[^\W_][\w.-]*")
CATALOG_TABLE = "dicom_assets.catalogTable"
"""Property of the tables that belong to a catalog, and not to a user."""
_PERCENT_CODE = re.compile(r"%[0-9A-Fa-f]{2}")
_LONGEST_NAME = 255
"""Bytes that file systems take."""


class SchemaNameError(UserError, ValueError):
    """A schema is not the name of one folder of the lake, or that folder is not free for tables."""


def check_schema_name(schema: str) -> None:
    """Refuse what is not the plain name of one folder of the lake.

    A path would put the tables outside the lake, or among the files of another table; names that begin with a point
    or an underscore belong to others, such as the folder of Dagster and the logs of tables.

    Raises
    ------
    SchemaNameError
        The schema is no such name.

    """
    if not _SCHEMA_NAME.fullmatch(schema) or len(schema.encode()) > _LONGEST_NAME:
        raise SchemaNameError(
            f"the schema {schema!a} is not the name of a folder in the lake: take letters, digits, '_', '-' and "
            "'.', a letter or digit first"
        )


@dataclass(frozen=True, slots=True)
class Lake:
    """Where the tables are.

    Attributes
    ----------
    root
        Absolute local path, or URI of an object store. A ``file://`` URI, or a relative path, is taken too and becomes
        an absolute path.
    schema
        Folder of this catalog, so that several share a lake.
    storage_options
        Options of the object store, as delta-rs names them.

    Raises
    ------
    SchemaNameError
        The schema is not the name of one folder.
    AddressError
        The root is a folder of another machine, or its path holds what looks like a percent-encoded character, which
        delta-rs decodes.

    """

    root: str
    schema: str = "dicom"
    storage_options: Mapping[str, str] = field(default_factory=dict, repr=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "root", absolute(self.root))
        if not is_remote(self.root) and (code := _PERCENT_CODE.search(self.root)):
            raise AddressError(f"the lake {self.root} cannot be addressed: Delta takes {code[0]} for another character")
        check_schema_name(self.schema)

    def location(self, table: Table) -> TableLocation:
        """Return where a table is."""
        return self._location(table.name)

    def existing(self, tables: Iterable[Table]) -> tuple[Table, ...]:
        """Return the tables that have been created: those of a model, then others of the catalog.

        The others are of extractors that are configured no more, or not here.
        """
        found = tuple(table for table in tables if self.location(table).exists())
        known = {table.name for table in found}
        strangers = sorted(self.table_names() - known)
        stored = (stored_table(self._location(name)) for name in strangers)
        return (*found, *(table for table in stored if table.properties.get(CATALOG_TABLE) == "true"))

    def table_names(self) -> frozenset[str]:
        """Return the names of all Delta tables of the schema, those of users included."""
        below = self._location("").folders()
        return frozenset(name for name in below if self._location(name).exists())

    def _location(self, name: str) -> TableLocation:
        return TableLocation(f"{self.root.rstrip('/')}/{self.schema}/{name}".rstrip("/"), self.storage_options)

    def ensure(self, tables: Iterable[Table]) -> None:
        """Create the tables that are missing and bring older ones up to this version's columns and format.

        Raises
        ------
        LakeFormatError
            A newer version of this package has written a table.
        SchemaNameError
            The lake, or its schema, is itself a table (looked for on local lakes).

        """
        for folder in (self.root, f"{self.root}/{self.schema}"):
            if Path(folder, "_delta_log").is_dir():
                raise SchemaNameError(f"{folder} is a Delta table; tables inside another one would be lost with it")
        for table in tables:
            ensure_table(self.location(table), table, {CATALOG_TABLE: "true"})

    def snapshot(self, table: Table, prefixes: Sequence[str] | None = None) -> Snapshot:
        """Read the log of a table; raises ``TableNotFoundError``."""
        return take_snapshot(self.location(table), table, prefixes)

    def file_list(self, table: Table) -> FileList:
        """Return the data files of all prefixes of a table, as columns; raises ``TableNotFoundError``."""
        return FileList.of(newest(self.location(table)), key=table.key)

"""The tables of one catalog, side by side at ``{root}/{schema}/{table}``."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from dicom_assets.delta.location import TableLocation, ensure_table
from dicom_assets.delta.snapshot import Snapshot, take_snapshot
from dicom_assets.tables import TABLES, Table


@dataclass(frozen=True, slots=True)
class Lake:
    """Where the tables are.

    Attributes
    ----------
    root
        Absolute local path or object store URI.
    schema
        Folder of this catalog, so that several share a lake.
    storage_options
        Options of the object store, as delta-rs names them.

    """

    root: str
    schema: str = "dicom"
    storage_options: Mapping[str, str] = field(default_factory=dict, repr=False)

    def location(self, table: Table) -> TableLocation:
        """Return where a table is."""
        return TableLocation(f"{self.root.rstrip('/')}/{self.schema}/{table.name}", self.storage_options)

    def existing(self) -> tuple[Table, ...]:
        """Return the tables that have been created."""
        return tuple(table for table in TABLES if self.location(table).exists())

    def ensure(self, tables: Iterable[Table]) -> None:
        """Create the tables that are missing and bring older ones up to this version's columns."""
        for table in tables:
            ensure_table(self.location(table), table)

    def snapshot(self, table: Table, prefixes: Sequence[str] | None = None) -> Snapshot:
        """Read the log of a table; raises ``TableNotFoundError``."""
        return take_snapshot(self.location(table), table, prefixes)

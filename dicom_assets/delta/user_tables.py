"""Tables that users build on the catalog: read by partition, written so that only the partitions of a run change.

Knows nothing of Dagster nor of pandas.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

import pyarrow as pa
import pyarrow.compute as pc
from deltalake import CommitProperties, write_deltalake
from deltalake.exceptions import CommitFailedError, TableNotFoundError

from dicom_assets.delta.lake import CATALOG_TABLE
from dicom_assets.delta.location import TableLocation
from dicom_assets.errors import UserError
from dicom_assets.storage.retries import retry_lost_race

_ATTEMPTS = 15


class UserTableError(UserError, ValueError):
    """Rows do not fit their table, or the table is not there."""


@dataclass(frozen=True, slots=True)
class Written:
    """What one commit left: the version of the table, and how many rows each partition of the run has now."""

    version: int
    rows: int
    by_partition: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class UserTable:
    """A Delta table that belongs to one asset.

    Attributes
    ----------
    location
        Where it is.
    partition
        Name of the column that holds the partition keys, ``None`` when the asset has no partitions.

    """

    location: TableLocation
    partition: str | None = None

    def read(self, columns: Sequence[str] | None = None, keys: Collection[str] | None = None) -> pa.Table:
        """Return rows, in the types of the table.

        Parameters
        ----------
        columns
            Names in the order wanted, by default all.
        keys
            Partitions wanted, by default all; data files of others are not read.

        Raises
        ------
        UserTableError
            There is no table, or it lacks a column.

        """
        try:
            delta = self.location.open()
        except TableNotFoundError as error:
            raise UserTableError(f"there is no table at {self.location.uri}: materialize its asset first") from error
        stored = pa.schema(delta.schema().to_arrow())
        names = stored.names if columns is None else list(columns)
        if missing := [name for name in names if name not in stored.names]:
            raise UserTableError(f"{self.location.uri} has no column {', '.join(missing)}")
        rows = pa.table(delta.scan(columns=names, predicate=self._predicate(keys)))
        # delta-rs returns views, which few libraries take.
        return rows.select(names).cast(pa.schema([stored.field(name) for name in names]))

    def types(self) -> dict[str, pa.DataType]:
        """Return the types of the columns, none when there is no table yet."""
        if not self.location.exists():
            return {}
        return {field.name: field.type for field in pa.schema(self.location.open().schema().to_arrow())}

    def replace(
        self, rows: pa.Table, keys: Sequence[str] | None = None, metadata: dict[str, str] | None = None
    ) -> Written:
        """Put rows in the place of all rows of some partitions, or of the whole table, in one commit.

        Columns that are new join the table, columns that are not there are null.

        Parameters
        ----------
        rows
            What these partitions hold from now on.
        keys
            The partitions, ``None`` for the whole table, whose columns are then replaced too.
        metadata
            Kept in the commit.

        Raises
        ------
        UserTableError
            Rows belong to no or to other partitions, or the table is partitioned otherwise, or belongs to a catalog.

        """
        if keys is not None:
            rows = self._of_partitions(rows, keys)
        if not rows.column_names:
            raise UserTableError(f"no column has a value or a type to make {self.location.uri} of")
        self._create(rows.schema)
        properties = CommitProperties(custom_metadata=metadata)

        def write() -> int:
            # Trying again doubles nothing: the partitions are replaced.
            write_deltalake(
                self.location.uri,
                rows,
                mode="overwrite",
                predicate=self._predicate(keys),
                partition_by=None if self.partition is None else [self.partition],
                schema_mode="overwrite" if keys is None else "merge",
                storage_options=dict(self.location.storage_options),
                commit_properties=properties,
            )
            return self.location.open().version()

        version = retry_lost_race(write, CommitFailedError, _ATTEMPTS)
        return Written(version, rows.num_rows, self._count(rows, keys or ()))

    def _count(self, rows: pa.Table, keys: Sequence[str]) -> dict[str, int]:
        if self.partition is None:
            return {}
        counted = pc.value_counts(rows.column(self.partition).combine_chunks()).to_pylist()
        return dict.fromkeys(keys, 0) | {entry["values"]: entry["counts"] for entry in counted}

    def _of_partitions(self, rows: pa.Table, keys: Sequence[str]) -> pa.Table:
        """Return rows that all belong to the partitions of a run."""
        assert self.partition is not None
        if self.partition not in rows.column_names:
            if len(keys) > 1 and rows.num_rows:
                raise UserTableError(
                    f"rows for {len(keys)} partitions need the column {self.partition} to tell them apart"
                )
            return rows.add_column(0, self.partition, pa.repeat(pa.scalar(keys[0], pa.string()), rows.num_rows))
        if not pa.types.is_string(type_ := rows.schema.field(self.partition).type):
            raise UserTableError(f"the column {self.partition} holds {type_}, partition keys are strings")
        found = set(pc.unique(rows.column(self.partition)).to_pylist())
        if None in found:
            raise UserTableError(f"rows without a value in the column {self.partition} belong to no partition")
        if strangers := sorted(found - set(keys)):
            raise UserTableError(
                f"rows of other partitions than those of this run: {_few(strangers)} (the run has {_few(keys)}); "
                "they would be lost or doubled"
            )
        return rows

    def _predicate(self, keys: Collection[str] | None) -> str | None:
        if keys is None:
            return None
        if not keys:
            return "false"
        literals = ", ".join("'" + key.replace("'", "''") + "'" for key in keys)
        return f"{self.partition} IN ({literals})"

    def _create(self, schema: pa.Schema) -> None:
        """Create the table empty when there is none: two first writers at once would fail each other."""
        wanted = [] if self.partition is None else [self.partition]
        try:
            delta = self.location.open()
        except TableNotFoundError:
            self.location.create_empty(schema, wanted)
            delta = self.location.open()
        if delta.metadata().configuration.get(CATALOG_TABLE) == "true":
            raise UserTableError(
                f"{self.location.uri} is a table of a catalog and would be overwritten: call the asset otherwise, or "
                "name another schema in its metadata"
            )
        if (present := delta.metadata().partition_columns) != wanted:
            raise UserTableError(
                f"{self.location.uri} is partitioned by {present or 'nothing'}, its asset by {wanted or 'nothing'}: "
                "move the table away to have it built anew"
            )


def _few(keys: Sequence[str]) -> str:
    """Return some keys for a message."""
    return ", ".join(keys[:5]) + (f" and {len(keys) - 5} more" if len(keys) > 5 else "")

"""The IO manager of assets that users build on the catalog: what they return is a Delta table beside the catalog's.

dagster-deltalake's own loses data when a run holds several string keys (it drops the predicate and overwrites the
whole table) and never shows row counts. Here partition keys become one exact predicate.
"""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import pandas as pd
from dagster import (
    ConfigurableIOManagerFactory,
    InitResourceContext,
    InputContext,
    MetadataValue,
    OutputContext,
    ResourceDependency,
    TableColumn,
    TableSchema,
)
from dagster_deltalake.io_manager import DeltaLakeDbClient

from dicom_assets.cohorts.store import cohort_schema
from dicom_assets.delta.frames import from_pandas, to_pandas
from dicom_assets.delta.lake import Lake, check_schema_name
from dicom_assets.delta.location import TableLocation
from dicom_assets.delta.origin import DAGSTER_RUN
from dicom_assets.delta.user_tables import UserTable, UserTableError
from dicom_assets.extract.model import OBJECT_CATALOG
from dicom_assets.orchestration.assets.specs import COHORT, TABLE
from dicom_assets.orchestration.dagster_internals import (
    DbIOManager,
    DbTypeHandler,
    TablePartitionDimension,
    TableSlice,
)
from dicom_assets.orchestration.resources.lake import LakeResource
from dicom_assets.storage.addresses import without_secrets
from dicom_assets.tables import PARTITION

_USUAL_TYPES = {field.name: field.type for field in OBJECT_CATALOG.schema}


class LakeIOManager(ConfigurableIOManagerFactory[DbIOManager]):
    """Stores data frames as Delta tables of the lake, at ``{root}/{schema}/<asset>``.

    The partition column is ``prefix`` unless the metadata of the asset names another as ``partition_expr``; the
    metadata ``schema`` of an asset places its table in another schema. The metadata ``columns`` of an input selects
    columns.

    Examples
    --------
    CT images with thin slices, for the prefixes of the run::

        @asset(
            partitions_def=PREFIXES,
            backfill_policy=BackfillPolicy.single_run(),
            ins={"object_catalog": AssetIn(metadata={"columns": ["prefix", "path", "Modality", "SliceThickness"]})},
        )
        def thin_ct(object_catalog: pd.DataFrame) -> pd.DataFrame:
            return object_catalog.query("Modality == 'CT' and SliceThickness <= 1.5")

    """

    lake: ResourceDependency[LakeResource]

    def create_io_manager(self, context: InitResourceContext) -> DbIOManager:  # noqa: ARG002
        """Return the IO manager of a run."""
        return _LakeDbIOManager(self.lake.open())


class _LakeDbIOManager(DbIOManager):
    """Dagster's table IO manager, which asks for a table slice wherever an asset is loaded or stored."""

    def __init__(self, lake: Lake) -> None:
        super().__init__(
            type_handlers=[PandasHandler()],
            db_client=_LakeClient(lake),
            database="",
            schema=lake.schema,
            io_manager_name=LakeIOManager.__name__,
            default_load_type=pd.DataFrame,
        )

    def _get_table_slice(self, context: OutputContext | InputContext, output_context: OutputContext) -> TableSlice:
        """Return which table, which partitions and which columns are meant.

        Not Dagster's: that one takes the last part of an asset key alone, so that two assets may share a table, and
        has no default for the partition column.
        """
        metadata: Mapping[str, Any] = {} if output_context is None else output_context.definition_metadata or {}
        partitions = None
        if context.has_asset_key and context.has_asset_partitions:
            column = metadata.get("partition_expr", PARTITION)
            if not isinstance(column, str):
                raise UserTableError(f"{context.asset_key.to_user_string()}: partition_expr has to name one column")
            partitions = [TablePartitionDimension(column, context.asset_partition_keys)]
        # Tables of a catalog say what they are called: with the name of a catalog their asset keys have more parts.
        name = metadata.get(TABLE) or (
            "__".join(context.asset_key.path) if context.has_asset_key else output_context.name
        )
        columns = (context.definition_metadata or {}).get("columns") if isinstance(context, InputContext) else None
        schema = str(metadata.get("schema") or self._schema)
        if metadata.get(COHORT):
            schema = cohort_schema(schema)
        check_schema_name(schema)
        return TableSlice(name, schema, None, columns, partitions)


class _LakeClient(DeltaLakeDbClient):  # type: ignore[misc]
    """Finds the table of a slice in a lake."""

    def __init__(self, lake: Lake) -> None:
        self._lake = lake

    @contextmanager
    def connect(
        self,
        context: OutputContext | InputContext,  # noqa: ARG002
        table_slice: TableSlice,
    ) -> Iterator[UserTable]:
        """Yield the table."""
        dimensions = table_slice.partition_dimensions
        uri = f"{self._lake.root.rstrip('/')}/{table_slice.schema}/{table_slice.table}"
        location = TableLocation(uri, self._lake.storage_options)
        yield UserTable(location, dimensions[0].partition_expr if dimensions else None)


class PandasHandler(DbTypeHandler[pd.DataFrame]):
    """Loads and stores pandas data frames."""

    @property
    def supported_types(self) -> Sequence[type[object]]:
        """Types of the values."""
        return [pd.DataFrame]

    def load_input(self, context: InputContext, table_slice: TableSlice, connection: UserTable) -> pd.DataFrame:  # noqa: ARG002
        """Return the rows of a slice."""
        return to_pandas(connection.read(table_slice.columns, _keys(table_slice)))

    def handle_output(
        self, context: OutputContext, table_slice: TableSlice, obj: pd.DataFrame, connection: UserTable
    ) -> Mapping[str, Any]:
        """Replace the rows of a slice, and tell how many each partition has."""
        keys = _keys(table_slice)
        rows = from_pandas(obj, {} if keys is None else connection.types(), _USUAL_TYPES)
        if left_out := [str(name) for name in obj.columns if str(name) not in rows.column_names]:
            context.log.info(f"columns without any value are left out until they have one: {', '.join(left_out)}")
        written = connection.replace(rows, keys, {DAGSTER_RUN: context.run_id})
        for key, count in written.by_partition.items():  # these take the place of the sum
            context.step_context.add_asset_metadata(
                {"dagster/row_count": MetadataValue.int(count)}, asset_key=context.asset_key, partition_key=key
            )
        return {
            "dagster/row_count": MetadataValue.int(written.rows),
            "dagster/column_schema": TableSchema(
                columns=[TableColumn(name, str(type_)) for name, type_ in connection.types().items()]
            ),
            "dagster/uri": without_secrets(connection.location.uri),
            "delta_version": MetadataValue.int(written.version),
        }


def _keys(table_slice: TableSlice) -> list[str] | None:
    """Return the partition keys of a slice, ``None`` when it is a whole table."""
    dimensions = table_slice.partition_dimensions
    return [str(key) for key in dimensions[0].partitions] if dimensions else None

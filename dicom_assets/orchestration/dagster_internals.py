"""The only door to Dagster's private modules: what is needed of ``dagster._core``, and why the public API does not do.

Belongs here: names from modules of Dagster whose path holds an underscore, each with its reason. Dagster promises
nothing about them, so with a new release this is the module to look at first. A test holds that no other module
reaches in.
"""

from dagster._core.definitions.unresolved_asset_job_definition import UnresolvedAssetJobDefinition
from dagster._core.execution.backfill import BulkActionsFilter, BulkActionStatus
from dagster._core.instance.ref import InstanceRef
from dagster._core.storage.asset_check_execution_record import AssetCheckExecutionRecordStatus
from dagster._core.storage.dagster_run import NOT_FINISHED_STATUSES
from dagster._core.storage.db_io_manager import DbIOManager, DbTypeHandler, TablePartitionDimension, TableSlice
from dagster._core.storage.event_log.sqlite.sqlite_event_log import INDEX_SHARD_NAME, SqliteEventLogStorage
from dagster._core.storage.runs import SqliteRunStorage
from dagster._core.storage.sqlite import SQLITE_BUSY_TIMEOUT_SECONDS
from dagster._core.storage.sqlite_storage import DagsterSqliteStorage
from dagster._core.storage.tags import (
    ASSET_PARTITION_RANGE_END_TAG,
    ASSET_PARTITION_RANGE_START_TAG,
    GRPC_INFO_TAG,
    HIDDEN_TAG_PREFIX,
    PARTITION_NAME_TAG,
    SENSOR_NAME_TAG,
)
from dagster._serdes import ConfigurableClassData
from dagster_shared.check import CheckError

__all__ = [
    # A run over a range of partitions is asked for, and recognised, by its tags; there are no public names for them.
    "ASSET_PARTITION_RANGE_END_TAG",
    "ASSET_PARTITION_RANGE_START_TAG",
    # Which code server started a run.
    "GRPC_INFO_TAG",
    # Tags that its pages leave out: what the sensor needs to find again, and nobody wants to read.
    "HIDDEN_TAG_PREFIX",
    # The storage that kept connections are put into, its parts, and how an instance is made with another than its own:
    # Dagster has settings for the class of its storage, but they are those of all processes, and in one file.
    "INDEX_SHARD_NAME",
    # All statuses in which a run may still write: a list of our own would miss one that a new release brings.
    "NOT_FINISHED_STATUSES",
    # Which partition, and which sensor, a run was started for: as above, by tags only.
    "PARTITION_NAME_TAG",
    "SENSOR_NAME_TAG",
    # As for the index above.
    "SQLITE_BUSY_TIMEOUT_SECONDS",
    # What the last evaluation of a check found is asked for by status, past the one that is planned for this run.
    "AssetCheckExecutionRecordStatus",
    # `DagsterInstance.get_backfills` is public, the type of its filter is not.
    "BulkActionStatus",
    "BulkActionsFilter",
    # Raised where a class that `dagster.yaml` names cannot be imported.
    "CheckError",
    # As for the index above.
    "ConfigurableClassData",
    "DagsterSqliteStorage",
    # The table IO manager that all of Dagster's own integrations with databases extend; none of it is exported.
    "DbIOManager",
    "DbTypeHandler",
    # As for the index above.
    "InstanceRef",
    "SqliteEventLogStorage",
    # Whether an instance is of one machine alone.
    "SqliteRunStorage",
    # Of the table IO manager, as above.
    "TablePartitionDimension",
    "TableSlice",
    # What the public `define_asset_job` returns.
    "UnresolvedAssetJobDefinition",
]

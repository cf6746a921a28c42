"""What the runs of an instance say of prefixes: which they hold, and which they failed on."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta

from dagster import DagsterInstance, DagsterRunStatus, RunRecord, RunsFilter
from dagster._core.execution.backfill import BulkActionsFilter, BulkActionStatus
from dagster._core.storage.dagster_run import NOT_FINISHED_STATUSES
from dagster._core.storage.tags import (
    ASSET_PARTITION_RANGE_END_TAG,
    ASSET_PARTITION_RANGE_START_TAG,
    PARTITION_NAME_TAG,
    SENSOR_NAME_TAG,
)

from dicom_assets.orchestration.due_runs import Failures

STATES_TAG = "dicom_assets/states"
"""Tag of requested runs: the states of their prefixes, in the order of the range."""

_MEMORY = timedelta(days=7)
_REMEMBERED = 500


def range_tags(first: str, last: str) -> dict[str, str]:
    """Return the tags of a run over a range of partitions, both ends included."""
    return {ASSET_PARTITION_RANGE_START_TAG: first, ASSET_PARTITION_RANGE_END_TAG: last}


def keys_of(tags: Mapping[str, str], order: Sequence[str], position: Mapping[str, int]) -> Sequence[str]:
    """Return the partitions that a run with some tags is for; none when it is not for partitions.

    Parameters
    ----------
    tags
        Of the run.
    order, position
        Partition keys as they were registered, and where each stands.

    """
    if PARTITION_NAME_TAG in tags:
        return (tags[PARTITION_NAME_TAG],)
    first = position.get(tags.get(ASSET_PARTITION_RANGE_START_TAG, ""))
    last = position.get(tags.get(ASSET_PARTITION_RANGE_END_TAG, ""))
    return () if first is None or last is None else order[first : last + 1]


def held_keys(instance: DagsterInstance, order: Sequence[str], since: datetime | None = None) -> set[str]:
    """Return the partitions of all runs that are queued or under way, whoever started them.

    Parameters
    ----------
    instance, order
        Where to look, and the partition keys as they were registered.
    since
        Leave out runs created earlier: a process that was killed may never have told of its end.

    """
    position = {key: index for index, key in enumerate(order)}
    runs = instance.get_runs(RunsFilter(statuses=NOT_FINISHED_STATUSES, created_after=since))
    return {key for run in runs for key in keys_of(run.tags, order, position)}


def backfills_under_way(instance: DagsterInstance) -> bool:
    """Return whether a backfill may yet start runs."""
    return bool(instance.get_backfills(BulkActionsFilter(statuses=[BulkActionStatus.REQUESTED]), limit=1))


def failures(instance: DagsterInstance, sensor: str, order: Sequence[str]) -> dict[tuple[str, str], Failures]:
    """Return what a sensor asked for in vain lately, by prefix and state."""
    position = {key: index for index, key in enumerate(order)}
    found: dict[tuple[str, str], Failures] = {}
    for record in _failed_runs(instance, sensor):
        tags = record.dagster_run.tags
        ended = datetime.fromtimestamp(record.end_time or record.update_timestamp.timestamp(), UTC)
        for pair in zip(keys_of(tags, order, position), tags.get(STATES_TAG, "").split(), strict=False):
            before = found.get(pair, Failures(0, ended))
            found[pair] = Failures(before.count + 1, max(before.last, ended))
    return found


def _failed_runs(instance: DagsterInstance, sensor: str) -> Iterator[RunRecord]:
    wanted = RunsFilter(
        statuses=[DagsterRunStatus.FAILURE, DagsterRunStatus.CANCELED],
        tags={SENSOR_NAME_TAG: sensor},
        updated_after=datetime.now(UTC) - _MEMORY,
    )
    yield from instance.get_run_records(wanted, limit=_REMEMBERED)

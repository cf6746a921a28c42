"""What the runs of an instance say of prefixes: which are theirs, which they hold, and which they failed on."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta

from dagster import DagsterInstance, DagsterRunStatus, RunRecord, RunsFilter

from dicom_assets.orchestration.dagster_internals import (
    ASSET_PARTITION_RANGE_END_TAG,
    ASSET_PARTITION_RANGE_START_TAG,
    HIDDEN_TAG_PREFIX,
    NOT_FINISHED_STATUSES,
    PARTITION_NAME_TAG,
    SENSOR_NAME_TAG,
    BulkActionsFilter,
    BulkActionStatus,
)
from dicom_assets.orchestration.due_runs import FailedAttempts
from dicom_assets.orchestration.elsewhere import NOTHING_ELSE, Elsewhere
from dicom_assets.orchestration.partitions import PREFIX_PARTITIONS, registered_prefixes

STATES_TAG = f"{HIDDEN_TAG_PREFIX}dicom_assets_states"
"""Tag of requested runs: the states of their prefixes, in the order of the range. Pages leave it out."""
PREFIXES_TAG = "dicom_assets/prefixes"
"""Tag of requested runs: which prefixes they are for, for people."""
REASON_TAG = "dicom_assets/reason"
"""Tag of requested runs: what changed, for people."""
ATTEMPT_TAG = "dicom_assets/attempt"
"""Tag of requested runs that failed before in the same state: which attempt it is."""

_MEMORY = timedelta(days=7)
_REMEMBERED = 500
_LONGEST_RUN = timedelta(days=14)
"""A run that has been under way for longer was killed, and nobody told the instance."""


def range_tags(first: str, last: str) -> dict[str, str]:
    """Return the tags of a run over a range of partitions, both ends included."""
    return {ASSET_PARTITION_RANGE_START_TAG: first, ASSET_PARTITION_RANGE_END_TAG: last}


def prefixes_of_run(
    instance: DagsterInstance, tags: Mapping[str, str], partitions: str = PREFIX_PARTITIONS
) -> Sequence[str]:
    """Return the prefixes that a run with some tags is for; none when it is not for partitions."""
    return _Order(registered_prefixes(instance, partitions)).prefixes(tags)


def held_prefixes(
    instance: DagsterInstance,
    order: Sequence[str],
    since: datetime | None = None,
    elsewhere: Elsewhere = NOTHING_ELSE,
) -> set[str]:
    """Return the prefixes of all runs that are queued or under way, whoever started them.

    Parameters
    ----------
    instance, order
        Where to look, and the partition keys as they were registered.
    since
        Leave out runs created earlier: a process that was killed may never have told of its end.
    elsewhere
        What is known to have nothing to do with these prefixes.

    """
    registered = _Order(order)
    runs = instance.get_runs(RunsFilter(statuses=NOT_FINISHED_STATUSES, created_after=since))
    return {prefix for run in runs if not elsewhere.holds_run(run) for prefix in registered.prefixes(run.tags)}


def oldest_run_under_way(instance: DagsterInstance, besides: str) -> datetime | None:
    """Return when the oldest run that is queued or under way was created, ``None`` when there is none.

    Parameters
    ----------
    instance
        Where to look.
    besides
        Id of a run that does not count: the one that asks.

    """
    alive = RunsFilter(statuses=NOT_FINISHED_STATUSES, created_after=datetime.now(UTC) - _LONGEST_RUN)
    records = instance.get_run_records(alive)
    return min(
        (record.create_timestamp.astimezone(UTC) for record in records if record.dagster_run.run_id != besides),
        default=None,
    )


def backfills_under_way(instance: DagsterInstance, elsewhere: Elsewhere = NOTHING_ELSE) -> bool:
    """Return whether a backfill may yet start runs over these prefixes."""
    requested = instance.get_backfills(BulkActionsFilter(statuses=[BulkActionStatus.REQUESTED]))
    return any(not elsewhere.holds(backfill.asset_selection or ()) for backfill in requested)


def removable_keys(
    instance: DagsterInstance, gone: Collection[str], order: Sequence[str], elsewhere: Elsewhere = NOTHING_ELSE
) -> list[str]:
    """Return the partition keys that may be removed: no run holds them, and no backfill may yet start one.

    Parameters
    ----------
    instance, order
        Where to look, and the partition keys as they were registered.
    gone
        Those that neither a file nor a row stands behind.
    elsewhere
        What is known to have nothing to do with these prefixes.

    """
    if not gone or backfills_under_way(instance, elsewhere):
        return []
    return sorted(set(gone) - held_prefixes(instance, order, elsewhere=elsewhere))


def failed_prefixes(
    instance: DagsterInstance, sensor: str, order: Sequence[str]
) -> dict[tuple[str, str], FailedAttempts]:
    """Return the prefixes whose runs failed lately, with the state that they were in.

    Parameters
    ----------
    instance, order
        Where to look, and the partition keys as they were registered.
    sensor
        Name of the sensor that requested the runs.

    """
    registered = _Order(order)
    found: dict[tuple[str, str], FailedAttempts] = {}
    for record in _failed_runs(instance, sensor):
        tags = record.dagster_run.tags
        ended = datetime.fromtimestamp(record.end_time or record.update_timestamp.timestamp(), UTC)
        for pair in zip(registered.prefixes(tags), tags.get(STATES_TAG, "").split(), strict=False):
            before = found.get(pair, FailedAttempts(0, ended))
            found[pair] = FailedAttempts(before.count + 1, max(before.last, ended))
    return found


def _failed_runs(instance: DagsterInstance, sensor: str) -> Iterator[RunRecord]:
    wanted = RunsFilter(
        statuses=[DagsterRunStatus.FAILURE, DagsterRunStatus.CANCELED],
        tags={SENSOR_NAME_TAG: sensor},
        updated_after=datetime.now(UTC) - _MEMORY,
    )
    yield from instance.get_run_records(wanted, limit=_REMEMBERED)


class _Order:
    """Partition keys in the order of their registration, in which the tags of a run name ranges."""

    def __init__(self, keys: Sequence[str]) -> None:
        self._keys = keys
        self._position = {key: index for index, key in enumerate(keys)}

    def prefixes(self, tags: Mapping[str, str]) -> Sequence[str]:
        """Return the prefixes of a run with some tags."""
        if PARTITION_NAME_TAG in tags:
            return (tags[PARTITION_NAME_TAG],)
        first = self._position.get(tags.get(ASSET_PARTITION_RANGE_START_TAG, ""))
        last = self._position.get(tags.get(ASSET_PARTITION_RANGE_END_TAG, ""))
        return () if first is None or last is None else self._keys[first : last + 1]

"""Maintenance of tables beside running writers: fewer and larger data files, no orphans, a short log.

Nothing here changes a row. Compaction replaces data files by one that holds the same rows; a writer that was about to
replace one of them is refused by :mod:`dicom_assets.delta.commit` and reads the table again.
"""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from deltalake import DeltaTable, WriterProperties
from deltalake.exceptions import CommitFailedError

from dicom_assets.delta.files import DataFile
from dicom_assets.delta.location import TableLocation
from dicom_assets.delta.snapshot import live_files
from dicom_assets.errors import UserError
from dicom_assets.tables import PARTITION

SHORTEST_RETENTION = timedelta(days=1)
"""A run writes its data files before it commits them; until then they look like orphans. No run takes this long."""

_LONGEST_LOG = timedelta(days=30)
_MARGIN = timedelta(hours=1)
_PREFIXES_PER_COMMIT = 20
_ROW_GROUP_BYTES = 8 << 20
_RETENTION_PROPERTY = "delta.deletedFileRetentionDuration"
_LOG_PROPERTY = "delta.logRetentionDuration"


class RetentionError(UserError, ValueError):
    """The retention is so short that the files of a running write could be taken for orphans."""


@dataclass(frozen=True, slots=True)
class MaintenanceOptions:
    """When data files are merged, and how long what was removed stays.

    Attributes
    ----------
    target_bytes
        Size that compaction aims at. A change rewrites the files that hold it, so larger is not always better.
    small_files
        How many files of less than half the target make a prefix worth compacting.
    retention
        How long a data file stays after it left the table, which is how far time travel reaches; and how old an orphan
        must be to be deleted.

    """

    target_bytes: int = 64 << 20
    small_files: int = 8
    retention: timedelta = timedelta(days=7)

    def __post_init__(self) -> None:
        """Refuse a retention that endangers running writes; raises :class:`RetentionError`."""
        if self.retention < SHORTEST_RETENTION:
            raise RetentionError(f"the retention is {self.retention}; it must be {SHORTEST_RETENTION} or more")


@dataclass(frozen=True, slots=True)
class Maintained:
    """What was done to one table.

    Attributes
    ----------
    merged, written
        Data files that were replaced, and those that replace them.
    skipped
        Prefixes left for another time, because a run was writing them.
    deleted
        Files taken from storage.

    """

    merged: int
    written: int
    skipped: int
    deleted: int


def maintain(location: TableLocation, options: MaintenanceOptions, busy_since: datetime | None = None) -> Maintained:
    """Compact a table, delete what no version within the retention needs, and shorten the log.

    Parameters
    ----------
    location, options
        Which table, and how.
    busy_since
        Start of the oldest run under way. Nothing younger is deleted, however short the retention.

    """
    merged, written, skipped = compact(location, options)
    deleted = vacuum(location, options.retention, busy_since)
    delta = location.open()
    delta.create_checkpoint()
    delta.cleanup_metadata()
    return Maintained(merged, written, skipped, len(deleted))


def compact(location: TableLocation, options: MaintenanceOptions) -> tuple[int, int, int]:
    """Merge the small data files of each prefix that has many.

    Returns
    -------
    Number of files replaced, of files that replace them, and of prefixes left alone because a run was writing them.

    """
    scattered = _scattered(live_files(location.open()), options)
    merged = written = skipped = 0
    for start in range(0, len(scattered), _PREFIXES_PER_COMMIT):
        for removed, added, busy in _compact_prefixes(
            location, scattered[start : start + _PREFIXES_PER_COMMIT], options
        ):
            merged, written, skipped = merged + removed, written + added, skipped + busy
    return merged, written, skipped


def _scattered(files: Sequence[DataFile], options: MaintenanceOptions) -> list[str]:
    """Return the prefixes with many small files."""
    small: dict[str, int] = defaultdict(int)
    for file in files:
        small[file.prefix] += file.size < options.target_bytes // 2
    return [prefix for prefix, count in small.items() if count >= options.small_files]


def _compact_prefixes(
    location: TableLocation, prefixes: Sequence[str], options: MaintenanceOptions
) -> Iterator[tuple[int, int, int]]:
    """Compact prefixes in one commit; when a run is in the way, one by one, without those that it writes."""
    delta = location.open()
    try:
        done = delta.optimize.compact(
            partition_filters=[(PARTITION, "in", list(prefixes))],
            target_size=options.target_bytes,
            writer_properties=_writer_properties(delta, prefixes),
        )
    except CommitFailedError:
        if len(prefixes) == 1:
            yield 0, 0, 1
            return
        for prefix in prefixes:
            yield from _compact_prefixes(location, [prefix], options)
    else:
        yield done["numFilesRemoved"], done["numFilesAdded"], 0


def _writer_properties(delta: DeltaTable, prefixes: Sequence[str]) -> WriterProperties:
    """Return properties that make row groups of some megabytes: readers of few rows read whole groups."""
    files = live_files(delta, frozenset(prefixes))
    rows = sum(file.rows or 0 for file in files)
    bytes_per_row = max(1, sum(file.size for file in files) // max(1, rows))
    return WriterProperties(compression="ZSTD", max_row_group_size=max(64, _ROW_GROUP_BYTES // bytes_per_row))


def vacuum(location: TableLocation, retention: timedelta, busy_since: datetime | None = None) -> list[str]:
    """Delete the files that left the table longer ago than the retention, and orphans that are older.

    Parameters
    ----------
    location
        Of the table.
    retention
        How long files stay; also written to the table's properties, for others that maintain it.
    busy_since
        Start of the oldest run under way: what is younger stays.

    Returns
    -------
    Paths of the files, relative to the table.

    """
    if retention < SHORTEST_RETENTION:
        raise RetentionError(f"the retention is {retention}; it must be {SHORTEST_RETENTION} or more")
    delta = location.open()
    _state_retention(delta, retention)
    if busy_since is not None:
        retention = max(retention, datetime.now(UTC) - busy_since + _MARGIN)
    hours = -(-retention // timedelta(hours=1))
    return delta.vacuum(hours, dry_run=False, enforce_retention_duration=False, full=True)


def _state_retention(delta: DeltaTable, retention: timedelta) -> None:
    """Keep the log as long as the files: without its remove action, a file kept for time travel is an orphan."""
    wanted = {
        _RETENTION_PROPERTY: _interval(retention),
        _LOG_PROPERTY: _interval(max(retention, _LONGEST_LOG)),
    }
    present = delta.metadata().configuration
    if any(present.get(name) != value for name, value in wanted.items()):
        delta.alter.set_table_properties(wanted)


def _interval(duration: timedelta) -> str:
    return f"interval {-(-duration // timedelta(hours=1))} hours"

"""How old the newest file of the archive is, by the statistics in the log of the index."""

from datetime import UTC, datetime, timedelta

import pyarrow as pa
import pyarrow.compute as pc

from dicom_assets.checks.check import Measured, Scope
from dicom_assets.delta.newest import newest
from dicom_assets.delta.snapshot import Snapshot
from dicom_assets.tables import FILE_INDEX

_COLUMN = "modified_at"
_HOUR = timedelta(hours=1)


def measure_newest(scope: Scope) -> Measured:
    """Return the age of the newest file in hours, whatever prefixes a run is for.

    The times of files are what the storage says. One in the future, of a device whose clock is wrong, would hide that
    nothing has arrived since: such files do not count.
    """
    now = datetime.now(UTC)
    latest = _latest(scope.lake.snapshot(FILE_INDEX), now)
    return Measured(None if latest is None else (now - latest) / _HOUR)


def _latest(index: Snapshot, now: datetime) -> datetime | None:
    """Return the time of the newest file that is not in the future; data files are read only if some are."""
    actions = pa.table(newest(index.location).get_add_actions(flatten=True))
    known = f"max.{_COLUMN}"
    highest = actions[known].to_pylist() if known in actions.column_names else [None] * actions.num_rows
    told = [value.astimezone(UTC) for value in highest if value is not None]
    if len(told) == len(highest) and all(value <= now for value in told):
        return max(told, default=None)
    latest: datetime | None = None
    for _, batch in index.rows([_COLUMN]):
        times = batch[_COLUMN]
        found = pc.max(times.filter(pc.less_equal(times, pa.scalar(now, times.type)))).as_py()
        latest = found if latest is None else latest if found is None else max(latest, found)
    return latest

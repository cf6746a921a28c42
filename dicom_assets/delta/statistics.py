"""Statistics of one data file, as the log holds them, so that readers can skip it.

Delta protocol, "Per-file Statistics": ``numRecords``, and per column ``minValues``, ``maxValues``, ``nullCount``.
"""

from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Any

import orjson
import pyarrow as pa
import pyarrow.compute as pc

_MAX_STRING = 1024
"""Longer strings are left out: a cut maximum would no longer be an upper bound."""


class StatisticsCollector:
    """Adds up the statistics of the batches that make a data file."""

    def __init__(self, columns: Sequence[str]) -> None:
        self._columns = columns
        self._rows = 0
        self._bounds: dict[str, tuple[Any, Any]] = {}
        self._unbounded: set[str] = set()
        self._nulls = dict.fromkeys(columns, 0)

    def add(self, batch: pa.RecordBatch) -> None:
        """Take one batch into account."""
        self._rows += batch.num_rows
        for name in self._columns:
            column = batch.column(name)
            self._nulls[name] += column.null_count
            if column.null_count == len(column) or pa.types.is_boolean(column.type):
                continue
            found = pc.min_max(column).as_py()
            low, high = found["min"], found["max"]
            if not (_orderable(low) and _orderable(high)):
                self._unbounded.add(name)
            elif name in self._bounds:
                known_low, known_high = self._bounds[name]
                self._bounds[name] = (min(low, known_low), max(high, known_high))
            else:
                self._bounds[name] = (low, high)

    def json(self) -> str:
        """Return the statistics as the text of an add action."""
        bounds = {name: pair for name, pair in self._bounds.items() if name not in self._unbounded}
        return orjson.dumps(
            {
                "numRecords": self._rows,
                "minValues": {name: _encode(low, up=False) for name, (low, _) in bounds.items()},
                "maxValues": {name: _encode(high, up=True) for name, (_, high) in bounds.items()},
                "nullCount": self._nulls,
            }
        ).decode()


def _orderable(value: Any) -> bool:
    """Return whether a value can serve as a bound: not NaN, not a very long string."""
    if isinstance(value, str):
        return len(value) <= _MAX_STRING
    return bool(value == value)  # noqa: PLR0124 - only NaN differs from itself


def _encode(value: Any, *, up: bool) -> Any:
    """Return a bound as the protocol writes it; timestamps have milliseconds, so maxima are rounded up."""
    if isinstance(value, datetime):
        value = value.astimezone(UTC)
        if up and value.microsecond % 1000:
            value += timedelta(microseconds=1000 - value.microsecond % 1000)
        return value.strftime("%Y-%m-%dT%H:%M:%S.") + f"{value.microsecond // 1000:03d}Z"
    if isinstance(value, date):
        return value.isoformat()
    return value

"""Where rows come from: which run made them, and when, said by the rows themselves and by the commit that brought them.

Rows say it because nothing else lasts: compaction moves them to other data files, and the log forgets its commits. The
time is that of one staging of one step, so that run and time together name one commit of a table.
"""

import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TypeVar

import pyarrow as pa

from dicom_assets.tables import MADE_AT, RUN_ID

DAGSTER_RUN = "dagster/run_id"
"""Metadata of a commit: the run of Dagster that made it, as dagster-deltalake writes it too."""
UPDATE_RUN = "dicom_assets/run_id"
"""Metadata of a commit without Dagster: the update that made it."""
MADE = "dicom_assets/made_at"
"""Metadata of a commit: what its new rows have as ``made_at``."""
ROWS_MADE, ROWS_REMOVED = "dicom_assets/rows_made", "dicom_assets/rows_removed"
"""Metadata of a commit: how many rows were made, and how many were taken out for good."""

_UPDATE = "update-"

Rows = TypeVar("Rows", pa.Table, pa.RecordBatch)


def with_run_id(metadata: Mapping[str, str]) -> dict[str, str]:
    """Return metadata of commits that name a run: the one that they name, or a new update."""
    named = {} if run_id_of(metadata) else {UPDATE_RUN: f"{_UPDATE}{uuid.uuid4()}"}
    return {**metadata, **named}


def run_id_of(metadata: Mapping[str, str]) -> str | None:
    """Return the run that the metadata of a commit name, ``None`` where they name none."""
    return metadata.get(DAGSTER_RUN) or metadata.get(UPDATE_RUN)


def is_of_dagster(run_id: str) -> bool:
    """Return whether Dagster knows a run."""
    return not run_id.startswith(_UPDATE)


@dataclass(frozen=True, slots=True)
class Origin:
    """What rows say of where they come from.

    Attributes
    ----------
    run_id
        Of the run that makes them, ``None`` where nobody named one.
    made_at
        When it began to make them.

    """

    run_id: str | None
    made_at: datetime

    @classmethod
    def now(cls, run_id: str | None) -> "Origin":
        """Return the origin of rows that a run is about to make."""
        return cls(run_id, datetime.now(UTC))

    def stamp(self, rows: Rows) -> Rows:
        """Return rows that say so: columns that are there are replaced, others appended."""
        for column, value in ((RUN_ID, self.run_id), (MADE_AT, self.made_at)):
            values = pa.repeat(pa.scalar(value, column.type), rows.num_rows)
            place = rows.schema.get_field_index(column.name)
            field = pa.field(column.name, column.type)
            rows = rows.append_column(field, values) if place < 0 else rows.set_column(place, field, values)
        return rows


def commit_metadata(origin: Origin | None, made: int, removed: int) -> dict[str, str]:
    """Return what a commit says of its rows.

    Parameters
    ----------
    origin
        Of the rows that it brings, ``None`` when it brings none.
    made, removed
        Number of rows made, and of rows taken out that no new row stands for.

    """
    brought = {} if origin is None else {MADE: origin.made_at.isoformat()}
    return {**brought, ROWS_MADE: str(made), ROWS_REMOVED: str(removed)}

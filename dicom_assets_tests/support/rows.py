"""Rows of the index, made up, for tests of what does not care what rows mean."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime

import pyarrow as pa

from dicom_assets.delta.commit import Change, commit
from dicom_assets.delta.files import write_batches
from dicom_assets.delta.lake import Lake
from dicom_assets.tables import FILE_INDEX

WHEN = datetime(2024, 5, 6, 7, 8, 9, 123456, tzinfo=UTC)


def index_rows(prefix: str, names: Sequence[str], fingerprint: str = "1") -> pa.Table:
    count = len(names)
    return pa.table(
        {
            "prefix": [prefix] * count,
            "path": [f"/archive/{prefix}/{name}" for name in names],
            "relative_path": [f"{prefix}/{name}" for name in names],
            "size": list(range(count)),
            "modified_at": [WHEN] * count,
            "etag": [None] * count,
            "fingerprint": [fingerprint] * count,
            "source_version": [None] * count,
            "indexed_at": [WHEN] * count,
            "removed_at": [None] * count,
            "run_id": [None] * count,
            "made_at": [None] * count,
        },
        schema=FILE_INDEX.schema,
    )


def append(lake: Lake, rows: pa.Table, metadata: Mapping[str, str] | None = None) -> int:
    lake.ensure([FILE_INDEX])
    location = lake.location(FILE_INDEX)
    prefixes = sorted(set(rows["prefix"].to_pylist()))
    adds = write_batches(location.filesystem(), FILE_INDEX, rows.to_batches())
    return commit(location, Change(adds, (), lake.snapshot(FILE_INDEX, prefixes).writes, metadata or {}))


def paths(lake: Lake) -> list[str]:
    return sorted(lake.snapshot(FILE_INDEX).keys([])["path"].to_pylist())

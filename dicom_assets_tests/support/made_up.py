"""Tables that follow an archive, their derived rows made up: for tests of what does not care what rows say."""

import os
from collections.abc import Sequence
from pathlib import Path

import pyarrow as pa

from dicom_assets.archive.base import Archive
from dicom_assets.delta.commit import Change, commit
from dicom_assets.delta.files import write_batches
from dicom_assets.delta.lake import Lake
from dicom_assets.delta.rewrite import rewrites
from dicom_assets.extract.model import DEFAULT_MODEL, OBJECT_CATALOG
from dicom_assets.pipeline.converge import converge
from dicom_assets.pipeline.difference import UpdateMode
from dicom_assets.pipeline.index import IndexStep
from dicom_assets.spark.work import InProcess
from dicom_assets.tables import FILE_INDEX, Table


def write(path: Path, content: str = "x", when: float | None = None) -> None:
    """Put a file into an archive, with a time of last modification or as of now."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(content)
    if when is not None:
        os.utime(path, (when, when))


def index(lake: Lake, archive: Archive, prefixes: Sequence[str], mode: UpdateMode = UpdateMode.SYNC, guard=None):
    lake.ensure(DEFAULT_MODEL.tables)
    return converge(IndexStep(lake, archive, prefixes, mode, guard), InProcess(), {}).outcomes[FILE_INDEX.name]


def follow(lake: Lake, archive: Archive, prefixes: Sequence[str], mode: UpdateMode = UpdateMode.SYNC) -> None:
    """Bring all tables of files to what is listed; rows that name no series or study add up to none."""
    index(lake, archive, prefixes, mode)
    rows = lake.snapshot(FILE_INDEX, prefixes).keys(["fingerprint", "removed_at"])
    for table in (*DEFAULT_MODEL.extracted, OBJECT_CATALOG):
        replace(lake, table, prefixes, rows)


def replace(lake: Lake, table: Table, prefixes: Sequence[str], rows: pa.Table, status: str = "ok") -> None:
    """Make a table hold exactly some rows of some prefixes; columns that are not given are null."""
    given = {name: rows[name] for name in rows.column_names} | {"status": pa.repeat(status, rows.num_rows)}
    full = pa.table(
        [given.get(field.name, pa.nulls(rows.num_rows, field.type)) for field in table.schema], schema=table.schema
    ).sort_by([("prefix", "ascending"), ("path", "ascending")])
    snapshot = lake.snapshot(table, prefixes)
    adds = write_batches(snapshot.location.filesystem(), table, full.to_batches())
    removes = [rewrite.file for rewrite in rewrites(snapshot, snapshot.keys([]))]
    if adds or removes:
        commit(snapshot.location, Change(adds, removes, snapshot.writes))

"""The object catalog: one row per file of the index, joined from what the other tables know of that very version.

A row of another table counts when it was made from the version of the file that the index lists, or from none because
the file could not be read. Anything else is as good as absent.
"""

from collections.abc import Iterable, Iterator, Mapping

import pyarrow as pa
import pyarrow.compute as pc
from deltalake.transaction import AddAction
from pyspark.sql import SparkSession

from dicom_assets.delta.lake import Lake
from dicom_assets.delta.snapshot import Snapshot
from dicom_assets.dicom.status import HeaderStatus
from dicom_assets.extract.rows import row_schema
from dicom_assets.extract.status import summarize
from dicom_assets.pipeline.columns import join_text
from dicom_assets.spark.datasource import stage
from dicom_assets.spark.tasks import Chunk, from_chunk, map_chunks, split
from dicom_assets.tables import (
    DICOM_HEADERS,
    EXTRACTED,
    FILE_METADATA,
    KEY,
    OBJECT_CATALOG,
    PARTITION,
    THUMBNAILS,
    Table,
)

VERSION = "catalog-2"

STATUS_COLUMNS = {
    FILE_METADATA.name: "metadata_status",
    DICOM_HEADERS.name: "header_status",
    THUMBNAILS.name: "thumbnail_status",
}

_SHARED = frozenset((PARTITION, KEY, "fingerprint", "extractor_version", "status", "error"))
"""Columns that every extracted table has, of which the catalog has its own."""

_ABSENT = "-"
_BATCH_ROWS = 128


def catalog_versions(index: pa.Table, derived: Mapping[str, pa.Table]) -> pa.Table:
    """Return which version of each file's catalog row is due.

    Parameters
    ----------
    index
        Columns ``path``, ``fingerprint``, ``removed_at`` and any others.
    derived
        By name of the extracted tables, columns ``path``, ``fingerprint``, ``extractor_version``.

    Returns
    -------
    The index with a column ``extractor_version`` that names the catalog's own version and those of the rows it joins,
    in the order of the index's prefixes and paths.

    """
    joined = index
    for table in EXTRACTED:
        rows = derived[table.name].select([KEY, "fingerprint", "extractor_version"])
        rows = rows.rename_columns([KEY, f"{table.name}.fingerprint", f"{table.name}.version"])
        joined = joined.join(rows, KEY, join_type="left outer")
    parts = [_state(joined, table) for table in EXTRACTED]
    removed = pc.if_else(pc.is_valid(joined["removed_at"]), " removed", "")
    versions = join_text(f"{VERSION} ", join_text(*parts, separator=" "), removed)
    due = joined.select(index.column_names).append_column("extractor_version", versions)
    return due.sort_by([(PARTITION, "ascending"), (KEY, "ascending")])


def _state(joined: pa.Table, table: Table) -> pa.ChunkedArray:
    """Return the version of a table's rows where they count, marked where the file could not be read."""
    made_from, version = joined[f"{table.name}.fingerprint"], joined[f"{table.name}.version"]
    unread = join_text(version, "?")
    current = pc.if_else(pc.equal(made_from, joined["fingerprint"]), version, _ABSENT)
    return pc.fill_null(pc.if_else(pc.is_null(made_from), unread, current), _ABSENT)


def stage_catalog(
    spark: SparkSession, lake: Lake, work: pa.Table, sources: Mapping[str, Snapshot]
) -> dict[str, list[AddAction]]:
    """Make catalog rows, as data files that are not yet part of the table.

    Parameters
    ----------
    spark, lake
        The engine and the tables.
    work
        All columns of the index and ``extractor_version``, in the order of prefix and path.
    sources
        Snapshots of the extracted tables, by name.

    """

    def assemble(chunks: Iterable[Chunk]) -> Iterator[pa.RecordBatch]:
        for chunk in chunks:
            for prefix_work in _by_prefix(from_chunk(chunk)):
                yield from _structs(assemble_rows(prefix_work, sources))

    schema = row_schema([OBJECT_CATALOG])
    rows = map_chunks(spark, split(work, spark.sparkContext.defaultParallelism), assemble, schema)
    return stage(rows, {OBJECT_CATALOG.name: lake.location(OBJECT_CATALOG)})


def assemble_rows(work: pa.Table, sources: Mapping[str, Snapshot]) -> pa.Table:
    """Join the rows of one prefix; every row of the work has exactly one in the result, in the same order."""
    columns: dict[str, pa.ChunkedArray] = {name: work[name] for name in work.column_names}
    parts: dict[str, pa.Table] = {}
    for table in EXTRACTED:
        found = parts[table.name] = _rows_of(work, sources[table.name])
        columns[STATUS_COLUMNS[table.name]] = found["status"]
        columns |= {name: found[name] for name in table.schema.names if name not in _SHARED}
    summaries = list(_summaries(parts, columns["issues"]))
    columns["status"] = pa.array([status for status, _ in summaries], pa.string())
    columns["error"] = pa.array([error for _, error in summaries], pa.string())
    return pa.table([columns[name] for name in OBJECT_CATALOG.schema.names], schema=OBJECT_CATALOG.schema)


def _summaries(parts: Mapping[str, pa.Table], issues: pa.ChunkedArray) -> Iterator[tuple[str, str | None]]:
    """Yield the status and the reason of each row."""
    states = [
        zip(
            part["status"].to_pylist(),
            part["error"].to_pylist(),
            part["fingerprint"].is_null().to_pylist(),
            strict=True,
        )
        for part in parts.values()
    ]
    for position, row in enumerate(zip(*states, strict=True)):
        by_table = {name: (status, error) for name, (status, error, _) in zip(parts, row, strict=True)}
        unread = any(status is not None and without_version for status, _, without_version in row)
        noted = issues[position].as_py() if by_table[DICOM_HEADERS.name][0] == HeaderStatus.ISSUES else None
        yield summarize(by_table, noted or (), unread=unread)


def _rows_of(work: pa.Table, source: Snapshot) -> pa.Table:
    """Return the rows of a table that belong to the work, aligned with it; null where there is none that counts."""
    prefix, paths = work[PARTITION][0].as_py(), work[KEY].combine_chunks()
    files = [file for file in source.of_prefix(prefix) if file.may_hold(paths[0].as_py(), paths[-1].as_py())]
    rows = source.rows_of(paths, files)
    aligned = rows.take(pc.index_in(paths, rows[KEY].combine_chunks()))
    made_from = aligned["fingerprint"]
    stale = pc.fill_null(pc.not_equal(made_from, work["fingerprint"]), fill_value=False)
    if not pc.any(stale).as_py():
        return aligned
    indices = pc.if_else(stale, pa.scalar(None, pa.int64()), pa.array(range(aligned.num_rows)))
    return aligned.take(indices)


def _by_prefix(work: pa.Table) -> Iterator[pa.Table]:
    """Split work in the order of prefixes where the prefix changes."""
    start = 0
    counts = pc.value_counts(work[PARTITION].combine_chunks())
    for count in counts.field("counts").to_pylist():
        yield work.slice(start, count)
        start += count


def _structs(rows: pa.Table) -> Iterator[pa.RecordBatch]:
    """Yield rows as batches of one struct column."""
    schema = row_schema([OBJECT_CATALOG])
    for batch in rows.to_batches(max_chunksize=_BATCH_ROWS):
        yield pa.RecordBatch.from_arrays([batch.to_struct_array()], schema=schema)

"""Rows of the object catalog: one per file of the index, joined from what the other tables know of that very version.

A row of another table counts when it was made from the version of the file that the index lists, or from none because
the file could not be read. Anything else is as good as absent.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import pyarrow as pa
import pyarrow.compute as pc

from dicom_assets.delta.files import TableSink
from dicom_assets.delta.location import TableLocation
from dicom_assets.delta.origin import Origin
from dicom_assets.delta.snapshot import Snapshot
from dicom_assets.extract.extractor import ExtractedTable
from dicom_assets.extract.model import CatalogModel
from dicom_assets.extract.status import ABSENT, PartState, summarize
from dicom_assets.pipeline.columns import join_text
from dicom_assets.pipeline.engine import StagedFile, from_piece, results_of
from dicom_assets.tables import KEY, PARTITION

VERSION = "catalog-2"

_ABSENT = "-"
_BATCH_ROWS = 128


def catalog_versions(model: CatalogModel, index: pa.Table, derived: Mapping[str, pa.Table]) -> pa.Table:
    """Return which version of each file's catalog row is due.

    Parameters
    ----------
    model
        What the catalog consists of.
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
    for table in model.extracted:
        rows = derived[table.name].select([KEY, "fingerprint", "extractor_version"])
        rows = rows.rename_columns([KEY, f"{table.name}.fingerprint", f"{table.name}.version"])
        joined = joined.join(rows, KEY, join_type="left outer")
    parts = [_version_of_part(joined, table) for table in model.extracted]
    removed = pc.if_else(pc.is_valid(joined["removed_at"]), " removed", "")
    versions = join_text(f"{VERSION} ", join_text(*parts, separator=" "), removed) if parts else removed
    due = joined.select(index.column_names).append_column("extractor_version", versions)
    return due.sort_by([(PARTITION, "ascending"), (KEY, "ascending")])


def whole_version(model: CatalogModel) -> str:
    """Return the version of the row of a file that is there, and whose parts are all made by the model's extractors."""
    return " ".join([VERSION, *(extractor.version for extractor in model.extractors)]) if model.extractors else ""


def _version_of_part(joined: pa.Table, table: ExtractedTable) -> pa.ChunkedArray:
    """Return the version of a table's rows where they count, marked where the file could not be read."""
    made_from, version = joined[f"{table.name}.fingerprint"], joined[f"{table.name}.version"]
    unread = join_text(version, "?")
    current = pc.if_else(pc.equal(made_from, joined["fingerprint"]), version, _ABSENT)
    return pc.fill_null(pc.if_else(pc.is_null(made_from), unread, current), _ABSENT)


@dataclass(frozen=True, slots=True)
class JoinTask:
    """What a worker does with a piece of the join.

    A piece holds all columns of the index and ``extractor_version``, in the order of prefix and path.

    Attributes
    ----------
    model
        What the catalog consists of.
    sources
        Snapshots of the extracted tables, by name.
    location
        Of the catalog.
    origin
        What the rows say of where they come from.

    """

    model: CatalogModel
    sources: Mapping[str, Snapshot]
    location: TableLocation
    origin: Origin

    def __call__(self, piece: bytes) -> Iterator[bytes]:
        """Write the joined rows and yield the data files that hold them."""
        catalog = self.model.catalog
        sink = TableSink(self.location.for_writing(), catalog)
        for work in by_prefix(from_piece(piece)):
            for batch in join_rows(self.model, work, self.sources).to_batches(max_chunksize=_BATCH_ROWS):
                sink.write(self.origin.stamp(batch))
        yield from results_of(StagedFile(catalog.name, add) for add in sink.close())


def join_rows(model: CatalogModel, work: pa.Table, sources: Mapping[str, Snapshot]) -> pa.Table:
    """Join the rows of one prefix; every row of the work has exactly one in the result, in the same order."""
    columns: dict[str, pa.ChunkedArray] = {name: work[name] for name in work.column_names}
    parts: list[Sequence[PartState]] = []
    for table in model.extracted:
        found = _rows_of(work, sources[table.name])
        columns[table.status_column] = found["status"]
        columns |= {column.name: found[column.name] for column in table.own_columns if column.in_catalog}
        parts.append(_states(table, found))
    summaries = [summarize(row) for row in zip(*parts, strict=True)] if parts else [summarize(())] * work.num_rows
    columns["status"] = pa.array([str(status) for status, _ in summaries], pa.string())
    columns["error"] = pa.array([error for _, error in summaries], pa.string())
    return pa.table([columns[name] for name in model.catalog.schema.names], schema=model.catalog.schema)


def _states(table: ExtractedTable, rows: pa.Table) -> list[PartState]:
    """Return what each row says of its file; rows of nulls stand for rows that are not there."""
    unread = rows["fingerprint"].is_null().to_pylist()
    errors = rows["error"].to_pylist()
    meanings, codes = table.meanings, rows[table.codes_column] if table.codes_column else None
    states: list[PartState] = []
    for place, status in enumerate(rows["status"].to_pylist()):
        if status is None:
            states.append(ABSENT)
            continue
        listed: Sequence[str] = ()
        if codes is not None and errors[place] is None and (found := codes[place].as_py()):
            listed = [entry["code"] for entry in found]
        states.append(PartState(meanings[status], errors[place], unread[place], listed))
    return states


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


def by_prefix(work: pa.Table) -> Iterator[pa.Table]:
    """Split work in the order of prefixes where the prefix changes."""
    start = 0
    counts = pc.value_counts(work[PARTITION].combine_chunks())
    for count in counts.field("counts").to_pylist():
        yield work.slice(start, count)
        start += count

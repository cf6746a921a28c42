"""The extraction pass on Spark: one job reads each file once and writes the data files of all selected tables."""

import io
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

import pyarrow as pa
from deltalake.transaction import AddAction
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql.pandas.types import from_arrow_schema

from dicom_assets.archive.base import Archive
from dicom_assets.archive.identity import Witness
from dicom_assets.archive.versions import Listed
from dicom_assets.delta.lake import Lake
from dicom_assets.extract.extractors import Extractor
from dicom_assets.extract.rows import Wanted, batches, extract_rows, row_schema
from dicom_assets.extract.source_file import FileKey
from dicom_assets.pipeline.reconcile import Plan
from dicom_assets.spark.datasource import stage
from dicom_assets.tables import KEY, PARTITION

_TASKS_PER_CORE = 4
_MAX_FILES_PER_TASK = 5000
_MIN_FILES_PER_TASK = 32
"""Fewer would make many data files that hold little but their footers."""
FILE_COLUMNS = ("relative_path", "fingerprint", "size", "etag", "source_version")
"""What the pass needs to know of a file besides its key."""

_KEY_COLUMNS = (PARTITION, KEY, *FILE_COLUMNS)

Chunk = bytes
"""A piece of work as an Arrow IPC stream: what one Spark task gets."""


def stage_extraction(
    spark: SparkSession,
    lake: Lake,
    archive: Archive,
    extractors: Sequence[Extractor],
    index: pa.Table,
    plans: Mapping[str, Plan],
    *,
    witness: Witness,
) -> dict[str, list[AddAction]]:
    """Make the rows that some tables lack, as data files that are not yet part of them.

    Parameters
    ----------
    spark, lake, archive
        The engine, the tables, the files.
    extractors
        Of the tables of the plans.
    index
        Columns ``prefix``, ``path`` and :data:`FILE_COLUMNS` of all files that the plans may name.
    plans
        By table name.
    witness
        What was known of the archive when the pass began.

    """
    selected = [extractor for extractor in extractors if extractor.table.name in plans]
    tables = [extractor.table for extractor in selected]
    work = wanted_files(index, plans)

    def extract(chunks: Iterable[Chunk]) -> Iterator[pa.RecordBatch]:
        rows = (extract_rows(archive, selected, wanted, witness) for chunk in chunks for wanted in _wanted(chunk))
        return batches(rows, tables)

    rows = map_chunks(spark, split(work, spark.sparkContext.defaultParallelism), extract, row_schema(tables))
    return stage(rows, {table.name: lake.location(table) for table in tables})


def wanted_files(index: pa.Table, plans: Mapping[str, Plan]) -> pa.Table:
    """Return the files that any plan names, with a boolean column for each table."""
    files = index.select(_KEY_COLUMNS)
    for name, plan in plans.items():
        paths = plan.difference.work.select([KEY])
        marked = paths.append_column(name, pa.repeat(pa.scalar(value=True), paths.num_rows))
        files = files.join(marked, KEY, join_type="left outer")
    keep = None
    for name in plans:
        flag = files[name].is_valid()
        keep = flag if keep is None else pa.compute.or_(keep, flag)
    return files.filter(keep).sort_by([(PARTITION, "ascending"), (KEY, "ascending")])


def split(work: pa.Table, parallelism: int) -> list[Chunk]:
    """Cut work into pieces of equal size: a few for each core, so that slow files do not leave cores idle."""
    pieces = max(parallelism * _TASKS_PER_CORE, -(-work.num_rows // _MAX_FILES_PER_TASK))
    size = max(_MIN_FILES_PER_TASK, -(-work.num_rows // pieces))
    return [to_chunk(work.slice(start, size)) for start in range(0, work.num_rows, size)]


def to_chunk(table: pa.Table) -> Chunk:
    """Return a table as bytes."""
    sink = io.BytesIO()
    with pa.ipc.new_stream(sink, table.schema) as writer:
        writer.write_table(table)
    return sink.getvalue()


def from_chunk(chunk: Chunk) -> pa.Table:
    """Return the table of :func:`to_chunk`."""
    return pa.ipc.open_stream(chunk).read_all()


def _wanted(chunk: Chunk) -> Iterator[Wanted]:
    """Return the files of a piece of work."""
    table = from_chunk(chunk)
    names = [name for name in table.column_names if name not in _KEY_COLUMNS]
    for row in table.to_pylist():
        listed = Listed(row["size"], row["source_version"] or row["etag"] or row["fingerprint"])
        key = FileKey(row[PARTITION], row[KEY], row["relative_path"], row["fingerprint"], listed)
        yield Wanted(key, frozenset(name for name in names if row[name]))


def map_chunks(
    spark: SparkSession,
    chunks: Sequence[Chunk],
    function: Callable[[Iterable[Chunk]], Iterator[pa.RecordBatch]],
    schema: pa.Schema,
) -> DataFrame:
    """Return a data frame of one Spark partition for each chunk, filled by a function that runs on the workers."""
    source = spark.createDataFrame(
        spark.sparkContext.parallelize([(chunk,) for chunk in chunks], len(chunks)), "chunk binary"
    )

    def on_worker(incoming: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        yield from function(chunk for batch in incoming for chunk in batch.column(0).to_pylist())

    return source.mapInArrow(on_worker, from_arrow_schema(schema))

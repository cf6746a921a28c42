"""Delta tables as Spark data sources: read, written and staged by real Spark tasks."""

import json

import pyarrow as pa
import pytest
from deltalake import DeltaTable
from pyspark.sql.datasource import EqualTo
from pyspark.sql.pandas.types import from_arrow_schema

from dicom_assets.delta.snapshot import live_files
from dicom_assets.extract.metadata import FILE_METADATA
from dicom_assets.extract.rows import row_schema
from dicom_assets.spark.datasource import DeltaReader, read_table, register, stage
from dicom_assets.tables import FILE_INDEX
from dicom_assets_tests.support.rows import WHEN, append, index_rows, paths


@pytest.fixture
def filled(lake):
    """Three data files: two of one prefix, one of another."""
    append(lake, index_rows("2024/01", ["1", "2"]))
    append(lake, index_rows("2024/01", ["3"]))
    append(lake, index_rows("b", ["1"]))
    return lake


def test_spark_reads_what_delta_rs_reads(spark, filled):
    location = filled.location(FILE_INDEX)
    rows = {tuple(row) for row in read_table(spark, location).select("prefix", "path", "size", "etag").collect()}
    scanned = pa.table(DeltaTable(location.uri).scan(columns=["prefix", "path", "size", "etag"]))
    assert rows == {tuple(row.values()) for row in scanned.to_pylist()}
    (when,) = read_table(spark, location).select("modified_at").distinct().toArrow()["modified_at"].to_pylist()
    assert when == WHEN


def test_columns_and_versions_are_chosen_by_the_caller(spark, filled):
    location = filled.location(FILE_INDEX)
    assert read_table(spark, location, ["path"]).columns == ["path"]
    assert read_table(spark, location, ["path"], version=1).count() == 2


def test_filters_on_the_prefix_and_the_path_skip_files(spark, filled):
    location = filled.location(FILE_INDEX)
    frame = read_table(spark, location)
    assert frame.filter("prefix = 'b'").rdd.getNumPartitions() == 1
    assert frame.filter("prefix IN ('b', '2024/01')").rdd.getNumPartitions() == 3
    one = frame.filter("path = '/archive/2024/01/3'")
    assert one.rdd.getNumPartitions() == 1
    assert [row.path for row in one.select("path").collect()] == ["/archive/2024/01/3"]


def test_a_data_frame_is_appended_and_replaces(spark, filled):
    location = filled.location(FILE_INDEX)
    register(spark)
    before = DeltaTable(location.uri).version()
    frame = spark.createDataFrame(index_rows("c", ["2", "1"])).repartition(2)
    frame.write.format("dicom_assets_delta").mode("append").save(location.uri)
    assert DeltaTable(location.uri).version() == before + 1
    assert len(paths(filled)) == 6
    frame.write.format("dicom_assets_delta").mode("overwrite").save(location.uri)
    assert paths(filled) == ["/archive/c/1", "/archive/c/2"]


def test_one_job_stages_the_files_of_two_tables_and_commits_none(spark, lake):
    tables = (FILE_INDEX, FILE_METADATA)
    lake.ensure(tables)
    rows = [
        ({"prefix": "p", "path": f"/p/{n}"}, {"prefix": "p", "path": f"/p/{n}"} if n < 3 else None) for n in range(10)
    ]
    schema = from_arrow_schema(row_schema(tables))
    frame = spark.createDataFrame(
        [tuple(_padded(row, table) for row, table in zip(pair, tables, strict=True)) for pair in rows], schema
    )
    adds = stage(frame.repartition(2), {table.name: lake.location(table) for table in tables})
    counts = {name: sum(json.loads(add.stats)["numRecords"] for add in files) for name, files in adds.items()}
    assert counts == {"file_index": 10, "file_metadata": 3}
    for table in tables:
        assert live_files(lake.location(table).open()) == (), "nothing is visible before the commit"


def _padded(row, table):
    return None if row is None else {name: row.get(name) for name in table.schema.names}


def test_filters_are_returned_to_spark_to_apply(filled):
    reader = DeltaReader(filled.location(FILE_INDEX), None, ("path",))
    given = [EqualTo(("prefix",), "b"), EqualTo(("size",), 1)]
    assert list(reader.pushFilters(given)) == given
    assert len(reader.partitions()) == 1

"""Delta tables as Spark data sources: read and written by real Spark tasks."""

import pyarrow as pa
import pytest
from deltalake import DeltaTable
from pyspark.sql.datasource import EqualTo

from dicom_assets.spark.datasource import DeltaReader, read_table, register
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


def test_filters_are_returned_to_spark_to_apply(filled):
    reader = DeltaReader(filled.location(FILE_INDEX), None, ("path",))
    given = [EqualTo(("prefix",), "b"), EqualTo(("size",), 1)]
    assert list(reader.pushFilters(given)) == given
    assert len(reader.partitions()) == 1

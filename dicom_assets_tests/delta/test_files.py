"""Data files: names, statistics, and readers that are not ours."""

from datetime import UTC, datetime

import duckdb
import polars as pl
import pyarrow as pa
import pytest
from deltalake import DeltaTable, write_deltalake

from dicom_assets.delta.evolution import TableSchemaError, ensure_table
from dicom_assets.delta.layout import from_log, partition_folder
from dicom_assets.delta.statistics import StatisticsCollector
from dicom_assets.extract.model import DEFAULT_MODEL
from dicom_assets.tables import FILE_INDEX, Column, Table
from dicom_assets_tests.support.rows import append, index_rows, paths

ODD = ["2024/01", "a b", "50%", "x=y", "日本", "it's", '"q"', "~", "."]


@pytest.mark.parametrize("prefix", ODD)
def test_every_reader_finds_the_partition_value(lake, prefix):
    append(lake, index_rows(prefix, ["1", "2"]))
    uri = lake.location(FILE_INDEX).uri
    scanned = pa.table(DeltaTable(uri).scan())
    assert scanned["prefix"].to_pylist() == [prefix] * 2
    assert pl.read_delta(uri)["prefix"].to_list() == [prefix] * 2
    reader = pa.table(DeltaTable(uri).scan())
    assert duckdb.connect().sql("select distinct prefix from reader").fetchall() == [(prefix,)]
    assert reader.num_rows == 2


@pytest.mark.parametrize("prefix", ODD)
def test_files_are_laid_out_as_delta_rs_lays_them_out(tmp_path, prefix):
    write_deltalake(str(tmp_path), pa.table({"prefix": [prefix], "x": [1]}), partition_by=["prefix"])
    (logged,) = pa.table(DeltaTable(str(tmp_path)).get_add_actions())["path"].to_pylist()
    folder = logged.split("/")[0]
    assert partition_folder(prefix) == from_log(folder)
    assert (tmp_path / partition_folder(prefix)).is_dir()


def test_a_prefix_longer_than_a_file_name_may_be(lake):
    prefix = "日本" * 60
    append(lake, index_rows(prefix, ["1"]))
    assert pa.table(DeltaTable(lake.location(FILE_INDEX).uri).scan())["prefix"].to_pylist() == [prefix]


def test_statistics_let_readers_skip_files(lake):
    append(lake, index_rows("a", ["1", "2", "3"]))
    (action,) = pa.table(DeltaTable(lake.location(FILE_INDEX).uri).get_add_actions(flatten=True)).to_pylist()
    assert action["num_records"] == 3
    assert (action["min.path"], action["max.path"]) == ("/archive/a/1", "/archive/a/3")
    assert (action["min.size"], action["max.size"]) == (0, 2)
    assert action["null_count.size"] == 0


def test_statistics_are_of_all_batches_and_bound_from_above():
    collector = StatisticsCollector(["t", "d", "s", "n"])
    when = datetime(2024, 1, 1, 0, 0, 0, 123456, tzinfo=UTC)
    schema = pa.schema(
        [("t", pa.timestamp("us", tz="UTC")), ("d", pa.float64()), ("s", pa.string()), ("n", pa.int32())]
    )
    for low, text in ((1.5, "b"), (float("nan"), "x" * 2000)):
        collector.add(pa.record_batch([[when], [low], [text], [None]], schema=schema))
    found = pa.scalar(collector.json()).as_py()
    assert '"numRecords":2' in found
    assert '"minValues":{"t":"2024-01-01T00:00:00.123Z"}' in found, "NaN and long text bound nothing"
    assert '"maxValues":{"t":"2024-01-01T00:00:00.124Z"}' in found, "milliseconds, rounded up"
    assert '"nullCount":{"t":0,"d":0,"s":0,"n":2}' in found


def test_creating_a_table_twice_is_one_table(lake):
    lake.ensure(DEFAULT_MODEL.tables)
    lake.ensure(DEFAULT_MODEL.tables)
    assert [DeltaTable(lake.location(table).uri).version() for table in DEFAULT_MODEL.tables] == [0] * len(
        DEFAULT_MODEL.tables
    )


def test_columns_of_a_newer_version_are_added_and_old_rows_read_null(lake):
    append(lake, index_rows("a", ["1"]))
    newer = Table(FILE_INDEX.name, "", (*FILE_INDEX.columns, Column("owner", pa.string(), "Who.")))
    ensure_table(lake.location(newer), newer)
    assert lake.snapshot(newer).keys(["owner"])["owner"].to_pylist() == [None]
    assert paths(lake) == ["/archive/a/1"]


def test_a_column_of_another_type_is_refused_with_what_to_do(lake):
    append(lake, index_rows("a", ["1"]))
    other = tuple(Column(c.name, pa.string(), "") if c.name == "size" else c for c in FILE_INDEX.columns)
    with pytest.raises(TableSchemaError, match=r"column size .* move the table away"):
        ensure_table(lake.location(FILE_INDEX), Table(FILE_INDEX.name, "", other))

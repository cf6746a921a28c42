from concurrent.futures import ThreadPoolExecutor

import pyarrow as pa
import pytest

from dicom_assets.delta.location import TableLocation
from dicom_assets.delta.user_tables import UserTable, UserTableError


@pytest.fixture
def table(tmp_path):
    return UserTable(TableLocation(str(tmp_path / "cohort")), "prefix")


def rows(*prefixes):
    return pa.table({"prefix": pa.array(prefixes, pa.string()), "n": pa.array(range(len(prefixes)), pa.int64())})


def test_writers_of_different_partitions_do_not_fail_or_lose_each_other(table):
    keys = [f"{n:02d}" for n in range(12)]
    with ThreadPoolExecutor(4) as pool:
        written = list(pool.map(lambda key: table.replace(rows(key), [key]), keys))
    assert sorted(table.read().column("prefix").to_pylist()) == keys
    assert [entry.by_partition for entry in written] == [{key: 1} for key in keys]
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda key: table.replace(rows(key, key), [key]), keys))
    assert sorted(table.read().column("prefix").to_pylist()) == sorted(keys * 2)


def test_only_data_files_of_the_partitions_are_read(table, tmp_path):
    table.replace(rows("a", "b"), ["a", "b"])
    next((tmp_path / "cohort" / "prefix=b").glob("*.parquet")).unlink()
    assert table.read(["n"], ["a"]).to_pylist() == [{"n": 0}]
    assert table.read(keys=[]).num_rows == 0


def test_a_table_that_is_partitioned_otherwise_is_refused(table):
    table.replace(rows("a"), ["a"])
    with pytest.raises(UserTableError, match=r"is partitioned by .*prefix.*, its asset by nothing"):
        UserTable(table.location).replace(rows("a"))
    assert table.read().num_rows == 1


def test_columns_come_in_the_order_asked_for_and_with_plain_types(table):
    table.replace(rows("a"), ["a"])
    assert table.read(["n", "prefix"]).schema == pa.schema([("n", pa.int64()), ("prefix", pa.string())])


def test_partition_keys_are_strings(table):
    with pytest.raises(UserTableError, match="prefix holds int64, partition keys are strings"):
        table.replace(pa.table({"prefix": [1], "n": [1]}), ["1"])

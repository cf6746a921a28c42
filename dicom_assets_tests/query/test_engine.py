"""What a query can reach: the tables, the files that are allowed, and nothing else of the machine."""

import os
import threading
import time
from pathlib import Path

import duckdb
import pytest

from dicom_assets.delta.location import TableLocation
from dicom_assets.query import Catalog, CatalogError, EngineOptions, QueryError
from dicom_assets_tests.query.conftest import ROWS

SECRET = "value-of-another-file"


@pytest.fixture
def ground(tmp_path, monkeypatch):
    """A folder that is allowed, and one beside it whose name begins alike; links lead from the first to the second."""
    for name in ("allowed", "allowed-not"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "it's.csv").write_text("Modality,label\nCT,x-rays\n")
    (tmp_path / "allowed-not" / "secret.csv").write_text(f"a\n{SECRET}\n")
    (tmp_path / "allowed-not" / "secret.json").write_text(f'{{"a": "{SECRET}"}}')
    (tmp_path / "links").mkdir()
    (tmp_path / "links" / "link.csv").symlink_to(tmp_path / "allowed-not" / "secret.csv")
    (tmp_path / "links" / "folder").symlink_to(tmp_path / "allowed-not")
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def catalog(lake, ground):
    return Catalog(lake, engine=EngineOptions(allow_files=(Path("allowed"), ground / "links")))


def _tree(*folders):
    return {
        (str(path), path.lstat().st_mtime_ns, path.lstat().st_size)
        for folder in folders
        for path in Path(folder).rglob("*")
    }


READS = [
    "FROM 'allowed-not/secret.csv'",
    "FROM '{root}/allowed-not/secret.csv'",
    "FROM 'file://{root}/allowed-not/secret.csv'",
    "FROM 'allowed/../allowed-not/secret.csv'",
    "FROM '{root}/allowed/../allowed-not/secret.csv'",
    "FROM 'links/link.csv'",
    "FROM '{root}/links/folder/secret.csv'",
    "FROM '{root}/links/*.csv'",
    "FROM read_csv('{root}/allowed-not/secret.csv')",
    "FROM read_csv_auto(['{root}/allowed/it''s.csv', '{root}/allowed-not/secret.csv'])",
    "FROM read_text('{root}/allowed-not/secret.csv')",
    "FROM read_blob('{root}/allowed-not/secret.csv')",
    "FROM read_json('{root}/allowed-not/secret.json')",
    "FROM read_json_objects('{root}/allowed-not/secret.json')",
    "FROM parquet_scan('{lake}/dicom/object_catalog/*/*.parquet')",
    "FROM read_parquet('{lake}/dicom/object_catalog/*/*.parquet')",
    "FROM parquet_metadata('{lake}/dicom/object_catalog/*/*.parquet')",
    "FROM glob('{root}/*')",
    "FROM glob('{root}/allowed/../*')",
    "SELECT content FROM read_text('/etc/passwd')",
    "SELECT content FROM read_text('/proc/self/environ')",
    "FROM query('FROM read_text(''{root}/allowed-not/secret.csv'')')",
    "FROM sniff_csv('{root}/allowed-not/secret.csv')",
    "FROM 'https://127.0.0.1:1/x.csv'",
    "FROM 's3://bucket/x.parquet'",
    "FROM read_duckdb('{root}/x.db', table_name = 't')",
]
STATEMENTS = [
    "COPY (SELECT 1) TO '{root}/out.csv'",
    "COPY (SELECT 1) TO '{root}/allowed/out.csv'",
    "COPY (SELECT 1) TO '{lake}/dicom/object_catalog/_delta_log/99999999999999999999.json'",
    "COPY object_catalog TO 'allowed/out.parquet'",
    "EXPLAIN ANALYZE COPY (SELECT 1) TO '{root}/allowed/out.csv'",
    "EXPLAIN (ANALYZE) COPY (SELECT 1) TO '{root}/allowed/out.csv'",
    "EXPLAIN /* */ ANALYZE COPY (SELECT 1) TO '{root}/allowed/out.csv'",
    "WITH x AS (COPY (SELECT 1) TO '{root}/allowed/out.csv') SELECT 1",
    "EXPLAIN ANALYZE WITH x AS (COPY (SELECT 1) TO '{root}/allowed/out.csv') SELECT 1",
    "WITH x AS (COPY (SELECT 1) TO '{root}/allowed/out.csv') FROM (PIVOT x ON Count USING count(*))",
    "COPY (PIVOT object_catalog ON Modality USING count(*)) TO '{root}/allowed/out.csv'",
    "PIVOT (WITH x AS (COPY (SELECT 1) TO '{root}/allowed/out.csv') FROM x) ON Count USING count(*)",
    "PIVOT query('WITH x AS (CO' || 'PY (SELECT 1) TO ''{root}/allowed/out.csv'') FROM x') ON Count USING count(*)",
    "FROM query('WITH x AS (CO' || 'PY (SELECT 1) TO ''{root}/allowed/out.csv'') SELECT 1')",
    "SELECT 1\x00; COPY (SELECT 1) TO '{root}/allowed/out.csv'",
    "SELECT '山' /* ; */; -- 山 ;\n COPY (SELECT 1) TO '{root}/allowed/out.csv'",
    "SELECT 1; COPY (SELECT 1) TO '{root}/allowed/out.csv'",
    "SELECT 1) ; COPY (SELECT 1) TO '{root}/allowed/out.csv' ; FROM (SELECT 1",
    "EXPORT DATABASE '{root}/allowed/database'",
    "IMPORT DATABASE '{root}/allowed'",
    "ATTACH '{root}/allowed/x.db'",
    "ATTACH ':memory:' AS other",
    "INSTALL httpfs",
    "LOAD httpfs",
    "LOAD '{root}/allowed/x.duckdb_extension'",
    "SET enable_external_access = true",
    "RESET lock_configuration",
    "PRAGMA threads = 1",
    "PRAGMA enable_profiling",
    "CALL enable_logging(storage = 'file', storage_path = '{root}/allowed/log')",
    "FROM enable_logging(storage = 'file', storage_path = '{root}/allowed/log')",
    "FROM enable_profiling(format = 'json', save_location = '{root}/allowed/profile')",
    "CREATE TABLE copied AS FROM object_catalog",
    "CREATE PERSISTENT SECRET (TYPE s3)",
    "CREATE MACRO f(a) AS a",
    "DELETE FROM object_catalog",
    "SELECT getenv('HOME')",
    "FROM python_map_function((SELECT 1), 1)",
    "FROM arrow_scan(1, 2, 3)",
]


@pytest.mark.parametrize("query", READS)
def test_files_and_addresses_that_are_not_allowed_are_out_of_reach(catalog, ground, query):
    with pytest.raises((QueryError, duckdb.PermissionException)) as caught:
        catalog.sql(query.format(root=ground, lake=catalog.lake.root)).fetchall()
    assert SECRET not in str(caught.value)


@pytest.mark.parametrize("query", STATEMENTS)
def test_nothing_is_written_set_or_loaded(catalog, ground, query):
    before = _tree(ground, catalog.lake.root)
    with pytest.raises(QueryError) as caught:
        catalog.sql(query.format(root=ground, lake=catalog.lake.root)).fetchall()
    assert "\n" not in str(caught.value)
    assert _tree(ground, catalog.lake.root) == before


@pytest.mark.parametrize(
    "query",
    [
        "FROM '{root}/allowed/../allowed-not/secret.csv'",
        "FROM 'links/link.csv'",
        "FROM read_text('{root}/allowed-not/secret.csv')",
        "FROM query('FROM read_text(''{root}/allowed-not/secret.csv'')')",
        "FROM parquet_scan('{lake}/dicom/object_catalog/*/*.parquet')",
        "SELECT 1; WITH x AS (COPY (SELECT 1) TO '{root}/out.csv') SELECT 2",
        "CREATE MACRO f(a) AS a; SET threads = 1; SELECT f(1)",
    ],
)
def test_unsafe_opens_what_is_closed(lake, ground, query):
    unsafe = Catalog(lake, engine=EngineOptions(unsafe=True))
    assert unsafe.sql(query.format(root=ground, lake=lake.root)).fetchall()


def test_unsafe_writes_where_it_is_told_to(lake, ground):
    unsafe = Catalog(lake, engine=EngineOptions(unsafe=True))
    unsafe.sql(f"COPY (SELECT count(*) FROM object_catalog) TO '{ground}/out.csv' (HEADER false)")
    assert (ground / "out.csv").read_text() == f"{len(ROWS)}\n"


@pytest.mark.parametrize("file", ["allowed/it''s.csv", "{root}/allowed/it''s.csv", "{root}/allowed/*.csv"])
def test_files_that_are_allowed_can_be_joined(catalog, ground, file):
    query = f"SELECT DISTINCT label FROM object_catalog JOIN '{file.format(root=ground)}' USING (Modality)"
    assert catalog.sql(query).fetchall() == [("x-rays",)]


def test_one_file_can_be_allowed_and_a_folder_by_a_link_to_it(lake, ground):
    (ground / "by-link").symlink_to("allowed")
    one = Catalog(lake, engine=EngineOptions(allow_files=(ground / "allowed-not" / "it's.csv", ground / "by-link")))
    assert one.sql("SELECT label FROM 'allowed-not/it''s.csv'").fetchall() == [("x-rays",)]
    assert one.sql("SELECT label FROM 'by-link/it''s.csv'").fetchall() == [("x-rays",)]
    with pytest.raises(QueryError):
        one.sql("FROM 'allowed-not/secret.csv'").fetchall()


def test_a_folder_to_be_allowed_has_to_be_there(lake, ground):
    with pytest.raises(CatalogError, match="nowhere is to be allowed, but does not exist"):
        Catalog(lake, engine=EngineOptions(allow_files=(Path("nowhere"),))).sql("FROM object_catalog")


@pytest.mark.parametrize(
    "query",
    [
        "EXPLAIN SELECT * FROM object_catalog",
        "explain analyze\nSELECT count(*) FROM object_catalog -- how long?\n",
        "DESCRIBE object_catalog",
        "SUMMARIZE file_index",
        "SHOW TABLES",
        "PIVOT object_catalog ON Modality USING count(*) GROUP BY prefix",
        "FROM (PIVOT object_catalog ON Modality USING count(*))",
        "WITH x AS MATERIALIZED (FROM object_catalog) FROM x LIMIT 1; -- the end;\n",
        "/* first */ TABLE object_catalog;",
        "VALUES (';')",
        "SELECT 'Röntgen; 山' AS \"ä\"; -- 山田;",
        "SELECT '\x85\u2028\U000e0041' /* ; */ ;;",
    ],
)
def test_all_that_reads_is_answered(catalog, query):
    assert catalog.sql(query).fetchall()


def test_the_order_that_a_query_asks_for_is_that_of_its_result(catalog):
    paths = [path for (path,) in catalog.sql("SELECT path FROM object_catalog ORDER BY path DESC").fetchall()]
    assert paths == sorted((row["path"] for row in ROWS), reverse=True)


def test_settings_hold_no_secrets_and_secrets_of_the_user_are_not_loaded(catalog):
    assert catalog.sql("FROM duckdb_secrets()").fetchall() == []
    assert catalog.sql("SELECT current_setting('allow_persistent_secrets')").fetchall() == [(False,)]


def test_a_lake_on_an_object_store_is_read_behind_closed_doors(catalog, monkeypatch):
    monkeypatch.setattr(TableLocation, "is_local", False)
    assert catalog.sql("SELECT count(*) FROM object_catalog").fetchall() == [(len(ROWS),)]


ENDLESS = "SELECT sum(a.range * b.range % 7) FROM range(1000000) a, range(1000000) b"


@pytest.mark.parametrize("query", [ENDLESS, f"PIVOT ({ENDLESS}) AS x(a) ON a USING count(*)", "SELECT sleep_ms(60000)"])
def test_a_query_that_takes_longer_than_it_may_is_interrupted(lake, query):
    slow = Catalog(lake, engine=EngineOptions(seconds=0.5))
    started = time.monotonic()
    with pytest.raises(Exception, match=r"(?i)interrupted|longer than it may"):
        slow.sql(query).fetchall()
    assert time.monotonic() - started < 20


def test_a_result_that_is_let_go_leaves_no_thread(lake):
    quick = Catalog(lake, engine=EngineOptions(seconds=600))
    assert quick.sql("SELECT 1").fetchall() == [(1,)]
    deadline = time.monotonic() + 10
    while any(thread.name == "query deadline" for thread in threading.enumerate()) and time.monotonic() < deadline:
        time.sleep(0.01)
    assert not any(thread.name == "query deadline" for thread in threading.enumerate())


def test_memory_and_threads_are_bounded(lake):
    small = Catalog(lake, engine=EngineOptions(memory_bytes=64_000_000, threads=1))
    ((memory, threads),) = small.sql("SELECT current_setting('memory_limit'), current_setting('threads')").fetchall()
    assert (memory, threads) == ("61.0 MiB", 1)
    with pytest.raises(Exception, match=r"Out of Memory"):
        small.sql("SELECT list(range) FROM range(100000000)").fetchall()


def test_what_does_not_fit_into_memory_goes_below_tmpdir_and_nowhere_else(lake, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    small = Catalog(lake, engine=EngineOptions(memory_bytes=40_000_000, threads=1))
    query = "SELECT count(*) FROM (SELECT DISTINCT range, hash(range) FROM range(3000000))"
    assert small.sql(query).fetchall() == [(3_000_000,)]
    ((folder,),) = small.sql("SELECT current_setting('temp_directory')").fetchall()
    assert Path(folder).parent.name.startswith(f"dicom-assets-{os.getpid()}-")
    assert list(tmp_path.iterdir()) == []

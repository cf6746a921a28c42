"""Catalogs share engines, and nothing else."""

import os
from concurrent.futures import ThreadPoolExecutor

import duckdb
import pytest

from dicom_assets.delta.lake import Lake
from dicom_assets.query import Catalog, EngineOptions, NoCatalogError, QueryError, engine_pool
from dicom_assets.query.engine_pool import EnginePool


@pytest.fixture
def starts(monkeypatch):
    """Return the options of the engines that were started, as they are."""
    started = []
    start = engine_pool.start

    def counted(options):
        started.append(options)
        return start(options)

    monkeypatch.setattr(engine_pool, "start", counted)
    return started


def test_one_for_each_limit_also_when_many_ask_at_once(starts):
    pool = EnginePool()
    small, smaller = EngineOptions(memory_bytes=2**30), EngineOptions(memory_bytes=2**29)
    with ThreadPoolExecutor(8) as threads:
        engines = set(map(id, threads.map(lambda number: pool.engine((small, smaller)[number % 2]), range(40))))
    assert len(starts) == len(engines) == 2
    assert pool.engine(EngineOptions(memory_bytes=2**30, seconds=9)) is pool.engine(small)


def test_one_that_broke_is_replaced(starts):
    pool = EnginePool()
    pool.engine(EngineOptions()).close()
    assert pool.engine(EngineOptions()).execute("SELECT 1").fetchall() == [(1,)]
    assert len(starts) == 2


def test_a_catalog_sees_no_table_of_another(lake, tmp_path):
    assert Catalog(lake).sql("SELECT count(*) > 0 FROM object_catalog").fetchall() == [(True,)]
    with pytest.raises(NoCatalogError):
        Catalog(Lake(str(tmp_path / "other"))).sql("SELECT count(*) FROM object_catalog")
    with pytest.raises(QueryError, match="elsewhere"):
        Catalog(lake).sql("SELECT count(*) FROM elsewhere")


def test_files_that_one_allows_are_closed_to_the_next(lake, tmp_path):
    (tmp_path / "cohort.csv").write_text("a\n1\n")
    query = f"SELECT a FROM '{tmp_path}/cohort.csv'"
    assert Catalog(lake, engine=EngineOptions(allow_files=(tmp_path,))).sql(query).fetchall() == [(1,)]
    with pytest.raises(QueryError):
        Catalog(lake).sql(query).fetchall()


@pytest.mark.skipif(not hasattr(os, "register_at_fork"), reason="no fork here")
def test_a_lock_that_was_held_when_the_process_was_forked_holds_up_no_one():
    with engine_pool.SHARED._lock:
        engine_pool.SHARED.renew_lock()  # as in the child
        assert isinstance(engine_pool.SHARED.engine(EngineOptions()), duckdb.DuckDBPyConnection)

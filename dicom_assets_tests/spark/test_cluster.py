"""A standalone cluster makes the same tables as this process, also when it loses a worker, and only with its code."""

import shutil
from pathlib import Path

import pytest

from dicom_assets.delta.lake import Lake
from dicom_assets.extract.headers import DICOM_HEADERS
from dicom_assets.spark.code import pack
from dicom_assets.tables import FILE_INDEX
from dicom_assets_tests.support.cluster import Cluster
from dicom_assets_tests.support.hidden import hide_package
from dicom_assets_tests.support.on_engine import PROJECT, result, spawn, wait_for_marks
from dicom_assets_tests.support.whole import contents

pytestmark = [pytest.mark.slow, pytest.mark.timeout(900)]


@pytest.fixture(scope="module")
def cluster(tmp_path_factory):
    cluster = Cluster(tmp_path_factory.mktemp("cluster"), 2)
    yield cluster
    cluster.stop()


def _settings(cluster, **more):
    return {"spark.master": cluster.master, "spark.executor.memory": "512m", "spark.driver.memory": "512m", **more}


@pytest.fixture
def without_the_package(tmp_path):
    return {"spark.executorEnv.PYTHONPATH": str(hide_package(tmp_path / "hidden"))}


def test_a_cluster_makes_the_same_tables_row_by_row(cluster, source, expected, lake):
    assert result(spawn(source, lake.root, _settings(cluster))) == (0, "")
    assert contents(lake) == expected


def test_workers_without_the_package_are_told_of_in_one_line_and_read_nothing(
    cluster, source, lake, without_the_package
):
    code, said = result(spawn(source, lake.root, _settings(cluster, **without_the_package)))
    assert code == 2, said
    assert said.count("\n") == 0
    assert said.startswith("WorkerError: the Spark worker ")
    assert "lacks the package dicom_assets" in said
    assert "spark.submit.pyFiles" in said
    assert not contents(lake)[DICOM_HEADERS.name]


def test_a_package_that_is_shipped_does(cluster, source, expected, lake, without_the_package, tmp_path):
    shipped = {"spark.submit.pyFiles": str(pack(tmp_path / "shipped.zip"))}
    assert result(spawn(source, lake.root, _settings(cluster, **without_the_package, **shipped))) == (0, "")
    assert contents(lake) == expected


def test_workers_with_other_code_are_told_of_in_one_line(cluster, source, lake, tmp_path):
    shutil.copytree(PROJECT / "dicom_assets", tmp_path / "dicom_assets")
    with (tmp_path / "dicom_assets" / "uids.py").open("a") as module:
        module.write("# changed\n")
    settings = _settings(cluster, **{"spark.executorEnv.PYTHONPATH": str(tmp_path)})
    code, said = result(spawn(source, lake.root, settings))
    assert code == 2, said
    assert said.startswith("WorkerError: the Spark worker ")
    assert "other code of the package dicom_assets" in said


def test_a_lake_that_workers_cannot_see_is_refused(cluster, source, tmp_path):
    """Workers of this machine see what it sees, so these are made blind for tables."""
    (tmp_path / "blind").mkdir()
    (tmp_path / "blind" / "sitecustomize.py").write_text(
        "import pathlib\n"
        "real = pathlib.Path.is_dir\n"
        "pathlib.Path.is_dir = lambda self, **how: self.name != '_delta_log' and real(self, **how)\n"
    )
    settings = _settings(cluster, **{"spark.executorEnv.PYTHONPATH": f"{tmp_path / 'blind'}:{PROJECT}"})
    lake = Lake(str(tmp_path / "lake"))
    code, said = result(spawn(source, lake.root, settings))
    assert code == 2, said
    assert said.startswith("LakeNotHereError: the worker ")
    assert contents(lake)[FILE_INDEX.name]
    assert not contents(lake)[DICOM_HEADERS.name]


def test_a_worker_that_is_lost_in_the_middle_costs_nothing_but_time(cluster, source, expected, lake, tmp_path):
    (tmp_path / "marks").mkdir()
    process = spawn(source, lake.root, _settings(cluster), tmp_path / "marks")
    wait_for_marks(tmp_path / "marks", 5, process)
    cluster.kill_worker()
    try:
        assert result(process) == (0, "")
    finally:
        cluster.workers.append(cluster.add_worker())
    read_by = {mark.name.partition("-")[0] for mark in Path(tmp_path / "marks").iterdir()}
    assert len(read_by) >= 2, "both workers read files"
    assert contents(lake) == expected

"""Before a worker works it looks whether it has the package, this version of it, and all that is needed."""

import os
import shutil
import subprocess
import sys

import pyarrow as pa
import pytest
from pyspark.cloudpickle import dumps
from pyspark.errors import PySparkException

from dicom_assets.delta.location import LakeNotHereError, TableLocation
from dicom_assets.errors import UserError
from dicom_assets.spark.code import code_digest, pack
from dicom_assets.spark.workers import WorkerError, on_batches, worker_error
from dicom_assets_tests.support.hidden import hide_package
from dicom_assets_tests.support.on_engine import PROJECT

WORKER = """
import pickle, sys
import pyarrow as pa
sys.path[1:1] = sys.argv[2:]  # as Spark puts what was shipped
with open(sys.argv[1], "rb") as file:
    run = pickle.load(file)
batches = [pa.record_batch([pa.array([b"a", b"b"], pa.binary())], names=["piece"])]
print([value for batch in run(iter(batches)) for value in batch.column(0).to_pylist()])
"""


def _twice(piece):
    yield piece * 2
    yield 0.5


@pytest.fixture
def work(tmp_path):
    """Run the function of a task in another Python, which finds packages in some folder first; returns what it said."""

    def run(path, *shipped, function=_twice):
        (tmp_path / "task").write_bytes(dumps(on_batches(function)))
        command = [sys.executable, "-c", WORKER, str(tmp_path / "task"), *map(str, shipped)]
        done = subprocess.run(
            command,
            env={**os.environ, "PYTHONPATH": str(path)},
            cwd=tmp_path,
            capture_output=True,
            text=True,
            check=False,
        )
        return done.stdout or done.stderr

    return run


def _local(piece):
    return [piece, piece]


def test_a_worker_with_this_package_works(work):
    assert work(PROJECT) == "[b'aa', b'bb']\n"


def test_a_worker_without_the_package_says_so_and_what_is_shipped_will_do(work, tmp_path):
    hidden = hide_package(tmp_path / "hidden")
    error = worker_error(work(hidden))
    assert isinstance(error, WorkerError)
    assert "lacks the package dicom_assets" in str(error)
    assert "spark.submit.pyFiles" in str(error)
    shipped = pack(tmp_path / "shipped.zip")
    assert work(hidden, shipped, function=os.path.basename).startswith("["), "it is found, and its digest is the same"


def test_a_worker_with_other_code_says_so(work, tmp_path):
    shutil.copytree(PROJECT / "dicom_assets", tmp_path / "other" / "dicom_assets")
    with (tmp_path / "other" / "dicom_assets" / "tables.py").open("a") as module:
        module.write("# changed\n")
    error = worker_error(work(tmp_path / "other"))
    assert "other code of the package dicom_assets" in str(error)
    assert "\n" not in str(error)


def test_a_worker_with_an_old_version_that_knows_nothing_of_this_says_so(work, tmp_path):
    (tmp_path / "old" / "dicom_assets").mkdir(parents=True)
    (tmp_path / "old" / "dicom_assets" / "__init__.py").touch()
    assert "another version of the package dicom_assets" in str(worker_error(work(tmp_path / "old")))


def test_a_worker_that_lacks_an_extractor_of_the_user_names_it(work, tmp_path, monkeypatch):
    (tmp_path / "mine.py").write_text("def extract(piece):\n    return [piece]\n")
    monkeypatch.syspath_prepend(tmp_path)
    import mine

    shutil.move(tmp_path / "mine.py", tmp_path / "gone.txt")
    error = worker_error(work(PROJECT, function=mine.extract))
    assert "lacks what the work needs, No module named 'mine'" in str(error)


def test_what_is_about_something_else_is_none_of_these():
    assert worker_error("IndexError: list index out of range") is None


def test_workers_of_another_python_are_told_in_words():
    said = (
        "pyspark.errors.exceptions.base.PySparkRuntimeError: [PYTHON_VERSION_MISMATCH] Python in worker has different "
        "version: 3.12 than that in driver: 3.11, PySpark cannot run with different minor versions.\nPlease check"
    )
    error = worker_error(said)
    assert "3.12 than that in driver: 3.11" in str(error)
    assert "spark.pyspark.python" in str(error)


def test_a_lake_that_a_worker_lacks_is_refused_there_and_here(tmp_path):
    location = TableLocation(str(tmp_path / "lake" / "thumbnails"))
    with pytest.raises(LakeNotHereError) as raised:
        location.for_writing()
    assert isinstance(raised.value, UserError)
    assert not (tmp_path / "lake").exists(), "nothing was made"
    again = worker_error(
        f"Traceback\n  File x\ndicom_assets.delta.location.LakeNotHereError: {raised.value}\n\n at java"
    )
    assert isinstance(again, LakeNotHereError)
    assert str(again) == str(raised.value)


def test_data_files_that_cannot_be_seen_from_here_are_not_committed(tmp_path):
    location = TableLocation(str(tmp_path))
    (tmp_path / "there.parquet").touch()
    location.confirm_written(["there.parquet"])
    with pytest.raises(LakeNotHereError, match="Nothing was committed"):
        location.confirm_written(["there.parquet", "elsewhere.parquet"])


def test_one_code_makes_one_archive_and_one_digest(tmp_path):
    first, second = pack(tmp_path / "a.zip"), pack(tmp_path / "b.zip")
    assert first.read_bytes() == second.read_bytes()
    told = subprocess.run(
        [sys.executable, "-c", "from dicom_assets.spark.code import code_digest as d; print(d(), d.__module__)"],
        env={**os.environ, "PYTHONPATH": str(first)},
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=True,
    )
    assert told.stdout.split()[0] == code_digest()


def test_a_task_on_spark_runs_by_the_same_function(spark):
    from dicom_assets.spark.engine import SparkRunner

    runner = SparkRunner(spark)
    runner.check()
    assert sorted(runner.run(_local, [b"a", b"b"])) == [b"a", b"a", b"b", b"b"]
    batch = pa.record_batch([pa.array([b"c"], pa.binary())], names=["piece"])
    assert [made.column(0).to_pylist() for made in on_batches(_local)(iter([batch]))] == [[b"c", b"c"]]


def _failing(piece):
    raise ValueError("of the function itself")


def test_an_error_of_the_function_is_raised_as_spark_tells_it_and_is_no_cause_of_its_own(spark):
    """Who looks for the first cause of an error would look for ever."""
    from dicom_assets.spark.engine import SparkRunner

    with pytest.raises(PySparkException, match="of the function itself") as raised:
        SparkRunner(spark).run(_failing, [b"a"])
    assert raised.value.__cause__ is not raised.value

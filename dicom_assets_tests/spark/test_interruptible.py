"""Calls of Spark that are waited for: what they return and raise comes through; Ctrl-C ends the wait, and the jobs."""

import threading

import pytest
from pyspark import TaskContext

from dicom_assets.delta.lake import Lake
from dicom_assets.spark.engine import SparkRunner
from dicom_assets_tests.support.on_engine import interrupt, result, spawn, wait_for_marks
from dicom_assets_tests.support.whole import contents

LOCAL = {"spark.master": "local[2,4]", "spark.driver.memory": "1g"}


def _doubled(piece):
    return [piece + piece]


def _property(piece):
    return [TaskContext.get().getLocalProperty(piece.decode()).encode()]


def _raises(piece):
    raise ValueError(piece.decode())


def test_results_are_those_of_the_pieces_in_their_order(spark):
    threads = threading.active_count()
    assert SparkRunner(spark).run(_doubled, [b"a", b"b", b"c"]) == [b"aa", b"bb", b"cc"]
    assert threading.active_count() == threads


def test_what_a_worker_raises_is_raised_here(spark):
    with pytest.raises(Exception, match="a piece of this name"):
        SparkRunner(spark).run(_raises, [b"a piece of this name"])


def test_jobs_have_the_local_properties_of_the_thread_that_waits_for_them_and_leave_them_alone(spark):
    context = spark.sparkContext
    context.setLocalProperty("of.the.user", "a pool")
    context.setLocalProperty("spark.jobGroup.id", "of the user")
    try:
        assert SparkRunner(spark).run(_property, [b"of.the.user"]) == [b"a pool"]
        assert context.getLocalProperty("spark.jobGroup.id") == "of the user"
    finally:
        context.setLocalProperty("of.the.user", None)
        context.setLocalProperty("spark.jobGroup.id", None)


@pytest.mark.slow
def test_ctrl_c_in_the_middle_of_a_job_ends_it_and_the_next_run_goes_on(source, expected, tmp_path):
    lake, marks = Lake(str(tmp_path / "lake")), tmp_path / "marks"
    marks.mkdir()
    process = spawn(source, lake.root, LOCAL, marks)
    wait_for_marks(marks, 3, process)
    assert interrupt(process, marks) < len(list(source.rglob("*.dcm")))
    assert result(spawn(source, lake.root, LOCAL)) == (0, "")
    assert contents(lake) == expected

"""What a failed step is retried for, and what its event says first."""

import os
import re

import dagster as dg
import pytest
from deltalake.exceptions import DeltaError
from pyspark.errors import PySparkException

from dicom_assets.archive.base import ArchiveError
from dicom_assets.archive.reading import NotAFileError
from dicom_assets.errors import InfrastructureError, UserError
from dicom_assets.orchestration.assets.failures import ADVICE, CAUSE, ERROR, only_infrastructure_is_retried
from dicom_assets.orchestration.assets.plain_errors import plain_text, plainly
from dicom_assets.orchestration.assets.specs import RETRIES
from dicom_assets.orchestration.runs import range_tags
from dicom_assets.spark.engine import SparkRunner

COLOURED = "Generic S3 error: \x1b[31m\u21b3\x1b[0m Error performing GET https://key:secret@host/bucket?Signature=abc"
PARTITIONS = dg.StaticPartitionsDefinition(["a", "b", "c"])
AT_ONCE = dg.RetryPolicy(max_retries=RETRIES.max_retries)
"""As those of the catalog are retried, but without pauses."""


def run(raised, tags=None):
    """Return the events of an asset that raises."""

    @dg.asset(retry_policy=AT_ONCE, partitions_def=PARTITIONS, backfill_policy=dg.BackfillPolicy.single_run())
    def broken(context: dg.AssetExecutionContext) -> None:
        with only_infrastructure_is_retried(context):
            raised()

    with dg.DagsterInstance.ephemeral() as instance:
        job = dg.Definitions(assets=[broken], executor=dg.in_process_executor).resolve_implicit_global_asset_job_def()
        result = job.execute_in_process(
            instance=instance, raise_on_error=False, tags=tags or {"dagster/partition": "a"}
        )
    assert not result.success
    return result.all_events


def raising(error):
    def do():
        raise error

    return do


def the(events, kind):
    return [event for event in events if event.event_type is kind]


@pytest.mark.parametrize(
    "error", [ArchiveError("out of reach"), OSError(28, "No space left"), InfrastructureError("full"), DeltaError("x")]
)
def test_faults_of_the_infrastructure_are_retried_and_the_last_attempt_says_what_it_was(error):
    events = run(raising(error))
    assert len(the(events, dg.DagsterEventType.STEP_UP_FOR_RETRY)) == RETRIES.max_retries
    (failure,) = the(events, dg.DagsterEventType.STEP_FAILURE)
    said = failure.step_failure_data
    assert said.error.message.startswith("StepError: broken of prefix a failed: "), said.error.message
    assert said.user_failure_data.description.count("\n") == 0
    assert "execute the run again" in said.user_failure_data.metadata[ADVICE].value
    (end,) = the(events, dg.DagsterEventType.RUN_FAILURE)
    assert end.job_failure_data.first_step_failure_event.step_failure_data.error.message == said.error.message


@pytest.mark.parametrize("error", [UserError("bad"), NotAFileError("a pipe"), KeyError("program")])
def test_all_else_fails_at_once(error):
    events = run(raising(error))
    assert the(events, dg.DagsterEventType.STEP_UP_FOR_RETRY) == []
    (failure,) = the(events, dg.DagsterEventType.STEP_FAILURE)
    metadata = failure.step_failure_data.user_failure_data.metadata
    assert metadata[ERROR].value == type(error).__name__
    assert ("Mend" if isinstance(error, UserError) else "report it") in metadata[ADVICE].value


def test_a_range_of_prefixes_is_named_by_its_ends():
    (failure,) = the(run(raising(UserError("bad")), range_tags("a", "c")), dg.DagsterEventType.STEP_FAILURE)
    assert "broken of prefixes a ... c failed: bad." in failure.step_failure_data.user_failure_data.description


def test_neither_colours_nor_what_a_store_says_is_shown():
    def chain():
        try:
            raising(ValueError(COLOURED))()
        except ValueError as error:
            raise DeltaError(COLOURED) from error

    (failure,) = the(run(chain), dg.DagsterEventType.STEP_FAILURE)
    shown = failure.step_failure_data.error.to_string()
    assert "\x1b" not in shown
    assert "Signature" not in shown
    assert "secret" not in shown
    assert "DeltaError: " in shown
    assert "in chain" in shown, "the stack is kept"
    assert len(shown.split("The above exception was caused by")) == 3


def test_a_data_file_of_a_table_is_not_named():
    error = PermissionError(13, "Permission denied", "/lake/dicom/thumbnails/prefix=Smith%5EJohn/part-1.parquet")
    assert plain_text(error) == "PermissionError: Permission denied: /lake/dicom/thumbnails"


def _fails(piece):
    try:
        os.read(-1, 1)
    except OSError as error:
        raise ArchiveError("the archive is out of reach") from error


CRASHED = """An error occurred while calling o147.getResult.
: org.apache.spark.SparkException: Exception thrown in awaitResult:
\tat org.apache.spark.util.SparkThreadUtils$.awaitResult(SparkThreadUtils.scala:70)
Caused by: org.apache.spark.SparkException: Job aborted due to stage failure: Task 0 in stage 1.0 failed 2 times, \
most recent failure: Lost task 0.1 in stage 1.0 (TID 3) (192.0.2.2 executor driver): org.apache.spark.SparkException: \
Python worker exited unexpectedly (crashed).
\tat org.apache.spark.api.python.BasePythonRunner$ReaderIterator.applyOrElse(PythonRunner.scala:1136)
Caused by: java.io.EOFException
\tat java.base/java.io.DataInputStream.readInt(DataInputStream.java:386)

Driver stacktrace:
\tat org.apache.spark.scheduler.DAGScheduler.$anonfun$abortStage$3(DAGScheduler.scala:4568)
"""
FULL = """An error occurred while calling o9.collect.
: org.apache.spark.SparkException: Job aborted.
\tat org.apache.spark.sql.Dataset.collect(Dataset.scala:1)
Caused by: java.io.IOException: No space left on device
\tat java.base/sun.nio.ch.FileDispatcherImpl.write0(Native Method)
"""


def test_what_fails_on_a_spark_worker_is_told_in_the_words_of_python(spark):
    events = run(lambda: SparkRunner(spark).run(_fails, [b"1"]))
    assert len(the(events, dg.DagsterEventType.STEP_UP_FOR_RETRY)) == RETRIES.max_retries
    (failure,) = the(events, dg.DagsterEventType.STEP_FAILURE)
    said = failure.step_failure_data
    assert said.user_failure_data.metadata[CAUSE].value == "on a Spark worker: the archive is out of reach"
    shown = said.error.to_string()
    assert "in _fails" in shown, "the stack of the worker"
    assert "org.apache.spark" not in shown
    assert not re.search(r"^\s+at [\w.$]+\(", shown, re.MULTILINE)


@pytest.mark.parametrize(
    ("text", "line"),
    [
        (CRASHED, "Spark lost a task: Python worker exited unexpectedly (crashed)."),
        (FULL, "No space left on device"),
    ],
)
def test_what_spark_itself_says_is_told_without_java(text, line):
    assert plain_text(PySparkException(text)) == line
    assert str(plainly(PySparkException(text))) == line

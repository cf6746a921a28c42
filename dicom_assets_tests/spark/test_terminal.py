"""What Spark prints where a task fails: nothing, for the error of the job says it."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

PROJECT = Path(__file__).parents[2]

PROGRAM = """
from dicom_assets.archive.base import ArchiveError
from dicom_assets.orchestration.assets.plain_errors import plain_text
from dicom_assets.spark.engine import SparkRunner
from dicom_assets.spark.java import ensure_java
from dicom_assets.spark.session import start_session

def lost(piece):
    raise ArchiveError("cannot list the archive root s3://archive: connection refused")
    yield

ensure_java()
session = start_session({"spark.master": "local[1,2]"})
try:
    SparkRunner(session).run(lost, [b"1", b"2"])
except Exception as error:
    print(plain_text(error))
session.stop()
"""


@pytest.mark.slow
def test_stacks_of_a_failed_task_stay_out_of_the_terminal():
    told = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", PROGRAM],
        env={**os.environ, "PYTHONPATH": str(PROJECT)},
        capture_output=True,
        text=True,
        timeout=300,
        check=True,
    )
    assert told.stdout == "on a Spark worker: cannot list the archive root s3://archive: connection refused\n"
    shown = [
        line for line in told.stderr.splitlines() if "Traceback" in line or "Exception" in line or "at org" in line
    ]
    assert not shown, told.stderr[-3000:]

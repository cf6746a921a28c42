"""Spark that starts while other things are still done: a JVM and workers that are up when their work is known.

Starting takes seconds in which this process mostly waits: for a JVM that loads its classes, and for a first job, which
loads those that plan it and the packages of the workers. Whoever knows that Spark will be needed begins early.
"""

import threading
from collections.abc import Mapping
from contextlib import suppress
from typing import Any

from dicom_assets.spark.engine import SparkRunner
from dicom_assets.spark.session import start_session


def start_ahead(config: Mapping[str, Any]) -> threading.Thread:
    """Start the Spark session of this process on a thread of its own, and return the thread.

    :func:`~dicom_assets.spark.session.start_session` with the same settings waits for that session. A failure here is
    passed over: that call meets it again, where someone hears of it. The thread keeps no process from ending.
    """
    thread = threading.Thread(target=_start, args=(dict(config),), name="spark-ahead", daemon=True)
    thread.start()
    return thread


def _start(config: Mapping[str, Any]) -> None:
    with suppress(Exception):
        # A job that does nothing: planned by the JVM for the first time, and run by workers that import all they need.
        SparkRunner(start_session(config)).check()

"""The Spark session of this process, here or on a cluster: our defaults under the user's settings."""

import os
import sys
import threading
from collections.abc import Mapping, MutableMapping
from pathlib import Path
from typing import Any
from weakref import WeakSet

from pyspark.sql import SparkSession

from dicom_assets.spark.engine import SparkRunner
from dicom_assets.spark.java import ensure_java
from dicom_assets.spark.remote import connect
from dicom_assets.spark.settings import SPARK_MASTER, SPARK_REMOTE, checked, settings_from_environment

LOCAL_MASTER = "local[*,4]"
"""All cores of this machine; a task that is lost is tried four times, as on a cluster."""

DEFAULT_CONFIG: dict[str, str] = {
    "spark.app.name": "dicom-assets",
    "spark.ui.enabled": "false",
    "spark.ui.showConsoleProgress": "false",
    "spark.driver.memory": "2g",
    "spark.sql.session.timeZone": "UTC",
    # A row can hold a header of megabytes: few rows at a time between JVM and Python.
    "spark.sql.execution.arrow.maxRecordsPerBatch": "256",
    "spark.sql.python.filterPushdown.enabled": "true",
    # A worker holds decoders and caches worth keeping from task to task.
    "spark.python.worker.reuse": "true",
}


LOCAL_CONFIG: dict[str, str] = {
    # A laptop changes networks while Spark runs.
    "spark.driver.host": "127.0.0.1",
    "spark.driver.bindAddress": "127.0.0.1",
    # Here alone: where this package is shipped, workers do not have it yet when their daemon starts.
    "spark.python.daemon.module": "dicom_assets.pipeline.daemon",
    "spark.driver.extraJavaOptions": " ".join(
        [
            # Errors only: the terminal belongs to the progress bar.
            f"-Dlog4j2.configurationFile=file://{Path(__file__).parent / 'log4j2.properties'}",
            # The JVM plans a few jobs and waits for Python. By its defaults it spends half of its time on compiling
            # for a future that does not come; what is called ten times as often is still compiled as well as can be.
            "-XX:+IgnoreUnrecognizedVMOptions",
            "-XX:Tier4InvocationThreshold=50000",
            "-XX:Tier4MinInvocationThreshold=6000",
            "-XX:Tier4CompileThreshold=150000",
            "-XX:Tier4BackEdgeThreshold=400000",
        ]
    ),
}
"""Settings for Spark in this process."""

_starting = threading.RLock()
"""Held while a session is started: whoever needs it meanwhile waits, and gets the same one."""
_checked: WeakSet[SparkSession] = WeakSet()
"""Sessions whose workers were asked whether they can do work."""


def start_session(config: Mapping[str, Any]) -> SparkSession:
    """Return the Spark session of this process, started with our defaults under the user's settings.

    A master that is not this machine, or a server, is asked at once whether its workers can do the work.

    Parameters
    ----------
    config
        Spark settings. ``spark.remote``, or ``SPARK_REMOTE`` in the environment, names a Spark Connect server;
        ``spark.master`` a cluster. Below ``spark-submit`` the master is its own.

    Raises
    ------
    SparkSettingsError, RemoteSettingsError, ConnectClientError
        The settings cannot be meant, or need more than is installed.
    SparkServerError
        The server is out of reach.
    WorkerError
        Workers lack this package, or have another version of it.

    """
    with _starting:
        return _started(checked(config))


def _started(settings: dict[str, Any]) -> SparkSession:
    """Return the session that settings ask for, its workers asked where they are not of this process."""
    remote = settings.pop(SPARK_REMOTE, None)
    if remote is None and SPARK_MASTER not in settings:
        remote = os.environ.get("SPARK_REMOTE")
    session = connect(remote, settings, DEFAULT_CONFIG) if remote else _start(settings)
    if session not in _checked:
        if remote or not _is_local(session):
            SparkRunner(session).check()
        _checked.add(session)
    return session


def _start(config: Mapping[str, Any]) -> SparkSession:
    """Return a session whose driver is this process."""
    ensure_java()
    # Workers are to run the Python, and find the packages, of this process.
    os.environ["PYSPARK_PYTHON"] = str(
        config.get("spark.pyspark.python") or os.environ.get("PYSPARK_PYTHON") or sys.executable
    )
    add_to_path(os.environ)
    settings = {**DEFAULT_CONFIG, **config}
    if "PYSPARK_GATEWAY_PORT" not in os.environ:
        settings = {SPARK_MASTER: LOCAL_MASTER, **settings}
    if str(settings.get(SPARK_MASTER, "")).startswith("local"):
        settings = {**LOCAL_CONFIG, **settings}
    builder = SparkSession.builder
    for key, value in settings.items():
        builder = builder.config(key, str(value))
    return builder.getOrCreate()


def add_to_path(environment: MutableMapping[str, str]) -> None:
    """Let Python processes with some environment find this package where this process has it."""
    home = str(Path(__file__).parents[2])
    known = environment.get("PYTHONPATH", "").split(os.pathsep)
    if home not in known:
        environment["PYTHONPATH"] = os.pathsep.join([home, *filter(None, known)])


def _is_local(session: SparkSession) -> bool:
    return (session.conf.get(SPARK_MASTER, None) or "").startswith("local")


def spark_session() -> SparkSession:
    """Return the Spark session that the environment describes, by default one of this process."""
    return start_session(settings_from_environment())

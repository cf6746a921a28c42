"""The Spark session of this process: our defaults under the user's settings."""

import os
import sys
from pathlib import Path
from typing import Any

from pyspark.sql import SparkSession

from dicom_assets.spark.java import ensure_java

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
    "spark.python.daemon.module": "dicom_assets.pipeline.daemon",
    # A worker holds decoders and caches worth keeping from task to task.
    "spark.python.worker.reuse": "true",
}


LOCAL_CONFIG: dict[str, str] = {
    # A laptop changes networks while Spark runs.
    "spark.driver.host": "127.0.0.1",
    "spark.driver.bindAddress": "127.0.0.1",
    # Errors only: the terminal belongs to the progress bar.
    "spark.driver.extraJavaOptions": f"-Dlog4j2.configurationFile=file://{Path(__file__).parent / 'log4j2.properties'}",
}
"""Settings for Spark in this process."""


def start_session(config: dict[str, Any]) -> SparkSession:
    """Return the Spark session of this process, started with our defaults under the user's settings."""
    # Workers are to run the Python, and find the packages, of this process.
    os.environ.setdefault("PYSPARK_PYTHON", sys.executable)
    home = str(Path(__file__).parents[2])
    known = os.environ.get("PYTHONPATH", "").split(os.pathsep)
    if home not in known:
        os.environ["PYTHONPATH"] = os.pathsep.join([home, *filter(None, known)])
    builder = SparkSession.builder
    settings = {**DEFAULT_CONFIG, **config}
    if "PYSPARK_GATEWAY_PORT" not in os.environ:
        settings = {"spark.master": LOCAL_MASTER, **settings}
    if str(settings.get("spark.master", "")).startswith("local"):
        settings = {**LOCAL_CONFIG, **settings}
    for key, value in settings.items():
        builder = builder.config(key, str(value))
    return builder.getOrCreate()


def spark_session() -> SparkSession:
    """Return the Spark session of this process, started with our defaults where there is none."""
    ensure_java()
    return start_session({})

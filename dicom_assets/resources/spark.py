"""Spark as a Dagster resource: started at the first use, so that a run with nothing to do starts no JVM."""

import os
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from dagster_pyspark import LazyPySparkResource
from deltalake.transaction import AddAction
from pydantic import Field, PrivateAttr
from pyspark.sql import SparkSession

import dicom_assets
from dicom_assets.delta.rewrite import FileRewrite
from dicom_assets.resources.java import ensure_java
from dicom_assets.resources.secrets import SECRET, hidden, revealed

_FEW_REWRITES = 8

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
    "spark.python.daemon.module": "dicom_assets.extract.daemon",
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


class SparkResource(LazyPySparkResource):  # type: ignore[misc]
    """A Spark session, local by default, on a cluster when ``spark.master`` says so.

    ``spark_config`` takes any Spark setting and wins over :data:`DEFAULT_CONFIG`. The master comes from there, else
    from ``spark-submit`` or the defaults of the installation, else it is this machine. ``dagster.EnvVar`` is taken for
    every value, and is the place for secrets.
    """

    _spark_session: SparkSession | None = PrivateAttr(default=None)

    spark_config: dict[str, str] = Field(
        default_factory=dict, description="Spark settings, such as `spark.master`.", json_schema_extra=SECRET
    )

    def __init__(self, **data: Any) -> None:
        settings = data.get("spark_config")
        if isinstance(settings, Mapping):
            data["spark_config"] = {key: _as_text(value) for key, value in settings.items()}
        super().__init__(**hidden(data))

    def _init_session(self) -> None:
        if self._spark_session is None:
            ensure_java()
            self._spark_session = start_session(revealed(self.spark_config))

    def run_rewrites(self, rewrites: Sequence[FileRewrite]) -> list[AddAction]:
        """Rewrite data files: a few in this process, many on Spark."""
        if len(rewrites) <= _FEW_REWRITES:
            return [add for rewrite in rewrites for add in rewrite.run()]
        context = self.spark_context
        done: list[list[AddAction]] = context.parallelize(rewrites, len(rewrites)).map(_run).collect()
        return [add for adds in done for add in adds]


def _as_text(value: Any) -> Any:
    """Return a setting as Spark reads it; what is text already, such as the name of a variable, stays."""
    if isinstance(value, bool):
        return str(value).lower()
    return str(value) if isinstance(value, int | float) else value


def _run(rewrite: FileRewrite) -> list[AddAction]:
    return rewrite.run()


def start_session(config: dict[str, Any]) -> SparkSession:
    """Return the Spark session of this process, started with our defaults under the user's settings."""
    # Workers are to run the Python, and find the packages, of this process.
    os.environ.setdefault("PYSPARK_PYTHON", sys.executable)
    home = str(Path(dicom_assets.__file__).parents[1])
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

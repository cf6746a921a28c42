"""Spark as a Dagster resource: started at the first use, so that a run with little to do starts no JVM."""

from collections.abc import Mapping
from typing import Any

from dagster_pyspark import LazyPySparkResource
from pydantic import Field, PrivateAttr
from pyspark.sql import SparkSession

from dicom_assets.orchestration.resources.secrets import SECRET, hidden, revealed
from dicom_assets.spark.engine import SmallWork, SparkEngine
from dicom_assets.spark.session import start_session

_SMALL = SmallWork()


class SparkResource(LazyPySparkResource):  # type: ignore[misc]
    """A Spark session, local by default, on a cluster when ``spark.master`` says so.

    ``spark_config`` takes any Spark setting and wins over :data:`~dicom_assets.spark.session.DEFAULT_CONFIG`. The
    master comes from there, else from ``spark-submit`` or the defaults of the installation, else it is this machine.
    ``dagster.EnvVar`` is taken for every value, and is the place for secrets.
    """

    _spark_session: SparkSession | None = PrivateAttr(default=None)

    spark_config: dict[str, str] = Field(
        default_factory=dict, description="Spark settings, such as `spark.master`.", json_schema_extra=SECRET
    )
    small_files: int = Field(
        default=_SMALL.items,
        description="Work on no more files than this is done in the run's own process; 0 takes Spark always.",
    )
    small_mib: int = Field(
        default=_SMALL.size >> 20, description="The same for the size of the files together, in MiB."
    )

    def __init__(self, **data: Any) -> None:
        settings = data.get("spark_config")
        if isinstance(settings, Mapping):
            data["spark_config"] = {key: _as_text(value) for key, value in settings.items()}
        super().__init__(**hidden(data))

    def _init_session(self) -> None:
        if self._spark_session is None:
            self._spark_session = start_session(revealed(self.spark_config))

    def engine(self) -> SparkEngine:
        """Return the engine of the pipeline: this process for small work, this session for all other."""
        return SparkEngine(lambda: self.spark_session, SmallWork(self.small_files, self.small_mib << 20))


def _as_text(value: Any) -> Any:
    """Return a setting as Spark reads it; what is text already, such as the name of a variable, stays."""
    if isinstance(value, bool):
        return str(value).lower()
    return str(value) if isinstance(value, int | float) else value

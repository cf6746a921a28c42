"""Which Spark a command uses: the one that is named, else the engine of this user that runs, else one of its own."""

import os
from collections.abc import Iterable
from typing import TYPE_CHECKING

from dicom_assets.cli.errors import tell
from dicom_assets.spark.server import TOKEN, running_server
from dicom_assets.spark.settings import SPARK_MASTER, SPARK_REMOTE, settings_from_environment, spark_settings

if TYPE_CHECKING:
    from dicom_assets.orchestration.resources.spark import SparkResource

_SPARK_OF_OTHERS = frozenset({"SPARK_REMOTE", "PYSPARK_GATEWAY_PORT"})
"""Variables by which Spark itself says that there is one: a Connect server, or the JVM of ``spark-submit``."""


def chosen_spark(master: str | None = None, remote: str | None = None, config: Iterable[str] = ()) -> "SparkResource":
    """Return Spark as the options say, see :func:`chosen_settings`."""
    from dicom_assets.orchestration.resources.spark import SparkResource

    return SparkResource(spark_config=chosen_settings(master, remote, config))


def chosen_settings(master: str | None = None, remote: str | None = None, config: Iterable[str] = ()) -> dict[str, str]:
    """Return the settings of Spark that the options say; what they do not say, the environment does.

    A running engine is used where neither names anything, unless it runs other code or has other variables for object
    stores: then that is told, and the command starts Spark for itself.

    Raises
    ------
    SparkSettingsError
        What is given cannot be meant.

    """
    given, around = spark_settings(master, remote, config), settings_from_environment()
    if master or remote:
        around = {key: value for key, value in around.items() if key not in {SPARK_MASTER, SPARK_REMOTE}}
    settings = {**around, **given}
    if not settings and not is_given():
        settings = _of_engine()
    return settings


def is_given() -> bool:
    """Return whether the environment gives this process a Spark, as Spark's own programs do."""
    return bool(_SPARK_OF_OTHERS & os.environ.keys())


def _of_engine() -> dict[str, str]:
    """Return settings that lead to the engine that runs; none where there is none that fits."""
    server = running_server()
    if server is None:
        return {}
    if reason := server.misfit():
        tell(f"The engine is not used: {reason}. `dicom-assets engine stop` ends it.", style="yellow")
        return {}
    os.environ[TOKEN] = server.token
    return {SPARK_REMOTE: server.url}

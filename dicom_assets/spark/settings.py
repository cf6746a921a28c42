"""Which Spark does the work, as people say it: a master, a Spark Connect server, settings.

Belongs here: what the command line and the environment share. It imports no Spark, so that commands start fast.
"""

import os
from collections.abc import Iterable, Mapping
from importlib.resources import files
from pathlib import Path
from typing import TypeVar

from dicom_assets.errors import UserError

MASTER = "DICOM_ASSETS_SPARK_MASTER"
REMOTE = "DICOM_ASSETS_SPARK_REMOTE"
CONFIG = "DICOM_ASSETS_SPARK_CONFIG"

SPARK_MASTER, SPARK_REMOTE = "spark.master", "spark.remote"
SESSION_ID = ";session_id="
"""Parameter of a server's URL: who has the URL shares the session of that id."""
_SEPARATOR = ";"
Setting = TypeVar("Setting")


class SparkSettingsError(UserError, ValueError):
    """Settings of Spark that cannot be meant."""


def spark_home() -> Path:
    """Return the folder of the Spark that starts on this machine: its own one where it says so, else the package's."""
    return Path(os.environ.get("SPARK_HOME") or str(files("pyspark")))


def spark_settings(master: str | None, remote: str | None, config: Iterable[str] = ()) -> dict[str, str]:
    """Return Spark settings from what was given.

    Parameters
    ----------
    master
        Of a cluster, or of this machine: ``spark://head:7077``, ``yarn``, ``k8s://https://host``, ``local[4]``.
    remote
        A Spark Connect server: ``sc://host:15002``.
    config
        More settings, each ``key=value``.

    Raises
    ------
    SparkSettingsError
        Two engines are named, or a setting is none.

    """
    settings: dict[str, str] = {}
    for text in filter(None, map(str.strip, config)):
        key, equals, value = text.partition("=")
        # The value may hold a secret: it is not repeated.
        if not equals or not key.strip().startswith("spark."):
            raise SparkSettingsError(f"{key.strip()!r} is no Spark setting: write spark.<name>=<value>")
        settings[key.strip()] = value.strip()
    settings |= {key: value for key, value in ((SPARK_MASTER, master), (SPARK_REMOTE, remote)) if value}
    return checked(settings)


def settings_from_environment(environment: Mapping[str, str] | None = None) -> dict[str, str]:
    """Return what the environment says, by default that of this process; raises ``SparkSettingsError``."""
    given = os.environ if environment is None else environment
    return spark_settings(given.get(MASTER), given.get(REMOTE), given.get(CONFIG, "").split(_SEPARATOR))


def checked(settings: Mapping[str, Setting]) -> dict[str, Setting]:
    """Return settings that name one engine at most.

    Raises
    ------
    SparkSettingsError
        There are a master and a server, or the server is no ``sc://`` URL.

    """
    remote = str(settings.get(SPARK_REMOTE, ""))
    if remote and settings.get(SPARK_MASTER):
        raise SparkSettingsError("a master and a Spark Connect server are given (spark.master, spark.remote): take one")
    if remote and not remote.startswith("sc://"):
        raise SparkSettingsError("spark.remote is the URL of a Spark Connect server: sc://host:15002")
    return dict(settings)

"""The Dagster instance of a lake: where its runs, events and partitions are kept."""

import hashlib
import os
from pathlib import Path

from dagster import DagsterInstance
from platformdirs import user_data_path

from dicom_assets.archive.opening import is_remote

_HOME = "DAGSTER_HOME"

_SETTINGS = """\
# Settings of the Dagster instance of this lake; see docs.dagster.io/deployment/oss/dagster-yaml.
telemetry:
  enabled: false
nux:
  enabled: false
concurrency:
  runs:
    # Every run starts a Spark driver.
    max_concurrent_runs: 2
"""


def dagster_home(lake: str) -> Path:
    """Return the folder of the instance, made when it is missing.

    ``DAGSTER_HOME`` where it is set, else ``.dagster`` in a local lake, else a folder of the user for each remote lake.
    """
    configured = os.environ.get(_HOME)
    if configured:
        return Path(configured)
    if is_remote(lake):
        home = user_data_path("dicom-assets") / hashlib.sha256(lake.encode()).hexdigest()[:16]
    else:
        home = Path(lake) / ".dagster"
    home.mkdir(parents=True, exist_ok=True)
    settings = home / "dagster.yaml"
    if not settings.exists():
        settings.write_text(_SETTINGS)
    return home


def open_instance(lake: str) -> DagsterInstance:
    """Return the instance of a lake; this process and its children use it from now on."""
    home = dagster_home(lake)
    os.environ[_HOME] = str(home)
    return DagsterInstance.from_config(str(home))

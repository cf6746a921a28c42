"""``dicom-assets ui``: the Dagster webserver and daemon on one archive and one lake."""

import os
import signal
import sys

from dicom_assets.cli.places import Places
from dicom_assets.orchestration.definitions import (
    CONTAINERS,
    FOLLOW_OUTSIDE_LINKS,
    LAKE,
    PREFIX_CHARS,
    PREFIX_DEPTH,
    SCHEMA,
    SOURCE,
)
from dicom_assets.orchestration.instance import ensure_instance

_SUPERSEDED = "Function `dev_command` is superseded"
"""Dagster says so of ``dagster dev`` at each start. ``dg dev`` is for projects, and would be one more dependency."""


def serve(places: Places, host: str, port: int) -> None:
    """Become ``dagster dev``, which starts the webserver and the daemon and ends both with itself.

    The instance is made here: webserver, daemon and code server would make it at the same moment.
    """
    environment = {
        **os.environ,
        "DAGSTER_HOME": str(ensure_instance(places.lake).absolute()),
        SOURCE: places.source,
        LAKE: places.lake,
        SCHEMA: places.schema,
        PREFIX_DEPTH: str(places.cut.depth),
        PREFIX_CHARS: str(places.cut.chars),
        FOLLOW_OUTSIDE_LINKS: str(int(places.follow_outside_links)),
        CONTAINERS: str(int(places.containers)),
    }
    arguments = ["dev", "-m", "dicom_assets.definitions", "--host", host, "--port", str(port)]
    # Dagster handles SIGTERM as it finds SIGINT handled, and a script starts what it leaves in the background with
    # SIGINT ignored: nothing would end it.
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    python = [sys.executable, "-W", f"ignore:{_SUPERSEDED}"]
    os.execve(sys.executable, [*python, "-m", "dagster", *arguments], environment)  # noqa: S606 - no shell

"""Whether a command will need Spark, told before it has loaded what would find out: then Spark starts meanwhile."""

import os
import time
from collections.abc import Mapping
from pathlib import Path

from dicom_assets.cli.spark import is_given
from dicom_assets.pipeline.update import PREFIXES_PER_UPDATE
from dicom_assets.spark.engine import SmallWork
from dicom_assets.spark.settings import SPARK_MASTER, SPARK_REMOTE
from dicom_assets.storage.addresses import absolute, is_remote
from dicom_assets.tables import FILE_INDEX

_GLANCE_SECONDS = 0.3
"""Time to look at folders: some 20,000 entries of a disk, few of a slow share. What takes longer is found out later."""


def begin_spark(source: str, lake: str, schema: str, depth: int, settings: Mapping[str, str]) -> bool:
    """Start Spark on this machine if a first catalog of a large folder is asked for, and return whether it did.

    In doubt it does not: then Spark starts when its work is known, as for every later update.

    Parameters
    ----------
    source, lake, schema
        As the user wrote them.
    depth
        How many directories make a prefix.
    settings
        Of Spark, as the options and the environment say.

    """
    here = SPARK_REMOTE not in settings and settings.get(SPARK_MASTER, "local").startswith("local")
    if not here or is_given() or not _is_new(lake, schema) or not _is_large(source, depth):
        return False
    from dicom_assets.spark.ahead import start_ahead

    start_ahead(settings)
    return True


def _is_new(lake: str, schema: str) -> bool:
    """Return whether a lake on this machine has no catalog yet."""
    return not is_remote(lake) and not (Path(absolute(lake)) / schema / FILE_INDEX.name).exists()


def _is_large(source: str, depth: int) -> bool:
    """Return whether a run over a folder will have more than small work, as far as a glance at the folder shows."""
    if is_remote(source) or depth > 1:
        return False
    small, files, size, runs, started = SmallWork(), 0, 0, 0, time.monotonic()
    for folder, folders, names in os.walk(absolute(source)):
        # Prefixes are the first folders. If there is more than small work for all runs, one of them has more.
        runs = runs or (-(-(len(folders) + 1) // PREFIXES_PER_UPDATE) if depth else 1)
        for name in names:
            try:
                size += os.lstat(os.path.join(folder, name)).st_size  # noqa: PTH118 - of thousands of files
            except OSError:
                continue
            files += 1
            if files > runs * small.items or size > runs * small.size:
                return True
            if time.monotonic() - started > _GLANCE_SECONDS:
                return False
        if time.monotonic() - started > _GLANCE_SECONDS:
            return False
    return False

"""Dagster instances with databases in a folder, as fast as they can be had.

Dagster makes the databases of a new instance by migrations, and opens them anew for each statement. Tests copy
databases that were made once a process, and keep their connections as commands do.
"""

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path

import dagster as dg

from dicom_assets.orchestration.dagster_internals import InstanceRef
from dicom_assets.orchestration.kept_storage import with_kept_connections


@contextmanager
def instance_below(folder: Path) -> Iterator[dg.DagsterInstance]:
    """Open a new instance in a folder, which other processes may open too."""
    shutil.copytree(_new_databases().name, folder, dirs_exist_ok=True)
    with dg.DagsterInstance.from_ref(with_kept_connections(InstanceRef.from_dir(str(folder)))) as instance:
        yield instance


@contextmanager
def temporary_instance() -> Iterator[dg.DagsterInstance]:
    """Open a new instance in a folder that is removed at the end."""
    with tempfile.TemporaryDirectory() as folder, instance_below(Path(folder)) as instance:
        yield instance


@cache
def _new_databases() -> tempfile.TemporaryDirectory[str]:
    """Return a folder with the databases of an instance that knows of nothing."""
    folder = tempfile.TemporaryDirectory()
    with dg.DagsterInstance.local_temp(folder.name):
        return folder

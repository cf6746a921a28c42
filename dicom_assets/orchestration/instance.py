"""The Dagster instance of a lake: where its runs, events and partitions are kept."""

import hashlib
import logging
import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from alembic.util.exc import CommandError
from dagster import DagsterInstance, DagsterInvalidConfigError
from filelock import FileLock
from platformdirs import user_data_path
from sqlalchemy.exc import SQLAlchemyError

from dicom_assets.errors import InfrastructureError, UserError, causes
from dicom_assets.orchestration.dagster_internals import CheckError, InstanceRef
from dicom_assets.orchestration.kept_storage import with_kept_connections
from dicom_assets.storage.addresses import is_remote

_HOME = "DAGSTER_HOME"
_LOCK = "instance.lock"

_SETTINGS = "dagster.yaml"
_NOT_SET = re.compile(r'environment variable "(\w+)" which is not set')
_NOT_INSTALLED = re.compile(r"Couldn't import module (\w+)")
_ROOMY_CORES = 16
"""From so many cores on, two runs may have Spark at once."""


class InstanceError(InfrastructureError):
    """The Dagster instance cannot be made or used: its folder or its database fails."""


class InstanceSettingsError(UserError):
    """What ``dagster.yaml`` says of the instance cannot be: a variable is missing, or a package."""


def default_settings(cores: int) -> str:
    """Return the settings of a new instance: the ``dagster.yaml`` beside this module, fit for a machine.

    Parameters
    ----------
    cores
        Of the machine.

    """
    template = Path(__file__).with_name(_SETTINGS).read_text(encoding="utf-8")
    return template.replace("{spark}", "2" if cores >= _ROOMY_CORES else "1")


def dagster_home(lake: str) -> Path:
    """Return the folder of the instance.

    ``DAGSTER_HOME`` where it is set, else ``.dagster`` in a local lake, else a folder of the user for each remote lake.
    """
    configured = os.environ.get(_HOME)
    if configured:
        return Path(configured)
    if is_remote(lake):
        return user_data_path("dicom-assets") / hashlib.sha256(lake.encode()).hexdigest()[:16]
    return Path(lake) / ".dagster"


@contextmanager
def open_instance(lake: str) -> Iterator[DagsterInstance]:
    """Open the instance of a lake; this process and its children use it from now on.

    Raises
    ------
    InstanceError
        Its folder cannot be written, or its database fails, in here or in the block.
    InstanceSettingsError
        Its ``dagster.yaml`` asks for what is not there.

    """
    home = dagster_home(lake)
    with _clear_database_errors(home), _made(home) as instance:
        os.environ[_HOME] = str(home)
        yield instance


def ensure_instance(lake: str) -> Path:
    """Create the instance of a lake if there is none, for processes that are going to open it; return its folder.

    Raises
    ------
    InstanceError
        Its folder cannot be written, or its database fails.
    InstanceSettingsError
        Its ``dagster.yaml`` asks for what is not there.

    """
    home = dagster_home(lake)
    with _clear_database_errors(home), _made(home):
        return home


def _made(home: Path) -> DagsterInstance:
    """Return the instance; its databases are created by one process at a time.

    Dagster creates them when it opens an instance. Two processes that do so at the same moment both stamp the version
    of the schema, and from then on no process can open the database.
    """
    try:
        home.mkdir(parents=True, exist_ok=True)
        with FileLock(home / _LOCK):
            settings = home / _SETTINGS
            if not settings.exists() and not os.environ.get(_HOME):
                settings.write_text(default_settings(os.cpu_count() or 1))
            with _clear_settings_errors(home), _without_warnings():
                return DagsterInstance.from_ref(with_kept_connections(InstanceRef.from_dir(str(home))))
    except OSError as error:
        raise InstanceError(f"the Dagster instance at {home} cannot be made: {error.strerror}") from error


@contextmanager
def _clear_settings_errors(home: Path) -> Iterator[None]:
    """Raise :class:`InstanceSettingsError` where the settings of the instance ask for what is not there."""
    try:
        yield
    except (CheckError, DagsterInvalidConfigError, ImportError) as error:
        reason = _settings_reason(error)
        raise InstanceSettingsError(f"the Dagster instance at {home} cannot be opened: {reason}") from error


def _settings_reason(error: Exception) -> str:
    """Return what is missing; of settings themselves nothing, which may hold a password."""
    if found := _NOT_SET.search(str(error)):
        return f"the environment variable {found[1]}, which its {_SETTINGS} names, is not set"
    if found := _NOT_INSTALLED.search(str(error)):
        hint = "; pip install 'dicom-assets[postgres]'" if found[1] == "dagster_postgres" else ""
        return f"the package {found[1].replace('_', '-')}, which its {_SETTINGS} names, is not installed{hint}"
    if isinstance(error, ImportError) and error.name == "psycopg":
        # SQLAlchemy 2.1 takes another driver for postgresql:// than the one that dagster-postgres brings along.
        return "write the address of its database as postgresql+psycopg2://..."
    return f"Dagster does not take its {_SETTINGS}; `dagster instance info` says why"


@contextmanager
def _without_warnings() -> Iterator[None]:
    """Say nothing of a database that is asked again: the last attempt raises, and that is told in one line."""
    before = logging.root.manager.disable
    logging.disable(max(before, logging.WARNING))
    try:
        yield
    finally:
        logging.disable(before)


@contextmanager
def _clear_database_errors(home: Path) -> Iterator[None]:
    """Raise :class:`InstanceError` where the database of the instance fails, wherever Dagster meets it."""
    try:
        yield
    except Exception as error:
        reason = _database_reason(error)
        if reason is None:
            raise
        raise InstanceError(f"the Dagster instance at {home} cannot be used: {reason}") from error


def _database_reason(error: BaseException) -> str | None:
    """Return why the database failed, ``None`` where it is not the cause of an error."""
    for cause in causes(error):
        if isinstance(cause, CommandError):
            return f"its database is not as Dagster left it ({cause}); move the folder away, the tables do not need it"
        if isinstance(cause, SQLAlchemyError):
            # Of the statement and its values, which SQLAlchemy adds, nothing.
            return str(getattr(cause, "orig", None) or type(cause).__name__).partition("\n")[0]
    return None

"""Sessions of a Spark Connect server: somebody else's process, which may be out of reach, or gone in the middle."""

import re
import socket
import threading
from collections.abc import Mapping
from typing import Any
from weakref import WeakKeyDictionary, WeakSet

from pyspark.errors import PySparkException
from pyspark.sql import SparkSession

from dicom_assets.errors import InfrastructureError, UserError
from dicom_assets.spark.settings import SESSION_ID

PY_FILES = "spark.submit.pyFiles"
"""What is shipped to workers: of the same name as for Spark without a server."""
_SQL = "spark.sql."
_SHIPPED = "spark.sql.dicomAssets.pyFiles"
"""A setting of a session that says what was shipped for it: sessions made from it need the same."""
_PATIENCE = 10.0
_RETRIES = 7
_LONGEST_PAUSE = 10_000
"""Tries, and milliseconds between two of them: half a minute in all. Spark waits for ten for a server that is gone."""
_LOST = re.compile(
    r"StatusCode\.(?:UNAVAILABLE|DEADLINE_EXCEEDED)|UNAVAILABLE|failed to connect|Socket closed|Connection reset"
    r"|INVALID_HANDLE|SESSION_CLOSED|SESSION_CHANGED|SESSION_NOT_FOUND|NO_ACTIVE_SESSION|Cannot invoke RPC"
)


_GONE = (
    "the Spark Connect server was lost in the middle of the work. No table was changed by it; run again when it is back"
)

_lock = threading.Lock()
_made: WeakKeyDictionary[SparkSession, SparkSession] = WeakKeyDictionary()
_shared: WeakSet[SparkSession] = WeakSet()
_lost: WeakSet[SparkSession] = WeakSet()


class ConnectClientError(UserError, ImportError):
    """What Spark Connect needs is not installed."""


class RemoteSettingsError(UserError, ValueError):
    """A setting that only the server itself can have."""


class SparkServerError(InfrastructureError, OSError):
    """A Spark Connect server is out of reach, or was lost in the middle of the work."""


def is_remote_session(session: SparkSession) -> bool:
    """Return whether a session is one of Spark Connect, which is of a class of its own."""
    return not isinstance(session, SparkSession)


def connect(url: str, settings: Mapping[str, Any], defaults: Mapping[str, str]) -> SparkSession:
    """Return a session of a server.

    Parameters
    ----------
    url
        ``sc://host:port/;token=...``.
    settings
        Of the user: those of SQL, and the archives that are shipped to workers.
    defaults
        Ours, of which those of SQL are taken.

    Raises
    ------
    ConnectClientError, RemoteSettingsError
        The user has to mend something.
    SparkServerError
        There is no server.

    """
    check_installed()
    strange = sorted(key for key in settings if not key.startswith(_SQL) and key != PY_FILES)
    if strange:
        raise RemoteSettingsError(
            f"{strange[0]} is a setting of the Spark Connect server: give it where the server is started"
        )
    endpoint = _endpoint(url)
    _check_reached(*endpoint)
    builder = SparkSession.builder.remote(url)
    for key, value in {**defaults, **settings}.items():
        if key.startswith(_SQL):
            builder = builder.config(key, str(value))
    try:
        session = builder.getOrCreate()
        _give_up_early(session)
        if SESSION_ID in url:
            _shared.add(session)
        ship(session, str(settings.get(PY_FILES, "")))
    except PySparkException as error:
        unusable = _unusable(endpoint, str(error))
        if unusable is None:
            raise
        raise unusable from error
    return session


def session_for(session: SparkSession, settings: Mapping[str, str]) -> SparkSession:
    """Return another session on the server of one, with settings of its own and what was shipped for that.

    It is made once. A server starts Python processes for each session, which takes seconds, and keeps them. One whose
    id is part of its URL is there to be shared, and is returned itself.

    Raises
    ------
    SparkServerError
        The server was lost before: what it knew of the session is gone with it.

    """
    if session in _lost:
        raise SparkServerError(_GONE)
    with _lock:
        made = _made.get(session)
        if made is None:
            made = session if session in _shared else session.newSession()
            _give_up_early(made)
            for name, value in settings.items():
                made.conf.set(name, value)
            if made is not session:
                ship(made, session.conf.get(_SHIPPED, "") or "")
            _made[session] = made
    return made


def ship(session: SparkSession, archives: str) -> None:
    """Send archives of Python code to the workers of a session; raises ``RemoteSettingsError`` where one is not there.

    Parameters
    ----------
    session
        That the workers work for.
    archives
        Paths of ZIP files, by commas.

    """
    paths = [path.strip() for path in archives.split(",") if path.strip()]
    if not paths or session.conf.get(_SHIPPED, None) == ",".join(paths):
        return
    try:
        session.addArtifacts(*paths, pyfile=True)
    except OSError as error:
        raise RemoteSettingsError(f"{PY_FILES}: {error.filename or archives}: {error.strerror or error}") from error
    session.conf.set(_SHIPPED, ",".join(paths))


def server_error(session: SparkSession, error: PySparkException) -> SparkServerError | None:
    """Return that the server of a session was lost, where an error says so."""
    if not is_remote_session(session) or not _LOST.search(str(error)):
        return None
    _lost.add(session)
    return SparkServerError(_GONE)


def check_installed() -> None:
    """Raise ``ConnectClientError`` unless all is installed that Spark Connect needs."""
    try:
        from pyspark.sql.connect.utils import check_dependencies

        check_dependencies()
    except (ImportError, PySparkException) as error:
        raise ConnectClientError(
            "Spark Connect needs more than is installed: `pip install 'dicom-assets[connect]'`"
        ) from error


def _endpoint(url: str) -> tuple[str, int]:
    """Return host and port of a URL; raises ``RemoteSettingsError`` where it is none."""
    from pyspark.sql.connect.client import DefaultChannelBuilder

    try:
        host, _, port = DefaultChannelBuilder(url).endpoint.rpartition(":")
        return host.strip("[]"), int(port)
    except (PySparkException, ValueError):  # it may hold a token, and is not repeated
        raise RemoteSettingsError(
            "spark.remote is no URL of a Spark Connect server: write sc://host:15002, options behind /;"
        ) from None


def _check_reached(host: str, port: int) -> None:
    try:
        socket.create_connection((host, port), _PATIENCE).close()
    except OSError as error:
        reason = error.strerror or str(error) or "no answer"
        raise SparkServerError(f"there is no Spark Connect server at {host}:{port}: {reason.lower()}") from error


def _unusable(endpoint: tuple[str, int], text: str) -> Exception | None:
    """Return why a server that is there cannot be used; ``None`` where it is none of the known reasons."""
    host, port = endpoint
    if "UNAUTHENTICATED" in text:
        return RemoteSettingsError(f"the Spark Connect server at {host}:{port} does not take the token that was given")
    if _LOST.search(text):
        return SparkServerError(f"the server at {host}:{port} does not answer as one of Spark Connect")
    return None


def _give_up_early(session: Any) -> None:
    from pyspark.sql.connect.client.retries import DefaultPolicy

    policy = DefaultPolicy(max_retries=_RETRIES, max_backoff=_LONGEST_PAUSE, max_server_retry_delay=_LONGEST_PAUSE)
    session.client.set_retry_policies([policy])

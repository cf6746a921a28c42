"""Listening: the application on a port, until it is told to end."""

import socket
import threading
from contextlib import suppress

import pyarrow as pa
import uvicorn
from starlette.applications import Starlette

from dicom_assets.errors import DicomAssetsError, InfrastructureError
from dicom_assets.serve.app import create_app
from dicom_assets.serve.follow import Follower
from dicom_assets.serve.patience import PatientProtocol, bound_reading
from dicom_assets.serve.site import Limits, Site

_CONNECTIONS = 1_000
"""At a time; more are answered that the server is busy."""
_IDLE_SECONDS = 20
_END_SECONDS = 5


class ListenError(InfrastructureError, OSError):
    """The server cannot listen at this address."""


def listen(host: str, port: int) -> socket.socket:
    """Return a socket that listens at an address; port 0 takes a free one.

    Raises
    ------
    ListenError
        The address is not one of this machine, or is taken.

    """
    try:
        family, _, _, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)[0]
        listening = socket.create_server(address[:2], family=family, backlog=256)
    except OSError as error:
        raise ListenError(f"{host}:{port} cannot be listened at: {error.strerror}; choose another --port") from error
    bound_reading(listening)
    return listening


def running(site: Site) -> uvicorn.Server:
    """Return the server of a site, to be run with sockets that listen, and ended by its ``should_exit``."""
    return _server(create_app(site), site.limits)


def _server(app: Starlette, limits: Limits) -> uvicorn.Server:
    """Return the server of an application. Targets of requests are not logged: they hold what was searched for."""
    configuration = uvicorn.Config(
        app,
        access_log=False,
        log_level="warning",
        lifespan="off",
        http=PatientProtocol,
        ws="none",
        server_header=False,
        limit_concurrency=_CONNECTIONS,
        timeout_keep_alive=_IDLE_SECONDS,
        timeout_graceful_shutdown=_END_SECONDS,
        h11_max_incomplete_event_size=limits.url_bytes + limits.header_bytes,
    )
    return uvicorn.Server(configuration)


def run(site: Site, listening: socket.socket) -> None:
    """Serve a site until the process is told to end; what lists look at is read meanwhile."""
    app = create_app(site)
    threading.Thread(target=_warm, args=(app.state.service.follower,), name="first look", daemon=True).start()
    try:
        _server(app, site.limits).run(sockets=[listening])
    finally:
        app.state.service.close()


def _warm(follower: Follower) -> None:
    """Read the tables before the first request; what fails here is told to who asks."""
    with suppress(DicomAssetsError, OSError, pa.ArrowException):
        follower.warm()

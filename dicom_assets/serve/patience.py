"""How long the server waits for clients that send or read a byte at a time, or nothing; and what waits for them.

A connection costs memory and one of the places that there are. So a request has to be there some time after the
connection is, or after the last answer; and an answer is cut off where nothing of it was read for long, by the system.
"""

import asyncio
import socket
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:  # both have what is used here
    from uvicorn.protocols.http.h11_impl import H11Protocol as AutoHTTPProtocol
else:
    from uvicorn.protocols.http.auto import AutoHTTPProtocol

HEAD_SECONDS = 20.0
"""From the first byte of a request, or from the beginning of a connection, to the end of its headers."""
BODY_SECONDS = 20.0
"""For a form."""
READ_SECONDS = 30
"""For which a client may take nothing of what was sent to it."""


def bound_reading(listening: socket.socket, seconds: float = READ_SECONDS) -> None:
    """Let the system end connections of which nothing is read for some time; what it accepts takes that over.

    Linux knows this (``TCP_USER_TIMEOUT``, RFC 5482); elsewhere, such a connection stays.
    """
    option = getattr(socket, "TCP_USER_TIMEOUT", None)
    if option is not None and listening.family in {socket.AF_INET, socket.AF_INET6}:
        listening.setsockopt(socket.IPPROTO_TCP, option, int(seconds * 1000))


class PatientProtocol(AutoHTTPProtocol):
    """The server's end of a connection, which ends where a request takes too long to come."""

    seconds = HEAD_SECONDS

    def __init__(self, *arguments: Any, **named: Any) -> None:
        super().__init__(*arguments, **named)
        self._deadline: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as uvicorn has it
        """Wait for the first request."""
        super().connection_made(transport)
        self._wait()

    def data_received(self, data: bytes) -> None:
        """Take in what came: a request, or a part of one, for which the rest has to come in time."""
        super().data_received(data)
        if self._is_answering:
            self._cease()
        elif self._deadline is None:
            self._wait()

    def connection_lost(self, error: Exception | None) -> None:
        """Wait no longer."""
        self._cease()
        super().connection_lost(error)

    @property
    def _is_answering(self) -> bool:
        cycle = getattr(self, "cycle", None)
        return cycle is not None and not cycle.response_complete

    def _wait(self) -> None:
        self._deadline = asyncio.get_running_loop().call_later(self.seconds, self._end)

    def _cease(self) -> None:
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None

    def _end(self) -> None:
        self._deadline = None
        if not self._is_answering:
            self.transport.abort()

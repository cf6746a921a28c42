"""What was made and waits to be read by clients: in small parts, and all together not more than a bound.

A client that reads slowly makes the piece of its answer wait in memory: a frame, or a page. Where all of them together
are more than may wait, the client that has taken nothing for longest is cut off, and goes on for others.
"""

import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

import anyio
from starlette.types import Message, Send

from dicom_assets.errors import InfrastructureError

PART = 256 << 10
"""Bytes that are handed over at once: the connection keeps a copy of what the client has not taken."""


class CutOffError(InfrastructureError):
    """An answer could not be sent to its end."""


@dataclass(eq=False, slots=True)
class _Waiting:
    """A piece that is being sent.

    Attributes
    ----------
    size
        Of all of it, in bytes.
    scope
        Ends the sending.
    moved
        When the client last took a part of it.

    """

    size: int
    scope: anyio.CancelScope = field(default_factory=anyio.CancelScope)
    moved: float = field(default_factory=time.monotonic)


class Outbox:
    """The pieces that are being sent, to all clients.

    Parameters
    ----------
    most_bytes
        That they are all together. One piece may be larger where it is alone.

    """

    def __init__(self, most_bytes: int) -> None:
        self._most = most_bytes
        self._waiting: dict[_Waiting, None] = {}

    async def send(self, send: Send, message: Message) -> None:
        """Send a message of an answer; raises :class:`CutOffError` where that was ended for the sake of others."""
        body = message.get("body", b"")
        if len(body) <= PART:
            await send(message)
            return
        waiting = _Waiting(len(body))
        with self._held(waiting), waiting.scope:
            await _in_parts(send, message, waiting)
        if waiting.scope.cancelled_caught:
            raise CutOffError("the client reads too slowly")

    @contextmanager
    def _held(self, waiting: _Waiting) -> Iterator[None]:
        self._waiting[waiting] = None
        try:
            self._make_room(waiting)
            yield
        finally:
            del self._waiting[waiting]

    def _make_room(self, newest: _Waiting) -> None:
        """Cut off those who have waited longest, until the rest is no more than may wait."""
        size = sum(one.size for one in self._waiting if not one.scope.cancel_called)
        for one in sorted(self._waiting, key=lambda one: one.moved):
            if size <= self._most or one is newest:
                return
            if not one.scope.cancel_called:
                one.scope.cancel()
                size -= one.size


async def _in_parts(send: Callable[[Message], Awaitable[None]], message: Message, waiting: _Waiting) -> None:
    body = memoryview(message["body"])
    for start in range(0, len(body), PART):
        more = message.get("more_body", False) or start + PART < len(body)
        await send({"type": message["type"], "body": bytes(body[start : start + PART]), "more_body": more})
        waiting.moved = time.monotonic()

"""Messages over a socket: a JSON object and bytes.

Neither side unpickles what comes this way, so that a child that hostile data took over cannot make its parent run
anything. Large arguments of a call go beside the socket, through a file without a name.
"""

import json
import os
import pickle
import socket
import struct
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, BinaryIO

_HEADER = struct.Struct(">QQ")
_MOST_BYTES = 1 << 28
"""Largest message that a parent takes from its child."""

_DISCARDED = 1 << 16
"""Bytes that are read at once of what there is no room for."""


class ConnectionEndedError(Exception):
    """The other end of the socket is gone, or sent what is no message."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What an isolated function returns.

    Attributes
    ----------
    fields
        What JSON can hold.
    data
        Bytes, passed on as they are.

    """

    fields: dict[str, Any]
    data: bytes = b""


@dataclass(frozen=True, slots=True)
class Message:
    """What goes over the socket.

    Attributes
    ----------
    fields
        From the parent: ``{"buffers": [lengths], "serves": bool}`` with the pickled arguments of a call as data, or
        nothing with the data that was asked for. From the child: one of ``{"answer": {...}}``, ``{"ask": {...}}``,
        ``{"memory": true}``, ``{"raised": name}`` and, at the start, ``{"ready": true}`` or ``{"error": text}``.
    data
        What goes with it.

    """

    fields: dict[str, Any]
    data: bytes = b""


def send(connection: socket.socket, message: Message, deadline: float | None) -> None:
    """Send a message.

    Parameters
    ----------
    connection, message
        Where to, and what.
    deadline
        Of the monotonic clock; ``None`` to wait for as long as it takes.

    Raises
    ------
    TimeoutError
        When the other end does not take it before the deadline.
    ConnectionError
        When there is no other end.

    """
    text = json.dumps(message.fields).encode()
    _set_timeout(connection, deadline)
    # In one piece: the other end would otherwise wake up for the first and wait for the second.
    connection.sendall(b"".join((_HEADER.pack(len(text), len(message.data)), text, message.data)))


def receive(connection: socket.socket, deadline: float | None) -> Message:
    """Receive a message.

    Parameters
    ----------
    connection
        Where from.
    deadline
        As for :func:`send`. With a deadline the other end is a child: its messages are bounded.

    Raises
    ------
    TimeoutError
        When it does not come before the deadline.
    ConnectionEndedError
        When the other end closed, or sent something else.
    MemoryError
        When there is no memory for it. It was read all the same, so that the next message can be received.

    """
    text_length, data_length = _HEADER.unpack(_receive_exactly(connection, _HEADER.size, deadline))
    if deadline is not None and text_length + data_length > _MOST_BYTES:
        raise ConnectionEndedError
    try:
        fields = json.loads(_receive_exactly(connection, text_length, deadline))
    except (ValueError, RecursionError):
        raise ConnectionEndedError from None
    if not isinstance(fields, dict):
        raise ConnectionEndedError
    return Message(fields, bytes(_receive_exactly(connection, data_length, deadline)))


def _receive_exactly(connection: socket.socket, length: int, deadline: float | None) -> bytearray:
    try:
        buffer = bytearray(length)
    except MemoryError:
        while length:
            length -= len(_receive_exactly(connection, min(length, _DISCARDED), deadline))
        raise
    view, done = memoryview(buffer), 0
    while done < length:
        _set_timeout(connection, deadline)
        count = connection.recv_into(view[done:])
        if count == 0:
            raise ConnectionEndedError
        done += count
    return buffer


def _set_timeout(connection: socket.socket, deadline: float | None) -> None:
    connection.settimeout(None if deadline is None else max(deadline - time.monotonic(), 1e-3))


def unnamed_file() -> BinaryIO:
    """Return a file without a name: in memory where the system has such files, else on disk."""
    if hasattr(os, "memfd_create"):
        return os.fdopen(os.memfd_create("dicom-assets-arguments"), "w+b", buffering=0)
    return tempfile.TemporaryFile(buffering=0)


def store_buffers(descriptor: int, buffers: Sequence[pickle.PickleBuffer]) -> list[int]:
    """Write buffers one after another into a file, from its beginning, and return their lengths.

    Raises
    ------
    OSError
        When there is no room for them.

    """
    position, lengths = 0, []
    for buffer in buffers:
        view = buffer.raw()
        lengths.append(len(view))
        while view:
            written = os.pwrite(descriptor, view, position)
            position, view = position + written, view[written:]
    return lengths


def load_buffers(descriptor: int, lengths: Sequence[int]) -> Iterator[bytes]:
    """Yield the buffers that :func:`store_buffers` has written."""
    position = 0
    for length in lengths:
        data = os.pread(descriptor, length, position)
        position += len(data)
        yield data

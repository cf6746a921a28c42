"""A process for code that cannot be trusted to return: it may crash, hang or eat memory, at the cost of one answer.

:class:`IsolatedFunction` keeps one child process, started when it is first needed. A request goes over a socket as
a pickle, with large buffers beside it in an unnamed file, which takes two copies and no turns of waiting; the answer
comes back as JSON and bytes, so that a child that hostile data took over cannot make its parent unpickle anything.
The child

* gets no more memory than allowed (``RLIMIT_AS``; Linux only), leaves no core dump and knows no credentials;
* is killed at its deadline by the parent, and by an alarm of its own should the parent be gone;
* ends when the socket closes, so it never outlives the process it serves;
* is replaced by a new one after it died, when the next request comes.
"""

import json
import os
import pickle
import signal
import socket
import struct
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, BinaryIO

from dicom_assets.dicom.pixels.errors import ERRORS_BY_STATUS, PixelError, TooLargeError

START_SECONDS = 120.0
"""Importing codecs on a machine that does something else, too."""
_KEPT_VARIABLES = frozenset({"PATH", "LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH", "LANG", "LC_ALL", "TMPDIR", "VIRTUAL_ENV"})
_TUNING = {
    "OPENBLAS_NUM_THREADS": "1",
    "OMP_NUM_THREADS": "1",
    # glibc would give the memory of every frame back and ask for it again: a third of the time of large frames.
    "MALLOC_MMAP_THRESHOLD_": str(32 << 20),
    "MALLOC_TRIM_THRESHOLD_": str(64 << 20),
}
_HEADER = struct.Struct(">QQ")
_MAX_ANSWER = 1 << 28


class IsolationError(OSError):
    """The child process could not be started or reached: a fault of the machine, not of a file."""


class _ChildDiedError(Exception):
    """The other end of the socket is gone."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What a child sends back: a JSON object and bytes."""

    fields: dict[str, Any]
    data: bytes


@dataclass(frozen=True, slots=True)
class ChildLimits:
    """What one call may cost.

    Attributes
    ----------
    seconds
        Wall-clock time until the child is killed.
    memory_bytes
        Address space beyond what the child has when it is idle.

    """

    seconds: float
    memory_bytes: int


class IsolatedFunction:
    """A function that runs in a child process of its own.

    Thread-safe: calls wait for one another. Not shared across ``fork``: a forked copy starts a child of its own.

    Parameters
    ----------
    function
        At the top of an importable module; takes what it is called with and returns an :class:`Answer`.
    limits
        What one call may cost.

    """

    def __init__(self, function: Callable[..., Answer], limits: ChildLimits) -> None:
        self._function = function
        self._limits = limits
        self._lock = threading.Lock()
        self._child: _Child | None = None

    @property
    def pid(self) -> int | None:
        """Process id of the child, ``None`` while there is none."""
        return self._child.process.pid if self._child else None

    def __call__(self, *arguments: object) -> Answer:
        """Call the function in the child.

        Raises
        ------
        PixelError
            What the function raised, or how the child died.
        IsolationError
            When no child can be started.

        """
        with self._lock:
            if self._child is None or self._child.owner != os.getpid() or self._child.process.poll() is not None:
                self._child = _start(self._function, self._limits)
            try:
                return self._child.call(arguments)
            except BaseException as error:
                if not isinstance(error, PixelError) or self._child.broken:
                    self._child.kill()
                    self._child = None
                raise

    def close(self) -> None:
        """End the child; another call would start a new one."""
        with self._lock:
            if self._child is not None:
                self._child.kill()
                self._child = None


def _start(function: Callable[..., Answer], limits: ChildLimits) -> "_Child":
    try:
        return _Child(function, limits)
    except IsolationError:
        raise
    except OSError as error:
        raise IsolationError(error.errno, f"the decoder process did not start: {error.strerror}") from error


class _Child:
    """A running child process and the socket to it."""

    def __init__(self, function: Callable[..., Answer], limits: ChildLimits) -> None:
        self.owner = os.getpid()
        self.broken = False
        self._limits = limits
        ours, theirs = socket.socketpair()
        name = f"{function.__module__}:{function.__qualname__}"
        self._buffers = unnamed_file()
        descriptors = [theirs.fileno(), self._buffers.fileno()]
        settings = [*map(str, descriptors), name, str(limits.seconds), str(limits.memory_bytes)]
        with theirs:
            self.process = subprocess.Popen(  # noqa: S603 - our own interpreter and module
                [sys.executable, "-m", "dicom_assets.dicom.pixels.child", *settings],
                pass_fds=descriptors,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                env=_environment(),
                start_new_session=True,
            )
        self._socket = ours
        try:
            ready = receive(ours, time.monotonic() + START_SECONDS)
        except (_ChildDiedError, TimeoutError) as error:
            self.kill()
            raise IsolationError("the decoder process did not start") from error
        if "error" in ready.fields:
            self.kill()
            raise IsolationError(f"the decoder process did not start: {ready.fields['error']}")

    def call(self, arguments: tuple[object, ...]) -> Answer:
        deadline = time.monotonic() + self._limits.seconds
        self.broken = True
        try:
            large: list[pickle.PickleBuffer] = []
            request = pickle.dumps(arguments, protocol=5, buffer_callback=large.append)
            send(self._socket, {"buffers": self._store(large)}, request, deadline)
            answer = receive(self._socket, deadline)
        except TimeoutError:
            raise PixelError(f"decoding took longer than {self._limits.seconds:g} seconds") from None
        except (_ChildDiedError, ConnectionError):
            raise self._post_mortem() from None
        except OSError as fault:
            raise IsolationError(fault.errno, f"the decoder process gets no frames: {fault.strerror}") from fault
        self.broken = False
        if "status" in answer.fields:
            error = ERRORS_BY_STATUS.get(str(answer.fields["status"]), PixelError)
            raise error(str(answer.fields.get("error")))
        return answer

    def _store(self, buffers: list[pickle.PickleBuffer]) -> list[int]:
        """Write buffers one after another into the file that the child reads, and return their lengths."""
        position, lengths = 0, []
        for buffer in buffers:
            view = buffer.raw()
            lengths.append(len(view))
            while view:
                written = os.pwrite(self._buffers.fileno(), view, position)
                position, view = position + written, view[written:]
        return lengths

    def _post_mortem(self) -> PixelError:
        """Return how the child died."""
        try:
            code = self.process.wait(timeout=5)
        except subprocess.TimeoutExpired:
            return PixelError("the decoder process closed its connection")
        if code == -signal.SIGKILL:
            return TooLargeError("the decoder process was killed from outside, most likely for its use of memory")
        if code < 0:
            return PixelError(f"the decoder process died of {signal.Signals(-code).name}")
        return PixelError(f"the decoder process ended with exit code {code}")

    def kill(self) -> None:
        self._socket.close()
        self._buffers.close()
        if self.owner == os.getpid():
            self.process.kill()
            self.process.wait()


def _environment() -> dict[str, str]:
    """Return what the child needs to know of its surroundings: how to find libraries, and no credentials."""
    kept = {name: value for name, value in os.environ.items() if name in _KEPT_VARIABLES}
    # The parent's import path, since on a cluster the package may come from a shipped archive.
    path = os.pathsep.join(filter(None, sys.path))
    return {**kept, **_TUNING, "PYTHONPATH": path}


def unnamed_file() -> BinaryIO:
    """Return a file without a name: in memory where the system has such files, else on disk."""
    if hasattr(os, "memfd_create"):
        return os.fdopen(os.memfd_create("dicom-assets-frames"), "w+b", buffering=0)
    return tempfile.TemporaryFile(buffering=0)


def load_buffers(descriptor: int, lengths: list[int]) -> Iterator[bytes]:
    """Yield the buffers that the parent has written into a file."""
    position = 0
    for length in lengths:
        data = os.pread(descriptor, length, position)
        position += len(data)
        yield data


def send(connection: socket.socket, fields: dict[str, Any], data: bytes, deadline: float | None) -> None:
    """Send a JSON object and bytes.

    Raises
    ------
    TimeoutError
        When the other end does not take them before the deadline.
    ConnectionError
        When there is no other end.

    """
    text = json.dumps(fields).encode()
    connection.settimeout(None if deadline is None else max(deadline - time.monotonic(), 1e-3))
    # In one piece: the other end would otherwise wake up for the first and wait for the second.
    connection.sendall(b"".join((_HEADER.pack(len(text), len(data)), text, data)))


def receive(connection: socket.socket, deadline: float | None) -> Answer:
    """Receive a JSON object and bytes.

    Raises
    ------
    TimeoutError
        When they do not come before the deadline.
    _ChildDiedError
        When the other end closed, or sent something else.

    """
    text_length, data_length = _HEADER.unpack(_receive_exactly(connection, _HEADER.size, deadline))
    if deadline is not None and text_length + data_length > _MAX_ANSWER:
        raise _ChildDiedError
    fields = json.loads(_receive_exactly(connection, text_length, deadline))
    return Answer(fields, bytes(_receive_exactly(connection, data_length, deadline)))


def _receive_exactly(connection: socket.socket, length: int, deadline: float | None) -> bytearray:
    buffer = bytearray(length)
    view, done = memoryview(buffer), 0
    while done < length:
        connection.settimeout(None if deadline is None else max(deadline - time.monotonic(), 1e-3))
        count = connection.recv_into(view[done:])
        if count == 0:
            raise _ChildDiedError
        done += count
    return buffer

"""The parent's side: a function that runs in a child process, and what happens when that does not return.

:class:`IsolatedFunction` keeps one child process, started when it is first needed. The arguments of a call go over a
socket as a pickle, with large buffers beside it in an unnamed file, which takes two copies and no turns of waiting; the
answer comes back as JSON and bytes, so that a child that hostile data took over cannot make its parent unpickle
anything. The child

* gets no more memory than allowed (``RLIMIT_AS``; Linux only), leaves no core dump and knows no credentials;
* is killed at its deadline by the parent, and by an alarm of its own should the parent be gone;
* ends when the socket closes, so it never outlives the process it serves;
* is replaced by a new one after it died, when the next call comes;
* may ask its parent for data during a call, which the parent fetches with what rights it has.
"""

import os
import pickle
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from dicom_assets.isolation.errors import (
    CallError,
    ChildDiedError,
    ChildKilledError,
    DeadlineError,
    FunctionError,
    IsolationError,
    MemoryLimitError,
)
from dicom_assets.isolation.messages import (
    Answer,
    ConnectionEndedError,
    Message,
    receive,
    send,
    store_buffers,
    unnamed_file,
)

START_SECONDS = 120.0
"""Importing large libraries on a machine that does something else, too."""
_DYING_SECONDS = 5.0
"""How long a child that no longer answers may take to end, so that its end says why."""
_KEPT_VARIABLES = frozenset({"PATH", "LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH", "LANG", "LC_ALL", "TMPDIR", "VIRTUAL_ENV"})
_TUNING = {
    "OPENBLAS_NUM_THREADS": "1",
    "OMP_NUM_THREADS": "1",
    # glibc would give the memory of every frame back and ask for it again: a third of the time of large frames.
    "MALLOC_MMAP_THRESHOLD_": str(32 << 20),
    "MALLOC_TRIM_THRESHOLD_": str(64 << 20),
}

Serve = Callable[[dict[str, Any]], bytes]
"""Answers what a child asks for, in the parent. The request comes from a process that is not trusted: check it."""


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

    def __call__(self, *arguments: object, serve: Serve | None = None) -> Answer:
        """Call the function in the child.

        Parameters
        ----------
        *arguments
            What can be pickled. A :class:`pickle.PickleBuffer` in them arrives as :class:`bytes`.
        serve
            Called here for each :func:`~dicom_assets.isolation.child.ask` of the function; without it, ``ask``
            raises. What it raises ends the call and the child, and is raised here unchanged. The time that it takes
            counts, but it is not interrupted. It must not call this function again, which waits for the call to end.

        Raises
        ------
        CallError
            How the call failed: the child died, ran out of time or of memory, or the function raised an exception.
        IsolationError
            When no child can be started, or this machine has no room for the arguments.

        """
        with self._lock:
            if self._child is None or self._child.owner != os.getpid() or self._child.process.poll() is not None:
                self._child = _start(self._function, self._limits)
            try:
                return self._child.call(arguments, serve)
            finally:
                if self._child.broken:
                    self._child.kill()
                    self._child = None

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
        raise IsolationError(error.errno, f"the child process did not start: {error.strerror}") from error


class _Child:
    """A running child process and the socket to it.

    Attributes
    ----------
    broken
        Whether it can take no further call: it is dead, busy, or out of step.

    """

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
                [sys.executable, "-m", "dicom_assets.isolation", *settings],
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
        except (ConnectionEndedError, OSError) as error:
            self.kill()
            raise IsolationError("the child process did not start") from error
        if "error" in ready.fields:
            self.kill()
            raise IsolationError(f"the child process did not start: {ready.fields['error']}")

    def call(self, arguments: tuple[object, ...], serve: Serve | None) -> Answer:
        """Have the function called, and serve what it asks for until it answers."""
        deadline = time.monotonic() + self._limits.seconds
        large: list[pickle.PickleBuffer] = []
        pickled = pickle.dumps(arguments, protocol=5, buffer_callback=large.append)
        self.broken = True
        try:
            lengths = store_buffers(self._buffers.fileno(), large)
        except OSError as fault:
            raise IsolationError(fault.errno, f"the child process gets no arguments: {fault.strerror}") from fault
        reply = self._exchange(Message({"buffers": lengths, "serves": serve is not None}, pickled), deadline)
        while "ask" in reply.fields and serve is not None:
            # Outside of what takes errors for those of the child: what this raises is the caller's.
            data = serve(reply.fields["ask"])
            reply = self._exchange(Message({}, data), deadline)
        self.broken = False
        return self._outcome(reply)

    def _exchange(self, message: Message, deadline: float) -> Message:
        """Send a message and return what comes back."""
        if time.monotonic() > deadline:
            raise DeadlineError(self._limits.seconds)
        try:
            send(self._socket, message, deadline)
            return receive(self._socket, deadline)
        except TimeoutError:
            raise DeadlineError(self._limits.seconds) from None
        except (ConnectionEndedError, ConnectionError):
            raise self._post_mortem() from None
        except OSError as fault:
            raise IsolationError(fault.errno, f"the child process is out of reach: {fault.strerror}") from fault

    def _outcome(self, reply: Message) -> Answer:
        """Return the answer of the function, or raise how the call failed."""
        if isinstance(reply.fields.get("answer"), dict):
            return Answer(reply.fields["answer"], reply.data)
        if "memory" in reply.fields:
            raise MemoryLimitError
        if "raised" in reply.fields:
            raise FunctionError(str(reply.fields["raised"]))
        self.broken = True
        raise ChildDiedError("sent no answer")

    def _post_mortem(self) -> CallError:
        """Return how the child died."""
        try:
            code = self.process.wait(timeout=_DYING_SECONDS)
        except subprocess.TimeoutExpired:
            return ChildDiedError("closed its connection")
        if code == -signal.SIGKILL:
            return ChildKilledError()
        if code < 0:
            return ChildDiedError(f"died of {signal.Signals(-code).name}")
        return ChildDiedError(f"ended with exit code {code}")

    def kill(self) -> None:
        """End the process and close what leads to it."""
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

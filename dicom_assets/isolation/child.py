"""The child's side: it limits itself, then answers calls until the socket ends. :func:`ask` is for what it runs."""

import importlib
import os
import pickle
import signal
import socket
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

from dicom_assets.errors import UserError
from dicom_assets.isolation.messages import Answer, Message, load_buffers, receive, send

_GRACE_SECONDS = 2.0
"""Beyond its deadline the parent kills the child; the alarm is for when there is no parent any more."""


class NothingServedError(UserError, RuntimeError):
    """There is no parent that answers: the call was made without ``serve``, or this is no child."""


_parent: socket.socket | None = None
"""Where what a function asks for comes from, while it runs for a call that is served."""
_asking = threading.Lock()


def ask(request: dict[str, Any]) -> bytes:
    """Ask the parent process for data, and wait for it; called by a function while it runs in a child.

    Parameters
    ----------
    request
        What JSON can hold; handed to the ``serve`` of
        :meth:`IsolatedFunction.__call__ <dicom_assets.isolation.process.IsolatedFunction.__call__>`.

    Raises
    ------
    NothingServedError
        When the call was made without ``serve``, or this process is no child.
    MemoryError
        When what was asked for is more than the limit on memory leaves.

    """
    if _parent is None:
        raise NothingServedError("no parent process serves this call")
    with _asking:
        send(_parent, Message({"ask": request}), None)
        return receive(_parent, None).data


def run(descriptor: int, buffers: int, function: str, seconds: float, memory_bytes: int) -> None:
    """Serve calls of a function until the other end of the socket closes.

    Parameters
    ----------
    descriptor
        File descriptor of a connected socket.
    buffers
        File descriptor of the file that large parts of arguments are in.
    function
        ``module:name`` of the function.
    seconds
        One call may last.
    memory_bytes
        One call may use beyond what is in use now.

    """
    connection = socket.socket(fileno=descriptor)
    try:
        served = _find(function)
        _limit(memory_bytes)
    except Exception as error:  # noqa: BLE001 - whatever it is, the parent must hear of it
        send(connection, Message({"error": f"{type(error).__name__}: {error}"}), None)
        return
    send(connection, Message({"ready": True}), None)
    signal.signal(signal.SIGALRM, signal.SIG_DFL)
    while True:
        try:
            call = receive(connection, None)
        except MemoryError:
            send(connection, Message({"memory": True}), None)
            continue
        except Exception:  # noqa: BLE001 - the parent is gone, and so is the reason to be here
            return
        signal.setitimer(signal.ITIMER_REAL, seconds + _GRACE_SECONDS)
        reply = _reply(served, call, buffers, connection)
        signal.setitimer(signal.ITIMER_REAL, 0)
        _send_reply(connection, reply)


def _find(function: str) -> Callable[..., Answer]:
    module, _, name = function.partition(":")
    found: Any = importlib.import_module(module)
    for part in name.split("."):
        found = getattr(found, part)
    served: Callable[..., Answer] = found
    return served


def _limit(memory_bytes: int) -> None:
    """Limit address space to what is in use now and `memory_bytes` more, where the system tells what is in use."""
    import resource

    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    statm = Path("/proc/self/statm")
    if statm.exists():
        limit = int(statm.read_text().split()[0]) * os.sysconf("SC_PAGE_SIZE") + memory_bytes
        resource.setrlimit(resource.RLIMIT_AS, (limit, limit))


def _reply(served: Callable[..., Answer], call: Message, buffers: int, connection: socket.socket) -> Message:
    """Carry out a call, and return the reply that says how it went."""
    global _parent  # noqa: PLW0603 - functions reach their parent by a plain import of `ask`
    _parent = connection if call.fields["serves"] else None
    try:
        large = load_buffers(buffers, call.fields["buffers"])
        arguments: tuple[Any, ...] = pickle.loads(call.data, buffers=large)  # noqa: S301 - from our parent
        answer = served(*arguments)
    except MemoryError:
        return Message({"memory": True})
    except Exception as error:  # noqa: BLE001 - one call must not end the process
        return Message({"raised": type(error).__name__})
    finally:
        _parent = None
    return Message({"answer": answer.fields}, answer.data)


def _send_reply(connection: socket.socket, reply: Message) -> None:
    """Send a reply, or at least say that it cannot be sent; nothing is on its way yet where it is not JSON."""
    try:
        send(connection, reply, None)
    except (TypeError, ValueError, RecursionError) as error:
        send(connection, Message({"raised": type(error).__name__}), None)
    except MemoryError:
        send(connection, Message({"memory": True}), None)

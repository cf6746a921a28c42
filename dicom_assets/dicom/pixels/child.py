"""The child's side of :mod:`~dicom_assets.dicom.pixels.isolation`: limits itself, then answers until the pipe ends.

Run as ``python -m dicom_assets.dicom.pixels.child SOCKET BUFFERS FUNCTION SECONDS MEMORY``.
"""

import importlib
import os
import pickle
import signal
import socket
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from dicom_assets.dicom.pixels.errors import PixelError, TooLargeError
from dicom_assets.dicom.pixels.isolation import Answer, load_buffers, receive, send

_GRACE_SECONDS = 2.0
"""Beyond its deadline the parent kills the child; the alarm is for when there is no parent any more."""


def main(descriptor: int, buffers: int, function: str, seconds: float, memory_bytes: int) -> None:
    """Serve calls of a function until the other end of the socket closes.

    Parameters
    ----------
    descriptor
        File descriptor of a connected socket.
    buffers
        File descriptor of the file that large parts of requests stand in.
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
        send(connection, {"error": f"{type(error).__name__}: {error}"}, b"", None)
        return
    send(connection, {}, b"", None)
    signal.signal(signal.SIGALRM, signal.SIG_DFL)
    while True:
        try:
            request = receive(connection, None)
        except Exception:  # noqa: BLE001 - the parent is gone, and so is the reason to be here
            return
        signal.setitimer(signal.ITIMER_REAL, seconds + _GRACE_SECONDS)
        answer = _answer(served, request, buffers)
        signal.setitimer(signal.ITIMER_REAL, 0)
        send(connection, answer.fields, answer.data, None)


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


def _answer(served: Callable[..., Answer], request: Answer, buffers: int) -> Answer:
    try:
        large = load_buffers(buffers, request.fields["buffers"])
        arguments: tuple[Any, ...] = pickle.loads(request.data, buffers=large)  # noqa: S301 - from our parent
        return served(*arguments)
    except PixelError as error:
        return _failure(error)
    except MemoryError:
        return _failure(TooLargeError("decoding asked for more memory than the limit"))
    except Exception as error:  # noqa: BLE001 - one file must not end the process
        return _failure(PixelError(f"rendering failed: {type(error).__name__}"))


def _failure(error: PixelError) -> Answer:
    return Answer({"status": str(error.status), "error": str(error)}, b"")


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]), sys.argv[3], float(sys.argv[4]), int(sys.argv[5]))

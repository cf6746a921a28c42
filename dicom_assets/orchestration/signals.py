"""Whether this process was told to end during a run: Dagster forgets what it hears after a run's last step."""

import signal
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

_ENDING = {signal.SIGINT, signal.SIGTERM}
_MANY = 4096


@contextmanager
def heard_signals() -> Iterator[Callable[[], bool]]:
    """Yield what tells whether SIGINT or SIGTERM came in the block since it was last asked, whoever handles them.

    Handlers are replaced by others for as long as a run takes. Python writes what comes to a file descriptor beside.
    """
    if threading.current_thread() is not threading.main_thread():  # which is told of no signal
        yield lambda: False
        return
    receiver, sender = socket.socketpair()
    with receiver, sender:
        receiver.setblocking(False)
        sender.setblocking(False)

        def heard() -> bool:
            try:
                return not _ENDING.isdisjoint(receiver.recv(_MANY))
            except BlockingIOError:
                return False

        before = signal.set_wakeup_fd(sender.fileno(), warn_on_full_buffer=False)
        try:
            yield heard
        finally:
            signal.set_wakeup_fd(before)

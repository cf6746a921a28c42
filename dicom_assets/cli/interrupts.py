"""Ending a command early: SIGTERM, which service managers and clusters send, ends it as Ctrl-C does."""

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType


@contextmanager
def ended_by_signals() -> Iterator[None]:
    """Raise :class:`KeyboardInterrupt` at SIGINT and at SIGTERM.

    While Dagster executes, it handles both as it finds SIGINT handled. A script starts what it leaves in the background
    with SIGINT ignored, which would let SIGTERM be ignored, too; so a handler of ours stands in for that.
    """
    if threading.current_thread() is not threading.main_thread():  # which has no signals
        yield
        return
    before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    deaf = before[signal.SIGINT] is signal.SIG_IGN

    def interrupt(number: int, _: FrameType | None) -> None:
        if number != signal.SIGINT or not deaf:
            raise KeyboardInterrupt

    for number in before:
        signal.signal(number, interrupt)
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)

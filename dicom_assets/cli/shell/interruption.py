"""Ctrl-C ends what a shell is doing, and not the shell."""

import signal
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor, wait
from types import FrameType

from dicom_assets.query.engine import Interrupt

_AGAIN = 0.05
"""Seconds: an interrupt between two steps of a query has no effect, and has to be repeated."""


class InterruptedQueryError(Exception):
    """The user ended it."""


def interruptible(work: Callable[[], None], interrupt: Interrupt) -> None:
    """Do something that Ctrl-C ends. Only for the main thread, which is the one that signals reach.

    The work is done in another thread: DuckDB does not look at signals while rows are read from it.

    Parameters
    ----------
    work
        What is to be done; what it raises is raised here.
    interrupt
        Of the engines that it uses.

    Raises
    ------
    InterruptedQueryError
        It was ended.

    """
    asked = threading.Event()

    def note(_: int, __: FrameType | None) -> None:
        asked.set()

    before = signal.signal(signal.SIGINT, note)
    try:
        with ThreadPoolExecutor(1, thread_name_prefix="query") as pool:
            future = pool.submit(work)
            while not future.done():
                wait([future], _AGAIN)
                if asked.is_set():
                    interrupt()
    finally:
        signal.signal(signal.SIGINT, before)
    if asked.is_set() and future.exception() is not None:
        raise InterruptedQueryError
    future.result()

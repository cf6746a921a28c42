"""Waiting for servers under test."""

import subprocess
import time
from collections.abc import Callable


def until_it_answers(ask: Callable[[], object], server: subprocess.Popen, seconds: float = 60) -> None:
    """Ask a server that was just started until it answers; raises its ``OSError`` when it has ended or takes too long.

    Parameters
    ----------
    ask
        Raises an ``OSError`` where there is no answer.
    server
        Its process.
    seconds
        How long it may take.

    """
    deadline = time.monotonic() + seconds
    while True:
        try:
            ask()
        except OSError:
            if server.poll() is not None or time.monotonic() > deadline:
                raise
            time.sleep(0.2)
        else:
            return

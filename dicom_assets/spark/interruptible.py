"""Calls of Spark that a signal ends: pyspark itself waits for its JVM or its server until a job is done.

What a signal raises inside such a call passes late, or as another error: pyspark waits for the whole job in a
``finally`` before it lets it through. So the call is made on a thread beside, and the wait for that can be left.
"""

import threading
from collections.abc import Callable
from contextlib import suppress
from typing import TypeVar

from pyspark import InheritableThread
from pyspark.sql import SparkSession

_Result = TypeVar("_Result")

_LOOK = 1.0
"""Seconds after which the wait begins anew: on Windows, Ctrl-C is heard between two waits only."""
_PATIENCE = 5.0
"""Seconds for dropping jobs, in which a server answers that is there."""


def interruptible(session: SparkSession, call: Callable[[], _Result]) -> _Result:
    """Return what a call returns, and raise what it raises; a signal ends the wait for it, and its jobs are dropped.

    Parameters
    ----------
    session
        Whose jobs the call starts, and whose local properties and tags it sees. Nothing else uses it at the time.
    call
        Is made on a thread of its own where this one can be told of signals: only the main thread is.

    """
    if threading.current_thread() is not threading.main_thread():
        return call()
    returned: list[_Result] = []
    raised: list[BaseException] = []

    def target() -> None:
        try:
            returned.append(call())
        except BaseException as error:  # noqa: BLE001 - raised again where it is waited for
            raised.append(error)

    thread = InheritableThread(target, session=session, daemon=True, name="spark-call")
    try:
        thread.start()
        while thread.is_alive():
            thread.join(_LOOK)
    except BaseException:
        _drop_jobs(session)
        raise
    if raised:
        raise raised[0]
    return returned[0]


def _drop_jobs(session: SparkSession) -> None:
    """Tell Spark to drop the jobs of a session: a server that stays would run them to their end."""

    def target() -> None:
        with suppress(Exception):  # a server may be lost
            session.interruptAll()

    dropper = threading.Thread(target=target, daemon=True, name="spark-drop")
    dropper.start()
    dropper.join(_PATIENCE)

"""Back-off: which failures of storage are tried again, how often, and with what pauses.

Belongs here: every policy for waiting and trying again within one process. Does not: the retries of steps, which are
Dagster's, and of tasks, which are Spark's.
"""

import re
from collections.abc import Callable
from datetime import timedelta
from typing import TYPE_CHECKING, TypeVar

from tenacity import (
    Retrying,
    retry_if_exception,
    retry_if_exception_type,
    stop_after_attempt,
    stop_after_delay,
    wait_exponential,
    wait_random_exponential,
)

if TYPE_CHECKING:
    from obstore.store import RetryConfig

ATTEMPTS = 10
"""As many attempts at a listing as obstore and delta-rs make at other requests."""

_SECONDS = timedelta(minutes=3)

READ_RETRIES: "RetryConfig" = {
    "max_retries": ATTEMPTS,
    "retry_timeout": _SECONDS,
    "backoff": {"init_backoff": timedelta(seconds=0.1), "max_backoff": timedelta(seconds=15), "base": 2},
}
"""Of requests to the object store of an archive, as obstore makes them by itself: what it does by default, said here so
that a file that hangs is known to cost three minutes and no more."""
_BROKEN_OFF = re.compile(r"list response")
_TRIED_AGAIN = "max_retries"
"""Stands in the message where the library did so itself."""

T = TypeVar("T")


def retry_listing(request: Callable[[], T]) -> T:
    """Ask an object store again when the answer to a listing broke off.

    obstore and delta-rs try a request again by themselves when it gets no answer, but not when the answer to a listing
    breaks off: then the whole listing fails. Pauses double from 0.1 s to 15 s, half of each is random; after
    :data:`ATTEMPTS` attempts or three minutes the error stands.

    Parameters
    ----------
    request
        Lists one page, or a few. What else it raises is raised at once.

    """
    policy = Retrying(
        retry=retry_if_exception(_is_broken_off),
        stop=stop_after_attempt(ATTEMPTS) | stop_after_delay(_SECONDS),
        wait=wait_exponential(multiplier=0.1, max=7.5) + wait_random_exponential(multiplier=0.1, max=7.5),
        reraise=True,
    )
    return policy(request)


def _is_broken_off(error: BaseException) -> bool:
    message = str(error)
    return _BROKEN_OFF.search(message) is not None and _TRIED_AGAIN not in message


def retry_lost_race(write: Callable[[], T], lost: type[Exception], attempts: int) -> T:
    """Write again when another writer of the same table was faster.

    Pauses are random, up to 0.05 s at first and 2 s in the end, so that writers that met once do not meet again.

    Parameters
    ----------
    write
        Reads the table as it is now and writes to it.
    lost
        What ``write`` raises when it lost; the last one is raised when there are no attempts left.
    attempts
        How often to try.

    """
    policy = Retrying(
        retry=retry_if_exception_type(lost),
        stop=stop_after_attempt(attempts),
        wait=wait_random_exponential(multiplier=0.05, max=2.0),
        reraise=True,
    )
    return policy(write)

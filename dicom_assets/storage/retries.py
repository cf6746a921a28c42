"""Asking an object store again when the answer to a listing broke off.

obstore and delta-rs try a request again by themselves when it gets no answer, but not when the answer to a listing
breaks off: then the whole listing fails.
"""

import random
import re
import time
from collections.abc import Callable
from typing import TypeVar

ATTEMPTS = 10
"""As many as obstore and delta-rs make of other requests."""

_SECONDS = 180.0
_FIRST_PAUSE = 0.1
_LONGEST_PAUSE = 15.0
_BROKEN_OFF = re.compile(r"list response")
_TRIED_AGAIN = "max_retries"
"""Stands in the message where the library did so itself."""

Answer = TypeVar("Answer")


class Patience:
    """How often, and how long, one listing may fail."""

    def __init__(self) -> None:
        self.renew()

    def renew(self) -> None:
        """Begin to count anew, since some of the listing has arrived."""
        self._failures = 0
        self._end = time.monotonic() + _SECONDS

    def pause(self, error: Exception) -> None:
        """Wait a while before the next attempt; raises the error when there is to be none."""
        self._failures += 1
        if not _is_broken_off(str(error)) or self._failures >= ATTEMPTS or time.monotonic() > self._end:
            raise error
        longest = min(_LONGEST_PAUSE, _FIRST_PAUSE * 2**self._failures)
        time.sleep(random.uniform(0.5, 1) * longest)  # noqa: S311 - no secret


def _is_broken_off(message: str) -> bool:
    return _BROKEN_OFF.search(message) is not None and _TRIED_AGAIN not in message


def patiently(request: Callable[[], Answer]) -> Answer:
    """Return the answer to a request that lists one page, or a few; raises what the request raises."""
    patience = Patience()
    while True:
        try:
            return request()
        except Exception as error:  # noqa: BLE001 - told apart by the message, and raised again
            patience.pause(error)

"""Listing an object store whose connections may break.

obstore tries a request again when its answer fails to begin, but not when the answer to a listing breaks off: then the
whole listing fails. Here it is continued behind the last key that arrived.
"""

import random
import re
import time
from collections.abc import Callable, Sequence
from itertools import pairwise
from typing import Any, TypeVar

import obstore
from obstore.exceptions import BaseError
from obstore.store import ObjectStore

ATTEMPTS = 10
"""As many as obstore makes of other requests, counted anew whenever some of a listing has arrived."""

_PATIENCE = 180.0
"""Seconds without any progress, after which the next failure counts."""

_FIRST_PAUSE = 0.1
_LONGEST_PAUSE = 15.0
_PAGE = 1000
_BROKEN_OFF = re.compile(r"list response")
_TRIED_AGAIN = "max_retries"

Answer = TypeVar("Answer")


class _Patience:
    """How often, and how long, one listing may fail."""

    def __init__(self) -> None:
        self.renew()

    def renew(self) -> None:
        """Begin to count anew."""
        self._failures = 0
        self._end = time.monotonic() + _PATIENCE

    def pause(self, error: BaseError) -> None:
        """Wait a while before the next attempt; raises the error when there is to be none."""
        self._failures += 1
        if not _is_broken_off(error) or self._failures >= ATTEMPTS or time.monotonic() > self._end:
            raise error
        time.sleep(random.uniform(0.5, 1) * min(_LONGEST_PAUSE, _FIRST_PAUSE * 2**self._failures))  # noqa: S311 - no secret


def _is_broken_off(error: BaseError) -> bool:
    """Return whether an answer broke off, which obstore did not try again by itself."""
    text = str(error)
    return _BROKEN_OFF.search(text) is not None and _TRIED_AGAIN not in text


def patiently(request: Callable[[], Answer]) -> Answer:
    """Return the answer to a request of one page; raises what obstore raises."""
    patience = _Patience()
    while True:
        try:
            return request()
        except BaseError as error:
            patience.pause(error)


def list_objects(store: ObjectStore, folder: str | None) -> list[Any]:
    """Return all objects below a folder, or in the whole store; raises what obstore raises.

    Some servers list in an order of their own, where "behind the last key" need not mean what it says: of those, a
    listing that breaks off begins anew.
    """
    patience, ascending = _Patience(), True
    found: list[Any] = []
    while True:
        start = found[-1]["path"] if found else None
        try:
            for page in obstore.list(store, folder, offset=start, chunk_size=_PAGE):
                ascending = ascending and _is_ascending([entry["path"] for entry in (*found[-1:], *page)])
                found += page
                if ascending:
                    patience.renew()
            if ascending or start is None:
                return found
        except BaseError as error:
            patience.pause(error)
        if not ascending:
            found = []


def _is_ascending(keys: Sequence[str]) -> bool:
    return all(one < other for one, other in pairwise(keys))

"""Listing an object store whose connections may break: a listing is continued behind the last key that arrived."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any

import obstore
from obstore.exceptions import BaseError
from obstore.store import ObjectStore

from dicom_assets.storage.retries import retry_listing

_PAGE = 1000


def list_objects(store: ObjectStore, folder: str | None) -> list[Any]:
    """Return all objects below a folder, or in the whole store; raises what obstore raises.

    Attempts are counted anew whenever some of the listing has arrived.
    """
    listing = _Listing(store, folder)
    while not listing.complete:
        retry_listing(listing.advance)
    return listing.found


@dataclass(slots=True)
class _Listing:
    """A listing under way.

    Some servers list in an order of their own, where "behind the last key" need not mean what it says: of those, a
    listing that breaks off begins anew.

    Attributes
    ----------
    store, folder
        What is listed.
    found
        Objects that have arrived.
    complete
        Whether these are all.
    broken
        Why the last request ended early, though some pages had arrived: the first failure of the next attempts.
    ascending
        Whether all keys have arrived in order.

    """

    store: ObjectStore
    folder: str | None
    found: list[Any] = field(default_factory=list)
    complete: bool = False
    broken: BaseError | None = None
    ascending: bool = True

    def advance(self) -> None:
        """Take pages until the listing ends or breaks off; raises only where it has not moved on."""
        if self.broken is not None:
            error, self.broken = self.broken, None
            raise error
        start = self.found[-1]["path"] if self.found else None
        known = len(self.found)
        try:
            for page in obstore.list(self.store, self.folder, offset=start, chunk_size=_PAGE):
                self.ascending = self.ascending and _is_ascending([one["path"] for one in (*self.found[-1:], *page)])
                self.found += page
            self.complete = self.ascending or start is None
        except BaseError as error:
            if not self.ascending or len(self.found) == known:
                raise
            self.broken = error
        finally:
            if not (self.ascending or self.complete):
                self.found = []


def _is_ascending(keys: Sequence[str]) -> bool:
    return all(one < other for one, other in pairwise(keys))

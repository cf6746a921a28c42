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
_BEFORE_A_POINT = "-"
"""Sorts before all names that begin with a point, and can be a name, which points alone cannot."""


def list_objects(store: ObjectStore, folder: str | None) -> list[Any]:
    """Return all objects below a folder, or in the whole store; raises what obstore raises.

    Attempts are counted anew whenever some of the listing has arrived.
    """
    return _all_of(_Listing(store, folder))


def list_objects_below(store: ObjectStore, folder: str | None, start: str, *, ordered: bool) -> list[Any]:
    """Return all objects in the folders of a folder whose names begin alike; raises what obstore raises.

    An object store that lists in the order of keys is asked for what begins so, and a page of what comes behind it:
    obstore asks for whole folders only, so the listing begins behind the last key that may not be wanted.

    Parameters
    ----------
    store
        What is listed.
    folder
        The folder above, ``None`` for the store itself.
    start
        What names of the folders begin with.
    ordered
        Whether the store is one that lists in the order of keys. Of another, the whole folder is listed.

    """
    above = f"{folder}/" if folder else ""
    found = _all_of(_Listing(store, folder, above + start, ordered=ordered))
    return [one for one in found if "/" in one["path"][len(above) :]]


def _all_of(listing: "_Listing") -> list[Any]:
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
    start
        Only keys that begin so.
    ordered
        Whether the store is known to list in the order of keys: what comes before and behind is not asked for then.
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
    start: str = ""
    ordered: bool = False
    found: list[Any] = field(default_factory=list)
    complete: bool = False
    broken: BaseError | None = None
    ascending: bool = True

    def advance(self) -> None:
        """Take pages until the listing ends or breaks off; raises only where it has not moved on."""
        if self.broken is not None:
            error, self.broken = self.broken, None
            raise error
        offset = self.found[-1]["path"] if self.found else self._before()
        known = len(self.found)
        try:
            for page in obstore.list(self.store, self.folder, offset=offset, chunk_size=_PAGE):
                self.ascending = self.ascending and _is_ascending([one["path"] for one in (*self.found[-1:], *page)])
                self.found += [one for one in page if one["path"].startswith(self.start)]
                if self._is_behind(page[-1]["path"]):
                    break
            self.complete = self.ascending or offset is None
        except BaseError as error:
            if not self.ascending or len(self.found) == known:
                raise
            self.broken = error
        finally:
            if not (self.ascending or self.complete):
                self.found = []

    def _before(self) -> str | None:
        """Return a key that stands before all that are wanted, where that is of use."""
        if not (self.start and self.ordered and self.ascending):
            return None
        above, slash, name = self.start.rpartition("/")
        return f"{above}{slash}{_BEFORE_A_POINT}" if name in {".", ".."} else self.start

    def _is_behind(self, key: str) -> bool:
        """Return whether no key that comes after one is wanted."""
        return self.ordered and self.ascending and key > self.start and not key.startswith(self.start)


def _is_ascending(keys: Sequence[str]) -> bool:
    return all(one < other for one, other in pairwise(keys))

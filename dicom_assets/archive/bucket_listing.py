"""Listing an object store whose connections may break: a listing is continued behind the last key that arrived."""

from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import obstore
from obstore.exceptions import BaseError
from obstore.store import ObjectStore

from dicom_assets.storage.retries import Patience

_PAGE = 1000


def list_objects(store: ObjectStore, folder: str | None) -> list[Any]:
    """Return all objects below a folder, or in the whole store; raises what obstore raises.

    Some servers list in an order of their own, where "behind the last key" need not mean what it says: of those, a
    listing that breaks off begins anew.
    """
    patience, ascending = Patience(), True
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

"""Change detection: where the catalog lags behind the archive, found prefix by prefix in bounded time.

Nothing is remembered but the tables themselves. A listing and the rows that it led to have the same digest, so a change
shows whatever the times of files say, and however earlier runs ended.
"""

import time
from collections import deque
from collections.abc import Collection, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, replace
from enum import StrEnum
from hashlib import blake2b

import pyarrow as pa
import pyarrow.compute as pc

from dicom_assets.archive.base import Archive, Prefixes
from dicom_assets.archive.containers.archive import glancing
from dicom_assets.archive.listing import LISTING_SCHEMA
from dicom_assets.archive.prefixes import PrefixError
from dicom_assets.extract.rollups import RollupTable
from dicom_assets.extract.status import CatalogStatus
from dicom_assets.pipeline.catalog_state import DIGEST_BYTES, CatalogState, digest
from dicom_assets.pipeline.deletions import DeletionGuard, MassDeletionError, emptied_prefixes, vanished
from dicom_assets.pipeline.listings import Listings, at_a_time, list_prefix, still_there
from dicom_assets.pipeline.rollup.due import MEMBER, due_rows, members_of
from dicom_assets.tables import FILE_INDEX, KEY, PARTITION

_AHEAD = 16
"""Prefixes whose listing is under way, or about to be."""


class ChangeStatus(StrEnum):
    """Whether a prefix has changed."""

    UNCHANGED = "unchanged"
    """The tables hold what is listed."""
    CHANGED = "changed"
    """They do not: a run is due. Where there is a reason too, the prefix could not be listed whole either."""
    REFUSED = "refused"
    """So many files are gone that a run would refuse to follow."""
    UNLISTED = "unlisted"
    """The prefix could not be listed whole, and the tables hold what was listed."""


@dataclass(frozen=True, slots=True)
class Detection:
    """What change detection found for one prefix.

    Attributes
    ----------
    prefix, status
        Which prefix, and whether it has changed.
    state
        Of changed prefixes: names the listing, and how often the index has been written. A prefix that changes back
        and forth is in a new state each time.
    reason
        Why a prefix, or part of it, is left alone though it may have changed.
    gone
        Number of files that the index holds and the listing does not.
    new, changed
        Number of files that the index does not hold, and of those that it holds in another version.

    """

    prefix: str
    status: ChangeStatus
    state: str = ""
    reason: str = ""
    gone: int = 0
    new: int = 0
    changed: int = 0


def detect_change(archive: Archive, state: CatalogState, prefix: str, guard: DeletionGuard | None) -> Detection:
    """List a prefix and compare it with the tables.

    Parameters
    ----------
    archive, state
        What is compared.
    prefix
        Its key; one that names no prefix of the archive has no files.
    guard
        What the run would refuse, ``None`` when it refuses nothing.

    """
    try:
        listings = list_prefix(glancing(archive), prefix, lambda _: known_files(state, prefix))
    except PrefixError:
        listings = Listings(LISTING_SCHEMA.empty_table(), {})
    except OSError as error:
        return Detection(prefix, ChangeStatus.UNLISTED, reason=str(error))
    index = state.rows(FILE_INDEX.name, prefix, ["fingerprint", "source_version", "removed_at"])
    live = index.filter(pc.is_null(index["removed_at"]))
    live = live.append_column(PARTITION, pa.repeat(prefix, live.num_rows))
    untold = listings.untold(live)
    due = pa.concat_tables(map(as_listed, (listings.without(untold), untold)))
    listed, reason = digest(due), listings.unlisted.get(prefix, "")
    if digest(as_listed(live)) == listed and _followed(state, prefix, live, index.num_rows):
        return Detection(prefix, ChangeStatus.UNLISTED if reason else ChangeStatus.UNCHANGED, reason=reason)
    gone = live.join(due.select([KEY]), KEY, join_type="left anti").num_rows
    if guard is not None and gone:
        known = {prefix: live.num_rows}
        try:
            guard.check(known, {prefix: gone})
            guard.check_emptied(emptied_prefixes(archive, known, {prefix} if due.num_rows else ()))
        except MassDeletionError as error:
            return Detection(prefix, ChangeStatus.REFUSED, reason=str(error), gone=gone)
        except OSError as error:
            return Detection(prefix, ChangeStatus.UNLISTED, reason=str(error))
    named = blake2b(f"{listed} {state.writes(prefix)}".encode(), digest_size=DIGEST_BYTES).hexdigest()
    new, changed = _count_changes(as_listed(live), due)
    return Detection(prefix, ChangeStatus.CHANGED, named, reason, gone, new, changed)


def known_files(state: CatalogState, prefix: str) -> pa.Table:
    """Return what the index has of a prefix, for a listing of it."""
    names = [name for name in LISTING_SCHEMA.names if name not in (KEY, PARTITION)]
    rows = still_there(state.rows(FILE_INDEX.name, prefix, [*names, "removed_at"]))
    return rows.append_column(PARTITION, pa.repeat(prefix, rows.num_rows))


def _count_changes(before: pa.Table, now: pa.Table) -> tuple[int, int]:
    """Return how many files are new, and how many have another version."""
    new = now.join(before.select([KEY]), KEY, join_type="left anti").num_rows
    same = now.join(before, [KEY, "fingerprint"], join_type="left semi").num_rows
    return new, now.num_rows - new - same


def refuse_mass_deletion(
    detected: Sequence[Detection], archive: Archive, state: CatalogState, present: Prefixes, guard: DeletionGuard
) -> list[Detection]:
    """Return what was found, with every deletion refused when they are too many for the catalog as a whole.

    Parameters
    ----------
    detected
        Prefixes that were looked at. Others count as lost when they have vanished.
    archive, present
        What was looked at, and its prefixes.
    state
        What the tables hold.
    guard
        What is refused.

    """
    lost = sum(one.gone for one in detected)
    if not lost:
        return list(detected)
    rows = state.counts(FILE_INDEX.name)
    looked_at = {one.prefix for one in detected}
    try:
        elsewhere = vanished(archive, present, rows, looked_at)
        guard.check_whole(sum(rows.values()), lost + elsewhere)
    except MassDeletionError as error:
        doubtful = [one for one in detected if one.gone and one.status is ChangeStatus.CHANGED]
        told = doubtful[:1]
        return [
            replace(one, status=ChangeStatus.REFUSED, state="", reason=str(error) if one in told else "")
            if one in doubtful
            else one
            for one in detected
        ]
    return list(detected)


def as_listed(rows: pa.Table) -> pa.Table:
    """Return paths with all that is listed of their versions, which runs make fingerprints of.

    So what a run would have to verify shows without being read; a run notes what it verified, and all is settled.
    """
    return pa.table({KEY: rows[KEY], "fingerprint": pc.coalesce(rows["source_version"], rows["fingerprint"])})


def _followed(state: CatalogState, prefix: str, live: pa.Table, known: int) -> bool:
    """Return whether the other tables follow the index: whole rows of its live versions, and none too many."""
    for table in (*state.model.extracted, state.model.catalog):
        count = state.count(table.name, prefix)
        if count is not None and not live.num_rows <= count <= known:
            return False
    rollups = state.model.rollups
    more = dict.fromkeys([*MEMBER, *(table.key for table in rollups)]) if rollups else {}
    columns = list({**dict.fromkeys(["fingerprint", "status", "removed_at"]), **more})
    catalog = state.rows(state.model.catalog.name, prefix, columns)
    whole = pc.and_(pc.is_null(catalog["removed_at"]), pc.not_equal(catalog["status"], CatalogStatus.PENDING))
    if digest(catalog.filter(whole)) != digest(live):
        return False
    catalog = catalog.append_column(PARTITION, pa.repeat(prefix, catalog.num_rows))
    return all(is_grouped(state, prefix, catalog, table) for table in rollups)


def is_grouped(state: CatalogState, prefix: str, catalog: pa.Table, table: RollupTable) -> bool:
    """Return whether a rollup holds what the rows of the catalog add up to."""
    held = state.rows(table.name, prefix, ["extractor_version"])
    due = due_rows(members_of(catalog, table.key), table).select(held.column_names)
    return bool(due.sort_by(table.key).cast(held.schema).equals(held.sort_by(table.key)))


class ChangeDetector:
    """Looks for changes of many prefixes, within a time limit.

    A listing that outlasts the limit goes on in the background, and the next call waits for it rather than starting
    anew: so even a prefix of millions of files is seen at last.
    """

    def __init__(self) -> None:
        self._pools: dict[int, ThreadPoolExecutor] = {}
        self._pending: dict[str, Future[Detection]] = {}

    def sweep(
        self,
        archive: Archive,
        state: CatalogState,
        prefixes: Sequence[str],
        guard: DeletionGuard | None,
        deadline: float,
    ) -> Iterator[Detection]:
        """Yield what is found for each prefix, in their order; stops at the deadline.

        Parameters
        ----------
        archive, state, guard
            As for :func:`detect_change`.
        prefixes
            Where to look.
        deadline
            By :func:`time.monotonic`.

        """
        self._forget_all_but(prefixes[:_AHEAD])
        waiting: deque[str] = deque()
        todo = deque(prefixes)
        while True:
            while todo and len(waiting) < _AHEAD and time.monotonic() < deadline:
                waiting.append(todo.popleft())
                self._start(waiting[-1], archive, state, guard)
            if not waiting:
                return
            done, _ = wait([self._pending[waiting[0]]], max(0.0, deadline - time.monotonic()))
            if not done:
                return
            yield self._pending.pop(waiting.popleft()).result()

    def _start(self, prefix: str, archive: Archive, state: CatalogState, guard: DeletionGuard | None) -> None:
        if prefix not in self._pending:
            self._pending[prefix] = self._pool(archive).submit(detect_change, archive, state, prefix, guard)

    def _pool(self, archive: Archive) -> ThreadPoolExecutor:
        """Return the threads that list an archive, which stay: what outlasts a sweep goes on in them."""
        size = at_a_time(archive)
        if size not in self._pools:
            self._pools[size] = ThreadPoolExecutor(size, thread_name_prefix="change-detection")
        return self._pools[size]

    def _forget_all_but(self, prefixes: Collection[str]) -> None:
        for prefix in self._pending.keys() - set(prefixes):
            self._pending.pop(prefix).cancel()

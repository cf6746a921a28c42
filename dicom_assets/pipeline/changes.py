"""Where the catalog lags behind the archive: looked at prefix by prefix, in bounded time.

Nothing is remembered but the tables themselves. A listing and the rows that it led to have the same digest, so what
changed shows whatever the times of files say, and whatever became of earlier runs.
"""

import time
from collections import defaultdict, deque
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, replace
from enum import StrEnum
from functools import cached_property
from hashlib import blake2b

import pyarrow as pa
import pyarrow.compute as pc
from deltalake import DeltaTable

from dicom_assets.archive.base import Archive, Prefixes
from dicom_assets.archive.listing import LISTING_SCHEMA
from dicom_assets.archive.prefixes import PrefixError
from dicom_assets.delta.files import DataFile, read_file
from dicom_assets.delta.lake import Lake
from dicom_assets.delta.snapshot import transaction_id
from dicom_assets.extract.model import DEFAULT_MODEL, CatalogModel
from dicom_assets.extract.status import CatalogStatus
from dicom_assets.pipeline.columns import join_text
from dicom_assets.pipeline.deletions import DeletionGuard, MassDeletionError, emptied_prefixes, vanished
from dicom_assets.pipeline.listings import Listings, list_prefix
from dicom_assets.tables import FILE_INDEX, KEY, PARTITION

_LISTERS = 8
_AHEAD = 2 * _LISTERS
"""Prefixes whose listing is under way at once."""

_VERSION = [KEY, "fingerprint"]
_DIGEST_BYTES = 8
_DIGEST_ROWS = 1 << 16


class Verdict(StrEnum):
    """What a look at one prefix found."""

    SETTLED = "settled"
    """The tables hold what is listed."""
    CHANGED = "changed"
    """They do not: a run is due. Where there is a reason too, the prefix could not be listed whole besides."""
    REFUSED = "refused"
    """So many files are gone that a run would refuse to follow."""
    UNLISTED = "unlisted"
    """The prefix could not be listed whole, and the tables hold what was listed."""


@dataclass(frozen=True, slots=True)
class Observation:
    """What a look at one prefix found.

    Attributes
    ----------
    prefix, verdict
        Where, and what.
    state
        Of changed prefixes: names the listing, and how often the index has been written. A prefix that changes back
        and forth is in a new state each time.
    reason
        Why a prefix, or part of it, is left alone though it may have changed.
    gone
        Number of files that the index holds and the listing does not.

    """

    prefix: str
    verdict: Verdict
    state: str = ""
    reason: str = ""
    gone: int = 0


def digest(rows: pa.Table) -> str:
    """Return a short name of some versions of files, whatever their order.

    Parameters
    ----------
    rows
        Columns ``path`` and ``fingerprint``; paths are unique.

    """
    ordered = rows.select(_VERSION).sort_by(KEY)
    hasher = blake2b(digest_size=_DIGEST_BYTES)
    for batch in ordered.to_batches(max_chunksize=_DIGEST_ROWS):
        lines = pc.fill_null(join_text(batch.column(KEY), batch.column("fingerprint"), separator="\0"), "")
        joined = pc.binary_join(pa.ListArray.from_arrays([0, len(lines)], lines), "\n")
        hasher.update(joined[0].as_buffer())
        hasher.update(b"\n")
    return hasher.hexdigest()


class CatalogState:
    """What the tables of a lake hold, as of one moment.

    Parameters
    ----------
    lake
        The tables; those that do not exist yet hold nothing.
    model
        What the catalog consists of.

    """

    def __init__(self, lake: Lake, model: CatalogModel = DEFAULT_MODEL) -> None:
        self._lake = lake
        self.model = model
        self._snapshots = {table.name: lake.snapshot(table) for table in model.tables if lake.location(table).exists()}
        self._filesystems = {name: snapshot.location.filesystem() for name, snapshot in self._snapshots.items()}
        self._files: dict[str, Mapping[str, list[DataFile]]] = {
            name: _by_prefix(snapshot.files) for name, snapshot in self._snapshots.items()
        }

    @cached_property
    def prefixes(self) -> frozenset[str]:
        """Prefixes that any table has rows of."""
        return frozenset(prefix for files in self._files.values() for prefix in files)

    @cached_property
    def _index(self) -> DeltaTable:
        return self._lake.location(FILE_INDEX).open()

    def writes(self, prefix: str) -> int:
        """Return how many commits of runs the index has seen of a prefix."""
        return (self._index.transaction_version(transaction_id(prefix)) or 0) if self._snapshots else 0

    def rows(self, name: str, prefix: str, columns: Sequence[str]) -> pa.Table:
        """Return the rows that a table holds of a prefix: key and some columns.

        Prefixes are many and their files few: files are read one after the other, prefixes side by side.
        """
        names = [KEY, *columns]
        table = self.model.table(name)
        batches = [
            batch
            for file in self._files.get(name, {}).get(prefix, ())
            for batch in read_file(self._filesystems[name], table, file, names)
        ]
        return pa.Table.from_batches(batches, pa.schema([table.schema.field(name) for name in names]))

    def count(self, name: str, prefix: str) -> int | None:
        """Return how many rows a table holds of a prefix by its log, ``None`` where the log does not tell."""
        counts = [file.rows for file in self._files.get(name, {}).get(prefix, ())]
        known = [count for count in counts if count is not None]
        return sum(known) if len(known) == len(counts) else None


def _by_prefix(files: Iterable[DataFile]) -> Mapping[str, list[DataFile]]:
    grouped: dict[str, list[DataFile]] = defaultdict(list)
    for file in files:
        grouped[file.prefix].append(file)
    return dict(grouped)


def observe(archive: Archive, state: CatalogState, prefix: str, guard: DeletionGuard | None) -> Observation:
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
        listings = list_prefix(archive, prefix)
    except PrefixError:
        listings = Listings(LISTING_SCHEMA.empty_table(), {})
    except OSError as error:
        return Observation(prefix, Verdict.UNLISTED, reason=str(error))
    index = state.rows(FILE_INDEX.name, prefix, ["fingerprint", "source_version", "removed_at"])
    live = index.filter(pc.is_null(index["removed_at"]))
    live = live.append_column(PARTITION, pa.repeat(prefix, live.num_rows))
    untold = listings.untold(live)
    due = pa.concat_tables(map(_as_listed, (listings.without(untold), untold)))
    listed, reason = digest(due), listings.unlisted.get(prefix, "")
    if digest(_as_listed(live)) == listed and _followed(state, prefix, live, index.num_rows):
        return Observation(prefix, Verdict.UNLISTED if reason else Verdict.SETTLED, reason=reason)
    gone = live.join(due.select([KEY]), KEY, join_type="left anti").num_rows
    if guard is not None and gone:
        known = {prefix: live.num_rows}
        try:
            guard.check(known, {prefix: gone})
            guard.check_emptied(emptied_prefixes(archive, known, {prefix} if due.num_rows else ()))
        except MassDeletionError as error:
            return Observation(prefix, Verdict.REFUSED, reason=str(error), gone=gone)
        except OSError as error:
            return Observation(prefix, Verdict.UNLISTED, reason=str(error))
    named = blake2b(f"{listed} {state.writes(prefix)}".encode(), digest_size=_DIGEST_BYTES).hexdigest()
    return Observation(prefix, Verdict.CHANGED, named, reason, gone)


def refuse_together(
    seen: Sequence[Observation], archive: Archive, state: CatalogState, present: Prefixes, guard: DeletionGuard
) -> list[Observation]:
    """Return what was found, with all deletions refused when they are too many for the catalog as a whole.

    Parameters
    ----------
    seen
        Prefixes that were looked at. Others count as lost when they have vanished.
    archive, present
        What was looked at, and its prefixes.
    state
        What the tables hold.
    guard
        What is refused.

    """
    rows = {prefix: state.count(FILE_INDEX.name, prefix) or 0 for prefix in state.prefixes}
    looked_at = {one.prefix for one in seen}
    lost = sum(one.gone for one in seen)
    try:
        elsewhere = vanished(archive, present, rows, looked_at) if lost else 0
        guard.check_whole(sum(rows.values()), lost + elsewhere)
    except MassDeletionError as error:
        doubtful = [one for one in seen if one.gone and one.verdict is Verdict.CHANGED]
        told = doubtful[:1]
        return [
            replace(one, verdict=Verdict.REFUSED, state="", reason=str(error) if one in told else "")
            if one in doubtful
            else one
            for one in seen
        ]
    return list(seen)


def _as_listed(rows: pa.Table) -> pa.Table:
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
    catalog = state.rows(state.model.catalog.name, prefix, ["fingerprint", "status", "removed_at"])
    whole = pc.and_(pc.is_null(catalog["removed_at"]), pc.not_equal(catalog["status"], CatalogStatus.PENDING))
    return digest(catalog.filter(whole)) == digest(live)


class Watch:
    """Looks at many prefixes, within a time limit.

    A listing that outlasts the limit goes on in the background, and the next call waits for it rather than starting
    anew: so even a prefix of millions of files is seen at last.
    """

    def __init__(self) -> None:
        self._pool = ThreadPoolExecutor(_LISTERS, thread_name_prefix="archive-watch")
        self._pending: dict[str, Future[Observation]] = {}

    def sweep(
        self,
        archive: Archive,
        state: CatalogState,
        prefixes: Sequence[str],
        guard: DeletionGuard | None,
        deadline: float,
    ) -> Iterator[Observation]:
        """Yield what is found, in the order of the prefixes; stops at the deadline.

        Parameters
        ----------
        archive, state, guard
            As for :func:`observe`.
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
            self._pending[prefix] = self._pool.submit(observe, archive, state, prefix, guard)

    def _forget_all_but(self, prefixes: Collection[str]) -> None:
        for prefix in self._pending.keys() - set(prefixes):
            self._pending.pop(prefix).cancel()

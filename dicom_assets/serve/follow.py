"""Keeping up with the tables: new versions appear without a restart, and a request sees one version of all of them.

The logs are looked at when a request comes and the last look is a second old, with one question a table: is the commit
that was last still there, and is there a next one? Catalogs are values. One that requests still hold stays as it is
while they do, and goes with the last of them.
"""

import threading
import time
from collections.abc import Callable, Mapping

from deltalake.exceptions import DeltaError

from dicom_assets.delta.location import TableLocation
from dicom_assets.delta.newest import newest, stamp_of
from dicom_assets.query.database import Catalog
from dicom_assets.query.errors import CatalogError, one_line
from dicom_assets.query.fixed import FixedCatalog, FixedTable
from dicom_assets.query.keeping import Columns, Keeper

LOOK_SECONDS = 1.0
"""For how long the tables are believed to be as they were."""


class _Known:
    """One version of a table, and its commit as the log had it."""

    def __init__(self, location: TableLocation, before: FixedTable | None, keeper: Keeper | None) -> None:
        delta = newest(location)
        self._location, self._version = location, delta.version()
        self._stamp = stamp_of(location, self._version)
        self.table = FixedTable(location, delta, before, keeper)

    def is_last(self) -> bool:
        """Return whether this is still the last version, and of the same table."""
        return self._stamp is not None and stamp_of(self._location, self._version) == self._stamp


class Follower:
    """Gives out the newest state of a catalog, safe to use from several threads.

    Parameters
    ----------
    catalog
        Which one, with its engine and its archive.
    columns
        Which are kept in memory, by table.
    seconds
        How old a look may be.
    clock
        Tells the time in seconds.

    """

    def __init__(
        self,
        catalog: Catalog,
        columns: Mapping[str, Columns] | None = None,
        seconds: float = LOOK_SECONDS,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._catalog, self._seconds, self._clock = catalog, seconds, clock
        self._keepers = {name: Keeper(which) for name, which in (columns or {}).items()}
        self._lock = threading.Lock()
        self._known: Mapping[str, _Known] = {}
        self._current: FixedCatalog | None = None
        self._looked = -float("inf")

    def current(self) -> FixedCatalog:
        """Return the catalog as it is, or was a second ago.

        Raises
        ------
        NoCatalogError
            There is no table at all.
        CatalogError
            A table cannot be opened.
        LakeError
            The lake cannot be reached.

        """
        due = self._current is None or self._clock() - self._looked >= self._seconds
        # One looks; where there is something to answer from, the others need not wait for it.
        if due and self._lock.acquire(blocking=self._current is None):
            try:
                self._look()
            finally:
                self._lock.release()
        assert self._current is not None
        return self._current

    def warm(self) -> None:
        """Read what is kept in memory, before anybody asks; raises as :meth:`current` does."""
        catalog = self.current()
        for name, keeper in self._keepers.items():
            if name in catalog.fixed:
                catalog.fixed[name].narrow()
                keeper.wait()
        for table in catalog.fixed.values():
            table.rows()

    def newest(self) -> FixedCatalog:
        """Return the catalog as it is now; raises as :meth:`current` does."""
        with self._lock:
            self._looked = -float("inf")
            self._look()
        assert self._current is not None
        return self._current

    def _look(self) -> None:
        """Load what has moved on; all else stays loaded."""
        if self._current is not None and self._clock() - self._looked < self._seconds:
            return  # another thread has, meanwhile
        names = self._catalog.tables()
        try:
            # From the end of the data flow to its beginning: no table is older than what was made of it.
            found = [self._loaded(name) for name in reversed(names)]
        except (DeltaError, OSError) as error:
            raise CatalogError(f"a table cannot be opened: {one_line(error)}") from error
        known = dict(zip(names, found[::-1], strict=True))
        if self._current is None or known != self._known:
            self._known = known
            fixed = {name: one.table for name, one in known.items()}
            self._current = FixedCatalog.of(self._catalog, fixed)
        self._looked = self._clock()

    def _loaded(self, name: str) -> _Known:
        known = self._known.get(name)
        if known is not None and known.is_last():
            return known
        return _Known(self._catalog.location(name), known.table if known is not None else None, self._keepers.get(name))

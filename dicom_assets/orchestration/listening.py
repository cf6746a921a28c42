"""The look at what was told: before the sweep, for half of a tick, again until there is nothing left to do."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace

from dagster import DagsterInstance

from dicom_assets.archive.base import Archive, Prefixes
from dicom_assets.orchestration.cursor import MOST_TOLD, Cursor
from dicom_assets.orchestration.naming import ALONE, CatalogNames
from dicom_assets.orchestration.news import hear_news
from dicom_assets.pipeline.catalog_state import CatalogState
from dicom_assets.pipeline.changes import ChangeDetector, ChangeStatus, Detection
from dicom_assets.pipeline.deletions import DeletionGuard


@dataclass(frozen=True, slots=True)
class Told:
    """What was told, and found.

    Attributes
    ----------
    prefixes
        Those that were told of, in this tick or before.
    found
        What was found of those that were looked at.
    last
        Number of the last event that was heard.
    strange
        Number of names that are of no file of the archive.

    """

    prefixes: Sequence[str]
    found: Sequence[Detection]
    last: int
    strange: int

    def among(self, present: Prefixes) -> Prefixes:
        """Return the prefixes of an archive with those that were told of and have changed."""
        changed = {one.prefix for one in self.found if one.status is ChangeStatus.CHANGED}
        return replace(present, found=sorted({*present, *changed})) if changed else present


class Listener:
    """Hears news of one catalog; a listing that outlasts a tick goes on beside those of the sweep."""

    def __init__(self, names: CatalogNames = ALONE) -> None:
        self._detector = ChangeDetector()
        self._names = names

    def hear(self, instance: DagsterInstance, archive: Archive, cursor: Cursor) -> Told:
        """Return what was told since a cursor, not looked at yet."""
        heard = hear_news(instance, archive, cursor.news, self._names, MOST_TOLD - len(cursor.told))
        prefixes = list(dict.fromkeys([*cursor.told, *heard.news.prefixes]))
        return Told(prefixes, (), heard.last, heard.news.strange)

    def look(
        self,
        told: Told,
        archive: Archive,
        state: CatalogState,
        held: Collection[str],
        guard: DeletionGuard | None,
        until: float,
    ) -> Told:
        """Return what is found where it was told of; prefixes that a run holds are left until it ends.

        Parameters
        ----------
        told
            Where to look.
        archive, state, guard
            As :func:`~dicom_assets.pipeline.changes.detect_change` takes them.
        held
            Prefixes of runs.
        until
            By :func:`time.monotonic`.

        """
        free = [prefix for prefix in told.prefixes if prefix not in held]
        return replace(told, found=list(self._detector.sweep(archive, state, free, guard, until)))

"""How far a catalog lags behind its archive: every prefix is listed and compared, and nothing is changed."""

import time
from dataclasses import dataclass

from dicom_assets.archive.base import Archive
from dicom_assets.archive.prefixes import PrefixCut
from dicom_assets.delta.lake import Lake
from dicom_assets.extract.model import DEFAULT_MODEL, CatalogModel
from dicom_assets.pipeline.catalog_state import CatalogState
from dicom_assets.pipeline.changes import ChangeDetector, ChangeStatus, Detection, refuse_mass_deletion
from dicom_assets.pipeline.deletions import BY_OPTION, DeletionGuard
from dicom_assets.pipeline.ownership import recognise, stated_owner

_PATIENCE = 365 * 24 * 3600.0
"""Seconds: listing an archive of any size is over before."""


@dataclass(frozen=True, slots=True)
class Lag:
    """What a run would have to do.

    Attributes
    ----------
    prefixes
        Number that were looked at.
    behind
        What was found of prefixes that have changed, or could not be followed.
    unlisted
        Why folders above the prefixes could not be listed.

    """

    prefixes: int
    behind: tuple[Detection, ...]
    unlisted: tuple[str, ...] = ()

    @property
    def new(self) -> int:
        """Number of files that the catalog does not hold."""
        return sum(one.new for one in self.behind)

    @property
    def changed(self) -> int:
        """Number of files that it holds in another version."""
        return sum(one.changed for one in self.behind)

    @property
    def gone(self) -> int:
        """Number of files that it holds and that are not there any more."""
        return sum(one.gone for one in self.behind)


def cut_of(lake: Lake) -> PrefixCut:
    """Return the cut into prefixes that a catalog states, the usual one where it states none."""
    owner = stated_owner(lake)
    return PrefixCut() if owner is None else owner.whole_cut


def find_lag(lake: Lake, archive: Archive, model: CatalogModel = DEFAULT_MODEL) -> Lag:
    """Compare a catalog with its archive, all of it.

    Raises
    ------
    SourceMismatchError
        The catalog belongs to another source.
    OSError
        The archive cannot be reached.

    """
    archive = recognise(lake, archive)
    archive.check()
    state, present = CatalogState(lake, model), archive.prefixes()
    guard = DeletionGuard(how=BY_OPTION)
    prefixes = sorted({*present, *state.prefixes})
    found = list(ChangeDetector().sweep(archive, state, prefixes, guard, time.monotonic() + _PATIENCE))
    found = refuse_mass_deletion(found, archive, state, present, guard)
    behind = tuple(one for one in found if one.status is not ChangeStatus.UNCHANGED)
    return Lag(len(prefixes), behind, tuple(present.unlisted))

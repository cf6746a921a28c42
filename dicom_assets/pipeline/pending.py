"""Which prefixes have anything to do, told by the same comparison that an update makes.

Prefixes of which one look tells it are not compared (:mod:`dicom_assets.pipeline.glance`), and others some at a time.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from dicom_assets.archive.base import Archive
from dicom_assets.archive.containers.archive import glancing
from dicom_assets.delta.lake import Lake
from dicom_assets.extract.model import CatalogModel
from dicom_assets.pipeline.catalog import CatalogStep
from dicom_assets.pipeline.catalog_state import CatalogState
from dicom_assets.pipeline.deletions import DeletionGuard
from dicom_assets.pipeline.difference import Difference, UpdateMode, count_by_prefix
from dicom_assets.pipeline.extraction import ExtractionStep
from dicom_assets.pipeline.glance import glance_at
from dicom_assets.pipeline.head_check import presume_other
from dicom_assets.pipeline.index import IndexPlan, IndexStep
from dicom_assets.pipeline.ownership import claim
from dicom_assets.pipeline.rollup.step import RollupStep

_COMPARED_AT_ONCE = 50
"""Prefixes whose rows are in memory together."""


@dataclass(frozen=True, slots=True)
class Pending:
    """What a run over one prefix would find.

    Attributes
    ----------
    prefix
        The prefix.
    files
        Files whose rows are missing or stale in any table, or may be: the run will look.
    removed
        Rows of files that are gone.
    unlisted
        Why the prefix could not be listed whole; empty when it was.
    due
        Whether a run would find anything to do.
    gone
        Files that the index would lose.

    """

    prefix: str
    files: int
    removed: int
    unlisted: str = ""
    due: bool = True
    gone: int = 0


def find_pending(
    lake: Lake,
    archive: Archive,
    model: CatalogModel,
    prefixes: Sequence[str],
    mode: UpdateMode,
    guard: DeletionGuard | None,
) -> list[Pending]:
    """Compare the archive and the tables, which must exist.

    Only comparisons are made: nothing is staged, no engine is started.

    Returns
    -------
    The prefixes that have anything to do, and those that could not be listed whole.

    Raises
    ------
    ArchiveError
        The root of the archive cannot be listed.
    MassDeletionError
        The guard refuses what is gone.

    """
    archive = claim(lake, archive)
    if mode is UpdateMode.OVERWRITE:
        plain: list[Pending] = []
        compared = list(prefixes)
    else:
        plain, compared = _plain(lake, archive, model, prefixes)
    found = {one.prefix: one for one in plain}
    for start in range(0, len(compared), _COMPARED_AT_ONCE):
        some = _compare(lake, archive, model, compared[start : start + _COMPARED_AT_ONCE], mode, guard)
        found |= {one.prefix: one for one in some}
    return [found[prefix] for prefix in prefixes if prefix in found]


def _plain(
    lake: Lake, archive: Archive, model: CatalogModel, prefixes: Sequence[str]
) -> tuple[list[Pending], list[str]]:
    """Return what one look tells of prefixes that are new, and the prefixes that are neither new nor settled."""
    new, left = [], []
    for glance in glance_at(archive, CatalogState(lake, model), prefixes):
        if glance.new:
            new.append(Pending(glance.prefix, glance.new, 0))
        elif not glance.settled:
            left.append(glance.prefix)
    return new, left


def _compare(
    lake: Lake,
    archive: Archive,
    model: CatalogModel,
    prefixes: Sequence[str],
    mode: UpdateMode,
    guard: DeletionGuard | None,
) -> list[Pending]:
    """Compare all rows of some prefixes."""
    index = IndexStep(lake, glancing(archive), prefixes, mode, guard, presume_other).plan()
    lagging = _lagging_rollups(lake, prefixes, mode, model)
    found: dict[str, tuple[int, int]] = {}
    for difference in _differences(index, lake, model, mode):
        work, obsolete = count_by_prefix(difference.work), count_by_prefix(difference.obsolete)
        adopted = count_by_prefix(difference.adopted)
        for prefix in {*work, *obsolete}:
            files, removed = found.get(prefix, (0, 0))
            made = work.get(prefix, 0)
            due = made - adopted.get(prefix, 0)
            found[prefix] = (max(files, due), max(removed, obsolete.get(prefix, 0) - made))
    unlisted = index.listings.unlisted
    return [
        Pending(
            prefix,
            *found.get(prefix, (0, 0)),
            unlisted=unlisted.get(prefix, ""),
            due=prefix in found or prefix in lagging,
            gone=index.gone.get(prefix, 0),
        )
        for prefix in prefixes
        if prefix in found or prefix in lagging or prefix in unlisted
    ]


def _lagging_rollups(lake: Lake, prefixes: Sequence[str], mode: UpdateMode, model: CatalogModel) -> set[str]:
    """Return the prefixes whose series or studies a run would make: their rows are of no file, and are not counted."""
    if not model.rollups:
        return set()
    tables = RollupStep(lake, prefixes, mode, model).plan().tables.values()
    rows = [rows for table in tables for rows in (table.difference.work, table.difference.obsolete)]
    return {prefix for some in rows for prefix in count_by_prefix(some)}


def _differences(index: IndexPlan, lake: Lake, model: CatalogModel, mode: UpdateMode) -> Iterator[Difference]:
    """Yield the differences of all tables."""
    extraction = ExtractionStep(lake, index.archive, model.extractors, index.prefixes, mode)
    catalog = CatalogStep(lake, index.prefixes, mode, model)
    for plan in (index, extraction.plan(), catalog.plan()):
        yield from (table.difference for table in plan.tables.values())

"""Which prefixes have anything to do, told by the same comparison that an update makes."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from dicom_assets.archive.base import Archive
from dicom_assets.archive.containers.archive import glancing
from dicom_assets.delta.lake import Lake
from dicom_assets.extract.model import CatalogModel
from dicom_assets.pipeline.catalog import CatalogStep
from dicom_assets.pipeline.deletions import DeletionGuard
from dicom_assets.pipeline.difference import Difference, UpdateMode, count_by_prefix
from dicom_assets.pipeline.extraction import ExtractionStep
from dicom_assets.pipeline.head_check import presume_other
from dicom_assets.pipeline.index import IndexPlan, IndexStep
from dicom_assets.pipeline.rollup.step import RollupStep


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

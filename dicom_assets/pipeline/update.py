"""The whole pipeline without an orchestrator: from an archive to an up-to-date catalog in one call."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from dicom_assets.archive.base import Archive
from dicom_assets.archive.containers.archive import glancing
from dicom_assets.archive.opening import open_archive
from dicom_assets.archive.prefixes import PrefixCut, PrefixError
from dicom_assets.delta.lake import Lake
from dicom_assets.delta.origin import run_id_of, with_run_id
from dicom_assets.extract.extractor import Extractor
from dicom_assets.extract.headers import with_more_columns
from dicom_assets.extract.model import DEFAULT_EXTRACTORS, CatalogModel
from dicom_assets.extract.own_columns import PromotedColumn
from dicom_assets.pipeline.catalog import CatalogStep
from dicom_assets.pipeline.converge import converge
from dicom_assets.pipeline.deletions import DeletionGuard, MassDeletionError
from dicom_assets.pipeline.difference import UpdateMode
from dicom_assets.pipeline.engine import Engine
from dicom_assets.pipeline.extraction import ExtractionStep
from dicom_assets.pipeline.head_check import presume_other
from dicom_assets.pipeline.index import IndexStep
from dicom_assets.pipeline.own_columns import settle_columns
from dicom_assets.pipeline.ownership import claim
from dicom_assets.pipeline.plan import Outcome
from dicom_assets.pipeline.rollup.step import RollupStep
from dicom_assets.spark.engine import SparkEngine
from dicom_assets.spark.session import spark_session
from dicom_assets.storage.addresses import absolute
from dicom_assets.tables import FILE_INDEX

PREFIXES_PER_UPDATE = 50
"""How many prefixes are taken together: one pass and one commit a table for all of them."""

_HOW = "call update_catalog with allow_mass_deletion=True"


@dataclass(frozen=True, slots=True)
class CatalogUpdate:
    """What an update did.

    Attributes
    ----------
    outcomes
        For each group of prefixes, what was done to each table, by name.
    unlisted
        Why a prefix, or a folder above the prefixes, could not be listed whole. What could not be listed was left as it
        was in the tables.
    run_id
        What the rows that it made say of who made them: ``catalog.lineage_of_run`` tells of it.

    """

    outcomes: Sequence[Mapping[str, Outcome]]
    unlisted: Sequence[str] = field(default=())
    run_id: str = ""

    @property
    def files(self) -> int:
        """Number of files that the catalog holds of the prefixes that were looked at."""
        index = [group[FILE_INDEX.name] for group in self.outcomes]
        return sum(sum(counts.values()) for done in index for counts in (done.added, done.changed, done.kept))

    @property
    def committed(self) -> bool:
        """Whether any table has a new version."""
        return any(outcome.committed for group in self.outcomes for outcome in group.values())


def update_catalog(  # noqa: PLR0913 - two places, and options that most leave alone
    source: Archive | str,
    lake: Lake | str,
    *,
    prefixes: Sequence[str] | None = None,
    prefix_depth: int = 1,
    containers: bool = True,
    prefix_chars: int = 0,
    mode: UpdateMode = UpdateMode.SYNC,
    extractors: Sequence[Extractor] = DEFAULT_EXTRACTORS,
    columns: Iterable[PromotedColumn | str] = (),
    allow_mass_deletion: bool = False,
    engine: Engine | None = None,
    metadata: Mapping[str, str] | None = None,
) -> CatalogUpdate:
    """Bring the catalog of an archive up to date.

    What changed is found by listing the archive and comparing; only that is read. A damaged file is a row, never an
    error. Killed at any moment and called again, it ends the same.

    Parameters
    ----------
    source
        The archive, or the folder or bucket URI of its files.
    lake
        The lake, or the folder or bucket URI of its tables.
    prefixes
        Update these only; by default all that the archive has, and those that the catalog still holds.
    prefix_depth
        How many directories below the source make a prefix, where the source is given by its place.
    containers
        Whether ZIP and TAR files are looked into, where the source is given by its place.
    prefix_chars
        How many characters of the last of them count, 0 for all: then all folders that begin alike are one prefix.
    mode
        How rows of removed files, and rows that are up to date, are treated.
    extractors
        What is extracted of each file.
    columns
        More attributes with a column of their own, such as ``"Weight=PatientWeight:number"``. The catalog keeps them:
        those of earlier updates stay, see :mod:`dicom_assets.pipeline.own_columns`.
    allow_mass_deletion
        Let go of files whose removal looks like a fault of the archive.
    engine
        Where the work runs; by default in this process where it is small, else on Spark.
    metadata
        Kept in the commits. Under ``dagster/run_id``, the id of a run that the rows say they come from; by default,
        each update has an id of its own.

    Raises
    ------
    UserError
        Source, lake, prefixes, extractors or columns cannot be meant, or so many files are gone that it is refused.
    InfrastructureError, OSError
        Archive or lake cannot be reached.

    """
    tables = Lake(absolute(lake)) if isinstance(lake, str) else lake
    if isinstance(source, str):
        cut = PrefixCut(prefix_depth, prefix_chars)
        source = open_archive(source, cut, lake=tables.root, containers=containers)
    configured = CatalogModel(with_more_columns(extractors, columns))
    archive = claim(tables, source)
    model = settle_columns(tables, configured)
    archive.check()
    listed = archive.prefixes()
    held = tables.file_list(FILE_INDEX).prefixes
    if held and not listed.found and not listed.unlisted and not allow_mass_deletion:
        raise MassDeletionError(f"there is nothing at {archive.root}, and there was before. If that is meant, {_HOW}.")
    chosen = sorted({*listed.found, *held}) if prefixes is None else _checked(archive, prefixes)
    guard = None if allow_mass_deletion else DeletionGuard(how=_HOW)
    said = with_run_id(metadata or {})
    run = _Update(tables, archive, model, mode, guard, engine or SparkEngine(spark_session), said)
    outcomes, unlisted = [], list(listed.unlisted) if prefixes is None else []
    groups = [chosen[start : start + PREFIXES_PER_UPDATE] for start in range(0, len(chosen), PREFIXES_PER_UPDATE)]
    if len(groups) > 1:
        run.check_losses(groups)
    for group in groups:
        done, reasons = run.group(group)
        outcomes.append(done)
        unlisted += reasons
    return CatalogUpdate(outcomes, tuple(dict.fromkeys(unlisted)), run_id_of(said) or "")


def _checked(archive: Archive, prefixes: Sequence[str]) -> list[str]:
    """Return prefixes in order; raises ``PrefixError`` for what can be none of the archive."""
    if isinstance(prefixes, str):
        raise PrefixError(f"prefixes is the text {prefixes!r}; give a list of prefixes")
    for prefix in prefixes:
        archive.cut.place(prefix)
    return sorted(set(prefixes))


@dataclass(frozen=True, slots=True)
class _Update:
    """One call: all steps, over groups of prefixes."""

    lake: Lake
    archive: Archive
    model: CatalogModel
    mode: UpdateMode
    guard: DeletionGuard | None
    engine: Engine
    metadata: Mapping[str, str]

    @property
    def run_id(self) -> str | None:
        """What rows say of who made them."""
        return run_id_of(self.metadata)

    def check_losses(self, groups: Sequence[Sequence[str]]) -> None:
        """Raise ``MassDeletionError`` when all groups together lose too much, before any of them is updated."""
        if self.guard is None or self.mode is UpdateMode.APPEND:
            return
        gone = 0
        for prefixes in groups:
            archive = glancing(self.archive)
            plan = IndexStep(self.lake, archive, prefixes, self.mode, self.guard, presume_other).plan()
            gone += sum(plan.gone.values())
        known = self.lake.file_list(FILE_INDEX).rows_by_prefix()
        self.guard.check_whole(sum(known.values()), gone)

    def group(self, prefixes: Sequence[str]) -> tuple[dict[str, Outcome], list[str]]:
        """Return what was done to the tables, and why prefixes were not listed whole."""
        index = converge(
            IndexStep(self.lake, self.archive, prefixes, self.mode, self.guard, run_id=self.run_id),
            self.engine,
            self.metadata,
        )
        outcomes = dict(index.outcomes)
        for converged in self._derived(prefixes):
            outcomes |= converged
        return outcomes, list(index.plans[-1].listings.unlisted.values())

    def _derived(self, prefixes: Sequence[str]) -> Iterator[Mapping[str, Outcome]]:
        extraction = ExtractionStep(self.lake, self.archive, self.model.extractors, prefixes, self.mode, self.run_id)
        yield converge(extraction, self.engine, self.metadata).outcomes
        catalog = CatalogStep(self.lake, prefixes, self.mode, self.model, self.run_id)
        yield converge(catalog, self.engine, self.metadata).outcomes
        if self.model.rollups:
            rollups = RollupStep(self.lake, prefixes, self.mode, self.model, self.run_id)
            yield converge(rollups, self.engine, self.metadata).outcomes

"""``dicom-assets catalog``: from an archive to tables, through Dagster."""

import time
from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass, field, replace
from functools import partial

from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, MofNCompleteColumn, Progress, SpinnerColumn, TaskID, TextColumn, TimeElapsedColumn
from rich.table import Table as Grid

from dicom_assets.archive.base import Archive, Prefixes
from dicom_assets.archive.identity import Witness
from dicom_assets.archive.many_prefixes import too_many
from dicom_assets.archive.prefixes import PrefixError
from dicom_assets.cli.destination import tell_programs
from dicom_assets.cli.errors import stderr, tell
from dicom_assets.cli.interrupts import ended_by_signals
from dicom_assets.cli.places import Places
from dicom_assets.delta.lake import Lake
from dicom_assets.delta.location import LakeError
from dicom_assets.errors import InfrastructureError
from dicom_assets.extract.model import DEFAULT_MODEL, CatalogModel
from dicom_assets.orchestration.assets.progress import listening
from dicom_assets.orchestration.definitions import build_definitions
from dicom_assets.orchestration.launch import Launcher, PlannedRun
from dicom_assets.orchestration.partitions import check_prefixes
from dicom_assets.orchestration.resources.spark import SparkResource
from dicom_assets.pipeline.deletions import BY_OPTION, DeletionGuard, MassDeletionError
from dicom_assets.pipeline.difference import UpdateMode
from dicom_assets.pipeline.move import move_source
from dicom_assets.pipeline.move_prefixes import move_prefixes
from dicom_assets.pipeline.own_columns import settle_columns, stored_model
from dicom_assets.pipeline.ownership import claim
from dicom_assets.pipeline.pending import Pending, find_pending
from dicom_assets.query.database import Catalog
from dicom_assets.query.summary import Count, summarize
from dicom_assets.query.visible import visible
from dicom_assets.tables import FILE_INDEX

stdout = Console()
_SHOWN = 5


@dataclass(frozen=True, slots=True)
class CatalogCommand:
    """What the user asked for."""

    places: Places
    prefixes: tuple[str, ...]
    mode: UpdateMode = UpdateMode.SYNC
    allow_mass_deletion: bool = False
    move_source: bool = False
    move_prefixes: bool = False
    model: CatalogModel = DEFAULT_MODEL
    spark: SparkResource = field(default_factory=SparkResource)
    json: bool = False

    @property
    def console(self) -> Console:
        """Where what happens is shown: beside the result, where that is JSON."""
        return stderr if self.json else stdout


@ended_by_signals()
def run_catalog(command: CatalogCommand, launcher: Launcher) -> bool:
    """Bring the catalog up to date, say what was done, and return whether nothing failed or was left out."""
    started = time.monotonic()
    lake = command.places.lake_resource.open()
    named = command.places.archive_resource.open(lake.root)
    if command.move_source:
        _move(command, lake, named)
    if command.move_prefixes:
        _move_prefixes(command, lake, named, launcher)
    archive = claim(lake, named)
    command = replace(command, model=settle_columns(lake, command.model))
    with command.console.status("Listing the archive..."):
        witness = Witness.of(archive, ())
        present = archive.prefixes()
        if many := too_many(present.found, archive.cut):
            tell(f"{many}.")
        prefixes = _prefixes(command, archive, present, lake)
        found = _pending(command, archive, lake, prefixes)
    left_out = [] if command.prefixes else list(present.unlisted)
    left_out += [entry.unlisted for entry in found if entry.unlisted]
    pending = [entry for entry in found if entry.due]
    runs = launcher.plan(prefixes, pending)
    ran = _run_all(command, launcher, runs, partial(_confirm, witness, archive, lake)) if runs else _Ran()
    done = [entry for entry in pending if entry.prefix not in ran.failed]
    conclude = _conclude_for_programs if command.json else _conclude
    if not ran.lake_lost:
        conclude(lake, done, time.monotonic() - started)
    _complain(ran.failed, left_out or ran.left_out)
    return not (ran.failed or left_out or ran.left_out)


@dataclass(slots=True)
class _Ran:
    """How the runs ended.

    Attributes
    ----------
    failed
        Prefixes of those that failed, or were not started.
    left_out
        What others could not list.
    lake_lost
        Whether the lake could not be reached in the end.

    """

    failed: set[str] = field(default_factory=set)
    left_out: list[str] = field(default_factory=list)
    lake_lost: bool = False


def _confirm(witness: Witness, archive: Archive, lake: Lake) -> None:
    """Raise :class:`InfrastructureError` unless the archive is the one that was listed, and the lake can be reached."""
    witness.confirm(archive)
    lake.location(FILE_INDEX).exists()


def _complain(failed: Collection[str], unlisted: Iterable[str]) -> None:
    """Say what was left out."""
    reasons = list(dict.fromkeys(unlisted))
    for reason in reasons[:_SHOWN]:
        tell(f"Not listed whole: {reason}")
    if len(reasons) > _SHOWN:
        tell(f"... and {len(reasons) - _SHOWN} more")
    if reasons:
        tell("What could not be listed was left as it was in the tables.")
    if failed:
        tell(f"{len(failed)} prefixes are not up to date; run again when the cause is mended.")


def _move(command: CatalogCommand, lake: Lake, archive: Archive) -> None:
    """Make the catalog follow its archive, and say so."""
    with command.console.status("Rewriting paths..."):
        moved = move_source(
            lake,
            archive,
            stored_model(lake, command.model).tables,
            command.spark.engine(),
            unseen=command.allow_mass_deletion,
        )
    done = f"The catalog follows its source from {moved.old} to {moved.new}." if moved else "The source has not moved."
    command.console.print(visible(done), soft_wrap=True, highlight=False, markup=False)


def _move_prefixes(command: CatalogCommand, lake: Lake, archive: Archive, launcher: Launcher) -> None:
    """Move the rows of the catalog to other prefixes, let the partitions follow, and say so."""
    with command.console.status("Moving rows to their new prefixes..."):
        moved = move_prefixes(lake, archive, stored_model(lake, command.model), command.spark.engine())
    done = "The prefixes are those of the catalog."
    if moved:
        launcher.forget_all_but(lake.file_list(FILE_INDEX).prefixes)
        done = f"The catalog has prefixes of {moved.new}, no longer of {moved.old}; no file was read."
    command.console.print(visible(done), soft_wrap=True, highlight=False, markup=False)


def _prefixes(command: CatalogCommand, archive: Archive, listed: Prefixes, lake: Lake) -> list[str]:
    """Return the prefixes asked for, by default those of the archive and those that the index still holds."""
    present, held = set(listed), set(lake.file_list(FILE_INDEX).prefixes)
    if held and not present and not listed.unlisted and not command.allow_mass_deletion:
        # A bucket has no folders: one whose name is mistyped is listed as empty.
        raise MassDeletionError(
            f"there is nothing at {archive.root}, and there was before. If that is meant, run again with "
            "--allow-mass-deletion."
        )
    known = present | held
    if not command.prefixes:
        return sorted(known)
    check_prefixes(archive, command.prefixes)
    unknown = sorted(set(command.prefixes) - known)
    if unknown and not listed.unlisted:
        raise PrefixError(f"prefix {unknown[0]!r} is neither in the archive nor in the tables")
    return sorted(set(command.prefixes))


def _pending(command: CatalogCommand, archive: Archive, lake: Lake, prefixes: Sequence[str]) -> list[Pending]:
    refuses = not command.allow_mass_deletion and command.mode is not UpdateMode.APPEND
    guard = DeletionGuard(how=BY_OPTION) if refuses else None
    found = find_pending(lake, archive, command.model, prefixes, command.mode, guard)
    if guard is not None:
        known = lake.file_list(FILE_INDEX).rows_by_prefix()
        guard.check_whole(sum(known.values()), sum(entry.gone for entry in found))
    return found


def _run_all(
    command: CatalogCommand, launcher: Launcher, runs: Sequence[PlannedRun], confirm: Callable[[], None]
) -> _Ran:
    """Execute the runs one after the other, with a progress bar.

    Parameters
    ----------
    command, launcher, runs
        What is executed.
    confirm
        Raises :class:`InfrastructureError` where archive or lake are gone: asked after a run that failed.

    """
    places = command.places
    definitions = build_definitions(
        places.archive_resource, places.lake_resource, command.spark, extractors=command.model.extractors
    )
    ran = _Ran()
    with Progress(
        SpinnerColumn(),
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("files"),
        TimeElapsedColumn(),
        console=command.console,
    ) as progress:
        bar = progress.add_task("Cataloging", total=sum(run.files for run in runs))
        done = 0
        for number, run in enumerate(runs, 1):
            progress.update(bar, description=f"Run {number} of {len(runs)}", completed=done)
            follow = partial(_advance, progress, bar, done, run.files)
            with listening(follow):
                report = launcher.execute(
                    definitions, run, command.mode, allow_mass_deletion=command.allow_mass_deletion
                )
            if report.interrupted:
                tell("Interrupted. The tables are as their last commit left them; run again to go on.", "yellow")
                raise KeyboardInterrupt
            done += run.files
            progress.update(bar, completed=done)
            ran.left_out += report.unlisted
            if not report.succeeded:
                ran.failed.update(run.prefixes)
                for line in report.failures:
                    tell(f"Run {report.run_id} failed in {line}")
                try:
                    confirm()
                except InfrastructureError as error:
                    _give_up(ran, error, runs[number:])
                    break
    return ran


def _give_up(ran: _Ran, error: InfrastructureError, left: Sequence[PlannedRun]) -> None:
    """Say why no other run could succeed either, and count those that are left as failed."""
    more = f" {len(left)} more run{'s were' if len(left) > 1 else ' was'} not started." if left else ""
    tell(f"Gave up: {str(error).rstrip('.')}.{more}")
    ran.failed.update(prefix for run in left for prefix in run.prefixes)
    ran.lake_lost = isinstance(error, LakeError)


def _advance(progress: Progress, bar: TaskID, done: int, files: int, share: float) -> None:
    """Show that a share of a run's files is done, after those of earlier runs."""
    # A pass that another run made anew begins again: a bar does not go back.
    progress.update(bar, completed=max(progress.tasks[bar].completed, done + int(share * files)))


def _conclude(lake: Lake, done: Sequence[Pending], seconds: float) -> None:
    """Say what the catalog holds, what was done and where the tables are."""
    files, removed = (sum(getattr(entry, name) for entry in done) for name in ("files", "removed"))
    if not done:
        stdout.print(f"Nothing was changed; looked in {seconds:.1f} s.")
    elif not (files or removed):
        stdout.print(f"Tables brought up to date in {seconds:.1f} s; no file has changed.")
    else:
        gone = f", rows of {removed} removed" if removed else ""
        rate = f", {files / seconds:.0f} files per second" if files > seconds else ""
        stdout.print(f"{files} file{'' if files == 1 else 's'} cataloged{gone} in {seconds:.1f} s{rate}.")
    summary = summarize(Catalog(lake))
    stdout.print(f"The catalog holds {summary.files} files.")
    grid = Grid(box=None, padding=(0, 3, 0, 0))
    for title, counts in (
        ("Metadata", summary.metadata_status),
        ("Header", summary.header_status),
        ("Thumbnail", summary.thumbnail_status),
    ):
        grid.add_row(title, "  ".join(_shown(count) for count in counts))
    stdout.print(grid)
    stdout.print(visible(f"Tables: {lake.root}/{lake.schema}"), soft_wrap=True, highlight=False, markup=False)


def _conclude_for_programs(lake: Lake, done: Sequence[Pending], seconds: float) -> None:
    """Say the same in JSON."""
    summary = summarize(Catalog(lake))
    told = {
        "cataloged": sum(entry.files for entry in done),
        "removed": sum(entry.removed for entry in done),
        "seconds": round(seconds, 3),
        "files": summary.files,
        "metadata_status": {count.value: count.files for count in summary.metadata_status},
        "header_status": {count.value: count.files for count in summary.header_status},
        "thumbnail_status": {count.value: count.files for count in summary.thumbnail_status},
        "tables": f"{lake.root}/{lake.schema}",
    }
    tell_programs(told)


def _shown(count: Count) -> str:
    return escape(visible(f"{count.value or 'missing'} {count.files}"))

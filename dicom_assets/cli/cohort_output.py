"""What the commands of cohorts print: for people, or JSON."""

import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import pyarrow as pa
from rich.console import Console
from rich.progress import (
    BarColumn,
    DownloadColumn,
    MofNCompleteColumn,
    Progress,
    TextColumn,
    TimeRemainingColumn,
    TransferSpeedColumn,
)

from dicom_assets.cli.destination import tell_programs
from dicom_assets.cohorts.compare import Comparison
from dicom_assets.cohorts.create import Made
from dicom_assets.cohorts.export import Exported
from dicom_assets.cohorts.record import Counts, Record
from dicom_assets.cohorts.verify import Progress as Advance
from dicom_assets.cohorts.verify import Verification
from dicom_assets.query.labels import file_size
from dicom_assets.query.visible import visible

_SHOWN = 20
"""Lines of a list; JSON has all."""


def say(line: str) -> None:
    """Write one line to standard output, with what does not print made visible."""
    sys.stdout.write(f"{visible(line)}\n")


def _amount(counts: Counts) -> str:
    return (
        f"{counts.files:,} files ({file_size(counts.bytes)}), {counts.series:,} series, {counts.studies:,} studies, "
        f"{counts.patients:,} patients"
    )


def print_made(made: Made, *, json: bool) -> None:
    """Tell which version holds what was chosen, and how much that is."""
    record = made.record
    if json:
        tell_programs({**record.told(), "is_new": made.is_new})
        return
    note = "" if made.is_new else " (not new: its members are the same)"
    say(f"{record.reference}: {_amount(record.counts)}{note}")
    for name, counts in record.splits.items():
        say(f"  {name}: {_amount(counts)}")


def print_list(records: Sequence[Record], *, json: bool) -> None:
    """Tell of each cohort what its latest version holds."""
    if json:
        tell_programs([record.told() for record in records])
        return
    if not records:
        say("there is no cohort yet: make one with `dicom-assets cohort create`")
    for record in records:
        say(f"{record.reference}  {record.made_at:%Y-%m-%d %H:%M}  {_amount(record.counts)}")


def print_record(record: Record, versions: Sequence[Record], *, json: bool) -> None:
    """Tell all of one version, and the numbers of the others."""
    if json:
        tell_programs({**record.told(), "versions": [version.told() for version in versions]})
        return
    recipe = record.recipe
    lines = {
        "cohort": str(record.reference),
        "made": f"{record.made_at:%Y-%m-%d %H:%M:%S} UTC by {record.run_id}",
        "where": " ".join(recipe.where.split()),
        "level": f"{recipe.level}, over {record.over}",
        "tables": ", ".join(f"{name}@{version}" for name, version in record.tables.items()),
        "holds": _amount(record.counts),
        **{f"  {name}": _amount(counts) for name, counts in record.splits.items()},
        "digest": record.digest,
        "versions": ", ".join(str(version.version) for version in versions),
    }
    if recipe.split is not None:
        lines["split"] = f"{recipe.split} by {recipe.split.by}, seed {recipe.split.seed}"
    width = max(map(len, lines))
    for name, text in lines.items():
        say(f"{name:{width}}  {text}")


def print_verification(record: Record, found: Verification, *, json: bool) -> None:
    """Tell which members are not as they were."""
    if json:
        told = {"cohort": str(record.reference), "members": found.members, "counts": dict(found.counts)}
        tell_programs({**told, "index_version": found.index_version, "rows": found.rows.to_pylist()})
        return
    say(f"{record.reference}: {found}")
    _say_rows(found.rows, "fate")


def print_comparison(found: Comparison, *, json: bool) -> None:
    """Tell which members differ."""
    if json:
        tell_programs({"counts": dict(found.counts), "same": found.same, "rows": found.rows.to_pylist()})
        return
    say(str(found))
    _say_rows(found.rows, "difference")


def print_exported(record: Record, done: Exported, folder: Path, *, json: bool) -> None:
    """Tell what was written, and what was left out."""
    if json:
        told = {"files": done.files, "bytes": done.bytes, "present": done.present, "manifest": str(done.manifest)}
        tell_programs({"cohort": str(record.reference), **told, "left_out": done.left_out.to_pylist()})
        return
    there = f", {done.present:,} were there" if done.present else ""
    say(f"{record.reference}: {done.files:,} files ({file_size(done.bytes)}) written to {folder.absolute()}{there}")
    if done.left_out.num_rows:
        say(f"{done.left_out.num_rows:,} files are not what they were, and are left out:")
        _say_rows(done.left_out, "fate")


def _say_rows(rows: pa.Table, what: str) -> None:
    shown = rows.slice(0, _SHOWN)
    for kind, path in zip(shown[what].to_pylist(), shown["path"].to_pylist(), strict=True):
        say(f"  {kind}  {path}")
    if rows.num_rows > _SHOWN:
        say(f"  {rows.num_rows - _SHOWN:,} more; --json has all")


@contextmanager
def looking(counts: Counts, *, shown: bool) -> Iterator[Advance]:
    """Show how many files were looked at, on standard error where that is a terminal."""
    columns = (TextColumn("Looking"), BarColumn(), MofNCompleteColumn(), TextColumn("files"), TimeRemainingColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True, disable=not shown) as progress:
        task = progress.add_task("", total=counts.files)
        yield lambda files, _: progress.advance(task, files)


@contextmanager
def exporting(counts: Counts) -> Iterator[Advance]:
    """Show how many bytes are in place, on standard error where that is a terminal."""
    columns = (TextColumn("Exporting"), BarColumn(), DownloadColumn(), TransferSpeedColumn(), TimeRemainingColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as progress:
        task = progress.add_task("", total=counts.bytes)
        yield lambda _, size: progress.advance(task, size)

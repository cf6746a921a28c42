"""A cohort as files in folders: patient, study, series. Killed at any moment, it goes on where it stopped."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import orjson
import pyarrow as pa
import pyarrow.compute as pc
from filelock import FileLock, Timeout

from dicom_assets.archive.base import Archive
from dicom_assets.archive.containers.kinds import stored_file
from dicom_assets.cohorts.copying import Mode, is_there, place
from dicom_assets.cohorts.errors import ExportError, FolderError
from dicom_assets.cohorts.manifest import FILE, write_manifest
from dicom_assets.cohorts.members import Member, members_of
from dicom_assets.cohorts.names import targets
from dicom_assets.cohorts.opened import side_by_side
from dicom_assets.cohorts.record import Record
from dicom_assets.cohorts.verify import Fate, Progress, Verification, fate_of, with_fates
from dicom_assets.storage.addresses import is_remote
from dicom_assets.tables import KEY

MANIFEST = "manifest.csv"
_OURS = ".dicom-assets"
"""Folder in an export of what is no member: whose export it is, the lock, unfinished files."""


@dataclass(frozen=True, slots=True)
class Exported:
    """What an export did.

    Attributes
    ----------
    files, bytes
        Written now.
    present
        Files that were in place already.
    left_out
        Members whose files are not what they were, as :data:`~dicom_assets.cohorts.verify.FATES`.
    manifest
        The list of what is there.

    """

    files: int
    bytes: int
    present: int
    left_out: pa.Table
    manifest: Path


@dataclass(frozen=True, slots=True)
class Task:
    """What is exported, and where to.

    Attributes
    ----------
    record, rows
        The version of the cohort, and its members with the paths that they have now.
    archive
        Where the files are.
    folder
        Where they go: one that is new or empty, or has an export of the same members.
    mode
        How.

    """

    record: Record
    rows: pa.Table
    archive: Archive
    folder: Path
    mode: Mode = Mode.COPY


def export(task: Task, known: Verification, progress: Progress | None = None) -> Exported:
    """Write the files of a cohort and a manifest of them.

    Parameters
    ----------
    task
        What, where to, and how.
    known
        What the catalog says of the members: those that are not as they were are left out.
    progress
        Is told of each file.

    Raises
    ------
    ExportError
        The folder is not free, or files cannot be linked.
    FolderError
        The folder cannot be written.
    ArchiveError
        The archive as a whole is out of reach.

    """
    if task.mode is not Mode.COPY:
        _refuse_links(task)
    task.archive.check()
    listed = task.rows.append_column(FILE, pa.array(targets(task.rows), pa.string()))
    left = known.unharmed(listed)
    with _held(task) as parts:
        outcomes = _place_all(task, left, parts, progress)
        done = pa.array(outcomes, pa.string())
        failed = pc.is_in(done, value_set=pa.array([str(fate) for fate in Fate]))
        found = with_fates(known, task.archive, left, pc.if_else(failed, done, pa.scalar(None, pa.string())))
        there = left.filter(pc.invert(failed))
        manifest = task.folder / MANIFEST
        write_manifest(there, manifest)
    written = left.filter(pc.equal(done, _WRITTEN))
    return Exported(
        written.num_rows,
        pc.sum(written["size"]).as_py() or 0,
        there.num_rows - written.num_rows,
        found.rows,
        manifest,
    )


def _refuse_links(task: Task) -> None:
    """Refuse to link what is no file of a file system."""
    if is_remote(task.archive.root):
        raise ExportError("objects of a bucket cannot be linked, only copied")
    packed = sum(stored_file(path) != path for path in task.rows[KEY].to_pylist())
    if packed:
        raise ExportError(f"{packed:,} files of the cohort are in ZIP or TAR files: they cannot be linked, only copied")


_WRITTEN, _PRESENT = "written", "present"


def _place_all(task: Task, rows: pa.Table, parts: Path, progress: Progress | None) -> list[str]:
    """Put all files in place; returns of each whether it was written, was present, or what became of it."""

    def place_one(work: tuple[Member, str]) -> tuple[str, int]:
        member, name = work
        target = task.folder / name
        if is_there(target, member, task.mode):
            return _PRESENT, member.size
        try:
            place(task.archive, member, target, task.mode, parts)
        except OSError as error:
            return str(fate_of(error)), 0
        return _WRITTEN, member.size

    outcomes = []
    for outcome, size in side_by_side(place_one, zip(members_of(rows), rows[FILE].to_pylist(), strict=True)):
        outcomes.append(outcome)
        if progress is not None:
            progress(1, size)
    return outcomes


@contextmanager
def _held(task: Task) -> Iterator[Path]:
    """Take a folder for this export alone, and yield where unfinished files go."""
    ours = task.folder / _OURS
    lock, parts = FileLock(ours / "lock", blocking=False), ours / "parts"
    try:
        _refuse_others(task, ours / "cohort.json")
        ours.mkdir(parents=True, exist_ok=True)
        lock.acquire()
        shutil.rmtree(parts, ignore_errors=True)  # of an export that was killed
        parts.mkdir()
        _mark(task, ours / "cohort.json", parts)
    except Timeout as error:
        raise ExportError(f"another export is writing to {task.folder}") from error
    except OSError as error:
        lock.release()
        raise FolderError(f"{task.folder} cannot be written: {error.strerror or error}") from error
    try:
        yield parts
    finally:
        shutil.rmtree(parts, ignore_errors=True)
        lock.release()


def _refuse_others(task: Task, marker: Path) -> None:
    """Refuse a folder with anything in it but an export of the same members in the same way."""
    if not task.folder.exists():
        return
    if not task.folder.is_dir():
        raise ExportError(f"{task.folder} is a file; name a folder")
    if not marker.exists():
        if any(entry.name != _OURS for entry in task.folder.iterdir()):
            raise ExportError(f"{task.folder} is not empty, and holds no export of a cohort: name a new folder")
        return
    try:
        held = orjson.loads(marker.read_bytes())
    except orjson.JSONDecodeError:
        held = {}
    if (held.get("digest"), held.get("mode")) != (task.record.digest, str(task.mode)):
        other = f"{held.get('cohort', 'another cohort')} by {held.get('mode', 'another mode')}"
        raise ExportError(f"{task.folder} holds an export of {other}: name a new folder")


def _mark(task: Task, marker: Path, parts: Path) -> None:
    """Say whose export a folder holds."""
    part = parts / marker.name
    told = {"cohort": str(task.record.reference), "digest": task.record.digest, "mode": str(task.mode)}
    part.write_bytes(orjson.dumps(told))
    part.replace(marker)

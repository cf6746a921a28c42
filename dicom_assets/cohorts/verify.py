"""What has become of the files of a cohort: which have changed since, and which are gone."""

import errno
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from functools import partial

import pyarrow as pa
import pyarrow.compute as pc
from deltalake.exceptions import TableNotFoundError

from dicom_assets.archive.base import Archive, ArchiveError
from dicom_assets.archive.sources import read, rebased
from dicom_assets.archive.versions import FileChangedError
from dicom_assets.cohorts.errors import CohortError
from dicom_assets.cohorts.members import Member, members_of
from dicom_assets.cohorts.opened import opened, side_by_side
from dicom_assets.delta.lake import Lake
from dicom_assets.pipeline.ownership import MOVED
from dicom_assets.storage.addresses import shown
from dicom_assets.tables import FILE_INDEX, KEY, PARTITION, SOURCE

Progress = Callable[[int, int], None]
"""Is told of each file that is done: files and bytes since the last call."""


class Fate(StrEnum):
    """What has become of a member that is not as it was."""

    CHANGED = "changed"
    """There is another version of the file."""
    GONE = "gone"
    """There is no file at its path any more."""
    UNREADABLE = "unreadable"
    """The file is there, and cannot be read: told only where files are looked at."""


FATES = pa.schema(
    [
        (KEY, pa.string()),
        ("SOPInstanceUID", pa.string()),
        ("fate", pa.string()),
        ("fingerprint", pa.string()),
        ("found", pa.string()),
    ]
)
"""Of members that are not as they were: ``found`` is the fingerprint that the catalog has now, if any."""


@dataclass(frozen=True, slots=True)
class Verification:
    """What has become of a cohort.

    Attributes
    ----------
    members
        How many it has.
    rows
        Those that are not as they were, as :data:`FATES`, in their order.
    index_version
        Version of ``file_index`` that they were compared with.

    """

    members: int
    rows: pa.Table
    index_version: int

    @property
    def ok(self) -> bool:
        """Whether all members are as they were."""
        return not self.rows.num_rows

    @property
    def counts(self) -> Mapping[str, int]:
        """How many members have each fate; those that none has are left out."""
        counted = pc.value_counts(self.rows["fate"]).to_pylist()
        return {entry["values"]: entry["counts"] for entry in counted}

    def unharmed(self, rows: pa.Table) -> pa.Table:
        """Return those of some members that are as they were."""
        return rows.filter(pc.invert(pc.is_in(rows[KEY], value_set=self.rows[KEY].combine_chunks())))

    def __str__(self) -> str:
        """Return the counts in words."""
        if self.ok:
            return f"all {self.members:,} members are as they were"
        told = ", ".join(f"{count:,} {fate}" for fate, count in sorted(self.counts.items()))
        return f"of {self.members:,} members, {told}"


def at_present(rows: pa.Table, lake: Lake, source: str) -> pa.Table:
    """Return members with the paths that they have by now: an archive may have been moved, and its catalog after it.

    Parameters
    ----------
    rows
        Of members, with their ``path``.
    lake
        Of the catalog.
    source
        Root that the paths are below, in text.

    """
    location = lake.location(FILE_INDEX)
    now = location.open().metadata().configuration.get(SOURCE, "") if location.exists() else ""
    if not source or not now or now == source:
        return rows
    old, new = read(source), read(now)
    moved = pa.array([rebased(path, old, new) for path in rows[KEY].to_pylist()], pa.string())
    return rows.set_column(rows.schema.get_field_index(KEY), KEY, moved)


def verify_against_index(rows: pa.Table, lake: Lake) -> Verification:
    """Compare members with ``file_index`` as it is now: as exact as the catalog is up to date, and reads no file.

    Parameters
    ----------
    rows
        Members, their paths as :func:`at_present` gives them.
    lake
        Of the catalog.

    Raises
    ------
    CohortError
        There is no index to compare with.

    """
    try:
        snapshot = lake.snapshot(FILE_INDEX)
    except TableNotFoundError as error:
        raise CohortError(
            f"there is no {FILE_INDEX.name} at {lake.location(FILE_INDEX).uri} to compare with"
        ) from error
    prefixes = frozenset(pc.unique(rows[PARTITION]).to_pylist())
    # Members say where they stood when they were chosen: where rows have moved since, that leads nowhere.
    files = [file for file in snapshot.files if MOVED in snapshot.properties or file.prefix in prefixes]
    names = [KEY, "fingerprint", "removed_at"]
    schema = pa.schema([FILE_INDEX.schema.field(name) for name in names])
    held = pa.Table.from_batches([batch for _, batch in snapshot.rows(names, files)], schema)
    held = held.filter(pc.is_null(held["removed_at"]))
    places = pc.index_in(rows[KEY].combine_chunks(), value_set=held[KEY].combine_chunks())
    found = held["fingerprint"].combine_chunks().take(places)
    same = pc.fill_null(pc.equal(found, rows["fingerprint"]), fill_value=False)
    fate = pc.if_else(pc.is_null(places), str(Fate.GONE), str(Fate.CHANGED))
    told = pa.table([rows[KEY], rows["SOPInstanceUID"], fate, rows["fingerprint"], found], schema=FATES)
    return Verification(rows.num_rows, told.filter(pc.invert(same)), snapshot.version)


def verify_files(
    rows: pa.Table, archive: Archive, known: Verification, progress: Progress | None = None
) -> Verification:
    """Look at the files themselves, too: of those that the catalog still has, each is opened.

    Parameters
    ----------
    rows, archive
        Members, and where their files are.
    known
        What the catalog says.
    progress
        Is told of each file.

    Raises
    ------
    ArchiveError
        The archive as a whole is out of reach.

    """
    archive.check()
    left = known.unharmed(rows)
    fates = []
    for fate in side_by_side(partial(_look, archive), members_of(left)):
        fates.append(fate and str(fate))
        if progress is not None:
            progress(1, 0)
    return with_fates(known, archive, left, pa.array(fates, pa.string()))


def with_fates(known: Verification, archive: Archive, looked_at: pa.Table, fates: pa.Array) -> Verification:
    """Return what the catalog says of members, and what was found where their files were looked at.

    Parameters
    ----------
    known
        What the catalog says.
    archive
        Where the files should be.
    looked_at
        The members whose files were looked at.
    fates
        What became of each of them, null where it is as it was.

    Raises
    ------
    ArchiveError
        The archive as a whole is out of reach.

    """
    found = pa.nulls(looked_at.num_rows, pa.string())
    told = [looked_at[KEY], looked_at["SOPInstanceUID"], fates, looked_at["fingerprint"], found]
    more = pa.table(told, schema=FATES).filter(pc.is_valid(fates))
    _refuse_absence(archive, looked_at.num_rows, more)
    return Verification(known.members, pa.concat_tables([known.rows, more]).sort_by(KEY), known.index_version)


def _refuse_absence(archive: Archive, looked_at: int, failed: pa.Table) -> None:
    """Raise :class:`ArchiveError` where files failed because there is no archive: a share that is not mounted is empty.

    Parameters
    ----------
    archive
        Where the files should be.
    looked_at
        How many were looked at.
    failed
        Those of them that are not as they were, as :data:`FATES`.

    """
    if failed.num_rows:
        archive.check()
    gone = pc.sum(pc.equal(failed["fate"], str(Fate.GONE))).as_py() or 0
    if gone and gone == looked_at:
        raise ArchiveError(
            f"none of {gone:,} files that the catalog has is at {shown(archive.root)}: is the archive in place? If "
            "they were removed, update the catalog"
        )


def fate_of(error: OSError) -> Fate:
    """Return what an error says of the file that could not be opened or read."""
    if isinstance(error, FileChangedError):
        return Fate.CHANGED
    return Fate.GONE if error.errno in (errno.ENOENT, errno.ENOTDIR) else Fate.UNREADABLE


def _look(archive: Archive, member: Member) -> Fate | None:
    try:
        with opened(archive, member) as source:
            source.read(0, 1)  # an object store is asked by reading only
    except OSError as error:
        return fate_of(error)
    return None

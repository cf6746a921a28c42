"""The answers of lineage, as values: where rows come from, what holds a file, what a run left."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from dicom_assets.delta.history import Commit


@dataclass(frozen=True, slots=True)
class Made:
    """Who brought a row into its table, and when.

    Attributes
    ----------
    run_id
        Of the run: Dagster's, or ``update-...`` of an update without Dagster; ``None`` when neither the row nor the log
        tells.
    made_at
        When the run began to make the row; ``None`` in rows of older releases.
    version, committed_at
        Of the commit that brought it; ``None`` when the log does not tell any more.
    not_after
        Where ``version`` is unknown, the newest that it can be; ``None`` when that is unknown too.

    """

    run_id: str | None = None
    made_at: datetime | None = None
    version: int | None = None
    committed_at: datetime | None = None
    not_after: int | None = None


@dataclass(frozen=True, slots=True)
class RowLineage:
    """Where one row of one table comes from.

    Attributes
    ----------
    table, prefix
        Where it is.
    fingerprint
        Version of the source file that it was made from, ``None`` when the file could not be read.
    extractor_version
        Version of the code that made it; ``None`` in ``file_index``.
    status
        ``None`` in ``file_index``; there, ``removed`` of a file that is gone.
    made
        Who made it.

    """

    table: str
    prefix: str
    fingerprint: str | None
    extractor_version: str | None
    status: str | None
    made: Made


@dataclass(frozen=True, slots=True)
class RowGroup:
    """How many rows of a table have one origin.

    Attributes
    ----------
    table, extractor_version, made
        As in :class:`RowLineage`.
    rows
        How many.

    """

    table: str
    extractor_version: str | None
    made: Made
    rows: int


@dataclass(frozen=True, slots=True)
class Holder:
    """A table of a user that holds what was asked for.

    Attributes
    ----------
    table, column
        The table, and the column by which it does: ``path`` or ``SOPInstanceUID``.
    rows
        How many rows.
    made
        Who brought them: the newest of the commits, where there are several.
    problem
        Why the table could not be looked into; then ``rows`` is 0.

    """

    table: str
    column: str
    rows: int
    made: Made = Made()
    problem: str = ""


@dataclass(frozen=True, slots=True)
class FileLineage:
    """Where the rows of one file come from.

    Attributes
    ----------
    path
        As the tables have it.
    rows
        One for each table that has a row, in the order data walks.
    missing
        Tables without one.
    held_by
        Tables of users that hold the file.

    """

    path: str
    rows: tuple[RowLineage, ...]
    missing: tuple[str, ...]
    held_by: tuple[Holder, ...]


@dataclass(frozen=True, slots=True)
class Lineage:
    """The answer for a path or a UID.

    Attributes
    ----------
    asked
        The path or UID.
    level
        What it is: ``path``, ``SOPInstanceUID``, ``SeriesInstanceUID`` or ``StudyInstanceUID``.
    count
        How many files there are of it.
    files
        Each of them, for a path or a SOP Instance UID.
    groups, held_by
        Their rows by table and origin, and who holds some of them, for a series or a study.

    """

    asked: str
    level: str
    count: int
    files: tuple[FileLineage, ...] = ()
    groups: tuple[RowGroup, ...] = ()
    held_by: tuple[Holder, ...] = ()

    @property
    def run_ids(self) -> tuple[str, ...]:
        """Return the runs that the answer names, each once."""
        made = [row.made for file in self.files for row in file.rows] + [group.made for group in self.groups]
        made += [holder.made for file in self.files for holder in file.held_by] + [h.made for h in self.held_by]
        return tuple(dict.fromkeys(one.run_id for one in made if one.run_id is not None))

    def __str__(self) -> str:
        """Return the answer for reading."""
        from dicom_assets.query.lineage_text import lineage_text

        return lineage_text(self)


@dataclass(frozen=True, slots=True)
class RunTable:
    """What a run did to one table.

    Attributes
    ----------
    table
        Its name.
    commits
        Those of the run that the log tells of, oldest first.
    rows
        How many rows that the run made are still there, by prefix. Tables of users do not say it of rows.
    paths
        Of these rows, where they were asked for; UIDs of a table of series or studies.

    """

    table: str
    commits: tuple[Commit, ...]
    rows: Mapping[str, int]
    paths: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class RunLineage:
    """What a run wrote.

    Attributes
    ----------
    run_id
        Its whole id.
    tables
        Those that it wrote to, the catalog's first, in the order data walks.

    """

    run_id: str
    tables: tuple[RunTable, ...]

    @property
    def run_ids(self) -> tuple[str, ...]:
        """Return the run."""
        return (self.run_id,)

    def __str__(self) -> str:
        """Return the answer for reading."""
        from dicom_assets.query.lineage_text import run_text

        return run_text(self)

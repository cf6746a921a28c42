"""The commits that the log of a table still tells of: which one brought some rows, and which run made it.

Logs are shortened, so that what is not found is not necessarily nowhere: :attr:`CommitLog.oldest` says how far back the
log goes.
"""

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cached_property
from typing import Any

from deltalake import DeltaTable
from pyarrow.fs import FileSystem

from dicom_assets.delta.layout import from_log
from dicom_assets.delta.location import TableLocation
from dicom_assets.delta.origin import MADE, ROWS_MADE, ROWS_REMOVED, run_id_of
from dicom_assets.storage.retries import retry_listing

_FIRST_LOOK = 50
_CLOCKS = timedelta(hours=1)
"""How far the clocks of two writers may be apart."""
_REWRITES = re.compile(r"OPTIMIZE")


@dataclass(frozen=True, slots=True)
class Commit:
    """One commit, as the log tells of it.

    Attributes
    ----------
    version
        Of the table, from then on.
    at
        When it was made.
    operation
        What kind it is, in Delta's words.
    run_id
        Of the run that made it, ``None`` when it names none.
    made_at
        What the rows that it brought have as ``made_at``.
    rows_made, rows_removed
        How many rows it brought, and took out for good; ``None`` where it does not say.

    """

    version: int
    at: datetime
    operation: str
    run_id: str | None = None
    made_at: datetime | None = None
    rows_made: int | None = None
    rows_removed: int | None = None

    @classmethod
    def read(cls, told: Mapping[str, Any]) -> "Commit":
        """Return what delta-rs tells of a commit."""
        metadata = {name: value for name, value in told.items() if isinstance(value, str)}
        made_at = metadata.get(MADE)
        counts = (int(metadata[name]) if name in metadata else None for name in (ROWS_MADE, ROWS_REMOVED))
        return cls(
            told["version"],
            datetime.fromtimestamp(told.get("timestamp", 0) / 1000, UTC),
            told.get("operation", ""),
            run_id_of(metadata),
            None if made_at is None else datetime.fromisoformat(made_at),
            *counts,
        )


@dataclass(frozen=True, slots=True)
class Bringing:
    """The commit that added a data file.

    Attributes
    ----------
    commit
        That commit.
    made
        Whether it made the rows in the file; otherwise it may have moved them there from files that it took out.

    """

    commit: Commit
    made: bool


class CommitLog:
    """The commits of one table up to a version, newest first, read as far back as they are asked for.

    Parameters
    ----------
    location, delta
        The table, at the version up to which its commits count.

    """

    def __init__(self, location: TableLocation, delta: DeltaTable) -> None:
        self._location = location
        self._delta = delta
        self._commits: list[Commit] = []
        self._whole = False

    def __iter__(self) -> Iterator[Commit]:
        """Iterate from the newest commit to the oldest that the log tells of."""
        position = 0
        while position < len(self._commits) or self._read_on():
            yield self._commits[position]
            position += 1

    @cached_property
    def oldest(self) -> int:
        """Version of the oldest commit that the log tells of; one more than the table's where it tells of none."""
        *_, last = [self._delta.version() + 1, *(commit.version for commit in self)]
        return last

    def of_run(self, run_id: str) -> tuple[Commit, ...]:
        """Return the commits of a run, oldest first."""
        return tuple(commit for commit in self if commit.run_id == run_id)[::-1]

    def that_made(self, run_id: str | None, made_at: datetime) -> Commit | None:
        """Return the commit that brought the rows of an origin, ``None`` when the log does not tell of it."""
        for commit in self:
            if commit.made_at == made_at and commit.run_id == run_id:
                return commit
            if commit.at < made_at - _CLOCKS:
                return None
        return None

    def that_added(self, file: str, written: datetime) -> Bringing | None:
        """Return the commit that added a data file, ``None`` when the log does not tell of it.

        Parameters
        ----------
        file
            Its path on storage, relative to the table.
        written
            When it was written: the commit came soon after.

        """
        later: list[Commit] = []
        for commit in self:
            if commit.at < written - _CLOCKS:
                break
            later.append(commit)
        filesystem = self._location.filesystem()
        for commit in reversed(later):
            actions = _actions(filesystem, commit.version)
            adds = [action["add"] for action in actions if "add" in action]
            added = next((add for add in adds if from_log(add["path"]) == file), None)
            if added is not None:
                partition = added.get("partitionValues") or {}
                return Bringing(commit, not (_REWRITES.match(commit.operation) or _takes_out(actions, partition)))
        return None

    def _read_on(self) -> bool:
        """Read commits further back; returns whether there were more."""
        if self._whole:
            return False
        wanted = max(_FIRST_LOOK, 8 * len(self._commits))
        told = retry_listing(lambda: self._delta.history(wanted))
        found = [Commit.read(entry) for entry in told]
        self._whole = len(found) < wanted
        before, self._commits = len(self._commits), found
        return len(found) > before


def _takes_out(actions: list[dict[str, Any]], partition: Mapping[str, str]) -> bool:
    """Return whether a commit takes data files out of a partition: it may have written their rows anew."""
    removes = (action["remove"] for action in actions if "remove" in action)
    return any((remove.get("partitionValues") or partition) == partition for remove in removes)


def _actions(filesystem: FileSystem, version: int) -> list[dict[str, Any]]:
    """Return the actions of a commit, none when the log has forgotten it."""
    try:
        with filesystem.open_input_stream(f"_delta_log/{version:020d}.json") as stream:
            return [json.loads(line) for line in stream.read().splitlines() if line.strip()]
    except FileNotFoundError:
        return []

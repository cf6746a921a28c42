"""The commits that the log of a table still tells of: which one brought some rows, and which run made it.

Logs are shortened, so that what is not found is not necessarily nowhere: :attr:`CommitLog.oldest` says how far back the
log goes.
"""

import json
import re
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cached_property
from typing import Any

from pyarrow.fs import FileSelector, FileSystem

from dicom_assets.delta.layout import from_log
from dicom_assets.delta.location import TableLocation
from dicom_assets.delta.origin import MADE, ROWS_MADE, ROWS_REMOVED, run_id_of
from dicom_assets.storage.retries import retry_listing

_FIRST_LOOK = 50
_CLOCKS = timedelta(hours=1)
"""How far the clocks of two writers may be apart."""
_REWRITES = re.compile(r"OPTIMIZE")
_COMMIT = re.compile(r"(\d{20})\.json")
_HEAD_BYTES = 4096
_READERS = 16
_LONG_AGO = datetime.fromtimestamp(0, UTC)


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
    def read(cls, version: int, told: Mapping[str, Any]) -> "Commit":
        """Return a commit, by the ``commitInfo`` of its log entry."""
        metadata = {name: value for name, value in told.items() if isinstance(value, str)}
        made_at = metadata.get(MADE)
        counts = (int(metadata[name]) if name in metadata else None for name in (ROWS_MADE, ROWS_REMOVED))
        return cls(
            version,
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

    Not ``DeltaTable.history``: it counts versions down from the newest by itself, which is wrong for a table that was
    opened at an older one.

    Parameters
    ----------
    location
        The table.
    version
        The newest version that counts.

    """

    def __init__(self, location: TableLocation, version: int) -> None:
        self._location = location
        self._version = version
        self._commits: list[Commit] = []

    def __iter__(self) -> Iterator[Commit]:
        """Iterate from the newest commit to the oldest that the log tells of."""
        position = 0
        while position < len(self._commits) or self._read_on():
            yield self._commits[position]
            position += 1

    @cached_property
    def oldest(self) -> int:
        """Version of the oldest commit that the log tells of; one more than the table's where it tells of none."""
        return self._versions[-1] if self._versions else self._version + 1

    @cached_property
    def _filesystem(self) -> FileSystem:
        return self._location.filesystem()

    @cached_property
    def _versions(self) -> tuple[int, ...]:
        """Versions whose commits are in the log, newest first."""
        entries = retry_listing(lambda: self._filesystem.get_file_info(FileSelector("_delta_log")))
        found = (_COMMIT.fullmatch(entry.path.rpartition("/")[2]) for entry in entries)
        versions = (int(match[1]) for match in found if match)
        return tuple(sorted((version for version in versions if version <= self._version), reverse=True))

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
        for commit in reversed(later):
            actions = _actions(self._filesystem, commit.version)
            adds = [action["add"] for action in actions if "add" in action]
            added = next((add for add in adds if from_log(add["path"]) == file), None)
            if added is not None:
                partition = added.get("partitionValues") or {}
                return Bringing(commit, not (_REWRITES.match(commit.operation) or _takes_out(actions, partition)))
        return None

    def _read_on(self) -> bool:
        """Read commits further back; returns whether there were more."""
        start = len(self._commits)
        part = self._versions[start : start + max(_FIRST_LOOK, start)]
        with ThreadPoolExecutor(_READERS) as pool:
            self._commits += pool.map(self._read, part)
        return bool(part)

    def _read(self, version: int) -> Commit:
        """Return one commit. One that is cleaned away at this moment says nothing of itself."""
        for length in (_HEAD_BYTES, None):  # what a commit says of itself is mostly its first line
            lines = _lines(self._filesystem, version, length)
            whole = lines if length is None else lines[:-1]
            told = next((json.loads(line)["commitInfo"] for line in whole if b'"commitInfo"' in line[:16]), None)
            if told is not None:
                return Commit.read(version, told)
        return Commit(version, _LONG_AGO, "")


def _lines(filesystem: FileSystem, version: int, length: int | None = None) -> list[bytes]:
    """Return the lines of a commit, or of its first bytes; none when the log has forgotten it."""
    try:
        with filesystem.open_input_stream(f"_delta_log/{version:020d}.json") as stream:
            return bytes(stream.read(length)).split(b"\n")
    except FileNotFoundError:
        return []


def _takes_out(actions: list[dict[str, Any]], partition: Mapping[str, str]) -> bool:
    """Return whether a commit takes data files out of a partition: it may have written their rows anew."""
    removes = (action["remove"] for action in actions if "remove" in action)
    return any((remove.get("partitionValues") or partition) == partition for remove in removes)


def _actions(filesystem: FileSystem, version: int) -> list[dict[str, Any]]:
    """Return the actions of a commit."""
    return [json.loads(line) for line in _lines(filesystem, version) if line.strip()]

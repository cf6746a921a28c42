"""A table follows a move in one commit, killed and repeated as often as may be: of an archive, or of rows."""

from collections.abc import Callable
from dataclasses import replace
from typing import Protocol

from dicom_assets.delta.commit import Change, CommitConflictError, commit
from dicom_assets.delta.location import TableLocation
from dicom_assets.delta.newest import newest
from dicom_assets.delta.snapshot import count_writes

ATTEMPTS = 10


class AnyMove(Protocol):
    """A move that the index states, whatever moves."""

    @property
    def id(self) -> str:
        """Of its own."""
        ...

    @property
    def mark(self) -> str:
        """Key of the transaction that tells that a table has followed."""
        ...


def follow_once(location: TableLocation, move: AnyMove, make: Callable[[], Change | None]) -> bool:
    """Change a table in one commit that carries the mark of a move, unless that was done.

    Parameters
    ----------
    location
        Of the table.
    move
        What it follows.
    make
        Returns the change, of the table as it is now; ``None`` where there is nothing to change.

    Returns
    -------
    Whether the table has followed: not where others kept changing it.

    """
    for _ in range(ATTEMPTS):
        if count_writes(newest(location), [move.mark])[move.mark]:
            return True
        change = make()
        if change is None:
            return True
        writes, metadata = {**change.writes, move.mark: 0}, {"dicom_assets/move": move.id}
        try:
            commit(location, replace(change, writes=writes, metadata=metadata))
        except CommitConflictError:
            continue
        return True
    return False

"""The one atomic commit of a run to a table: additions and removals together, ordered by prefix.

Two runs on one prefix cannot both win: a commit carries one application transaction for each of its prefixes
(Delta protocol, "Transaction Identifiers"), numbered one above what the writer saw. Runs on different prefixes
do not get in each other's way: delta-rs refuses a commit when any file was removed meanwhile, so after a refusal the
log is read again, and the commit is retried if its own prefixes and files are untouched.
"""

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from deltalake import CommitProperties, DeltaTable, PostCommitHookProperties
from deltalake.exceptions import CommitFailedError
from deltalake.transaction import AddAction, Transaction

from dicom_assets.delta.checkpoint import is_due, write_checkpoint
from dicom_assets.delta.files import DataFile
from dicom_assets.delta.location import TableLocation
from dicom_assets.delta.newest import keep
from dicom_assets.delta.rewrite import removal
from dicom_assets.delta.snapshot import count_writes, live_files, transaction_id
from dicom_assets.errors import InfrastructureError
from dicom_assets.storage.retries import retry_lost_race
from dicom_assets.tables import PARTITION

_ATTEMPTS = 30


class CommitConflictError(InfrastructureError, RuntimeError):
    """Another writer changed a prefix of this commit first: read the table again, and plan again."""


class CommitRefusedError(InfrastructureError, RuntimeError):
    """The commit was refused too often, though its own prefixes were untouched."""


@dataclass(frozen=True, slots=True)
class Change:
    """What one run does to a table.

    Attributes
    ----------
    adds
        Actions of data files already written.
    removes
        Data files that leave the table.
    writes
        For each prefix that the change was computed from, the number of commits that it had seen
        (:attr:`Snapshot.writes`).
    metadata
        Kept in the commit, such as the id of the run.
    fences
        Properties of the table as the change was computed under, empty where there was none: past one that is another
        by now, nothing is written.

    """

    adds: Sequence[AddAction]
    removes: Sequence[DataFile]
    writes: Mapping[str, int]
    metadata: Mapping[str, str] = field(default_factory=dict)
    fences: Mapping[str, str] = field(default_factory=dict)


def commit(location: TableLocation, change: Change) -> int:
    """Apply a change to a table and return the version it is at then.

    Raises
    ------
    CommitConflictError
        A prefix of the change was written, a file to be removed is gone, or the rows were moved, since the snapshot
        was taken.
    CommitRefusedError
        Other writers were faster, time and again.
    LakeNotHereError
        Workers wrote data files that are not in this lake.

    """
    location.confirm_written(add.path for add in change.adds)
    try:
        return retry_lost_race(lambda: _commit_once(location, change), CommitFailedError, _ATTEMPTS)
    except CommitFailedError as error:
        raise CommitRefusedError(f"{location.uri}: commit refused {_ATTEMPTS} times by concurrent writers") from error


def _commit_once(location: TableLocation, change: Change) -> int:
    """Commit on the newest version; raises ``CommitFailedError`` when another writer was faster."""
    delta = location.open()
    _check_untouched(delta, change)
    delta.create_write_transaction(
        [*change.adds, *map(removal, change.removes)],
        mode="append",
        schema=delta.schema(),
        partition_by=[PARTITION],
        commit_properties=CommitProperties(
            custom_metadata=dict(change.metadata),
            app_transactions=_transactions(change.writes),
        ),
        post_commithook_properties=PostCommitHookProperties(create_checkpoint=True),
    )
    delta.update_incremental()
    if is_due(delta.version()):
        write_checkpoint(delta)
    keep(location, delta)
    return delta.version()


def _transactions(writes: Mapping[str, int]) -> list[Transaction]:
    now = int(time.time() * 1000)
    return [Transaction(transaction_id(prefix), seen + 1, now) for prefix, seen in sorted(writes.items())]


def _check_untouched(delta: DeltaTable, change: Change) -> None:
    """Raise :class:`CommitConflictError` unless fences, prefixes and files are as the change assumes."""
    properties = delta.metadata().configuration if change.fences else {}
    if any(properties.get(name, "") != value for name, value in change.fences.items()):
        raise CommitConflictError("the rows of the table were moved")
    for prefix, seen in count_writes(delta, change.writes).items():
        if seen != change.writes[prefix]:
            raise CommitConflictError(f"prefix {prefix} was written by another run")
    if change.removes:
        live = {file.path for file in live_files(delta, frozenset(file.prefix for file in change.removes))}
        if any(file.path not in live for file in change.removes):
            raise CommitConflictError("a data file was replaced by another run")

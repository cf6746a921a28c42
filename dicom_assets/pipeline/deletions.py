"""When the removal of files is refused: a share that is not mounted looks like an archive whose files were deleted.

Three questions, from the part to the whole: of a prefix, are most of its files gone; is its folder there and empty,
like the place where a share is mounted; and are most files of the catalog gone, wherever they were? The last is asked
of the whole archive, for runs take it in parts: prefixes that have vanished count with those that a run looks at.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass

from dicom_assets.archive.base import Archive, Prefixes
from dicom_assets.archive.prefixes import ROOT_PREFIX
from dicom_assets.errors import UserError

BY_RUN_CONFIG = (
    "materialize these prefixes with the run config `ops: {file_index: {config: {allow_mass_deletion: true}}}`"
)
BY_OPTION = "run again with --allow-mass-deletion"
"""How a mass deletion is allowed: in Dagster, and on the command line."""

_SHOWN = 5


class MassDeletionError(UserError, RuntimeError):
    """So many files are gone that it looks like a fault of the archive: nothing was changed."""


@dataclass(frozen=True, slots=True)
class DeletionGuard:
    """When the removal of files is refused.

    Attributes
    ----------
    share
        The most that may go at once, of a prefix and of the catalog.
    files
        So many files of a prefix may go whatever their share.
    how
        What to do where the deletion is meant, in the words of the interface in use.

    """

    share: float = 0.5
    files: int = 100
    how: str = BY_RUN_CONFIG

    def check(self, known: Mapping[str, int], gone: Mapping[str, int]) -> None:
        """Raise :class:`MassDeletionError` when a prefix loses too many files.

        Parameters
        ----------
        known, gone
            Number of files that the index holds, and of those that are no longer listed, by prefix.

        """
        for prefix, count in sorted(gone.items()):
            if count > self.files and count > self.share * known[prefix]:
                raise MassDeletionError(
                    f"prefix {prefix}: {count} of {known[prefix]} files are gone from the archive. If that is meant, "
                    f"{self.how}."
                )

    def check_emptied(self, emptied: Mapping[str, int]) -> None:
        """Raise :class:`MassDeletionError` when folders of prefixes are there and hold nothing.

        Parameters
        ----------
        emptied
            Number of files that the index holds, by prefix.

        """
        if emptied:
            names = sorted(emptied)
            more = f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else ""
            raise MassDeletionError(
                f"prefix {', '.join(names[:_SHOWN])}{more}: the folder is there and empty, and the catalog knows "
                f"{sum(emptied.values())} files of it, as where a share is not mounted. If they were deleted, remove "
                f"the empty folder, or {self.how}."
            )

    def check_whole(self, known: int, gone: int) -> None:
        """Raise :class:`MassDeletionError` when too many files of all prefixes go at once; a single one may always.

        Parameters
        ----------
        known, gone
            Number of files that the index holds, and of those that are no longer there.

        """
        if gone > 1 and gone > self.share * known:
            raise MassDeletionError(
                f"{gone} of {known} files of the catalog are gone from the archive at once. If that is meant, "
                f"{self.how}."
            )


def emptied_prefixes(archive: Archive, known: Mapping[str, int], listed: Collection[str]) -> dict[str, int]:
    """Return the prefixes whose folder is there, holds no file, and held some; with how many.

    An object store has no folders, so none of its prefixes is among them. Nor is the root prefix of an archive of
    prefixes: its folder is never empty while there are any.

    Parameters
    ----------
    archive
        Where to look.
    known
        Number of files that the index holds, by prefix.
    listed
        Prefixes that files are listed of.

    """
    return {
        prefix: count
        for prefix, count in known.items()
        if count and prefix not in listed
        if (prefix != ROOT_PREFIX or not archive.cut.depth) and archive.folder(prefix) is not None
    }


def vanished(archive: Archive, present: Prefixes, rows: Mapping[str, int], looked_at: Collection[str]) -> int:
    """Return how many rows are of prefixes that are neither looked at nor in the archive any more.

    Parameters
    ----------
    archive, present
        Where to look, and the prefixes that it has.
    rows
        Number of rows of the index, by prefix.
    looked_at
        Prefixes whose losses are counted file by file.

    """
    there = {*looked_at, *present}
    missing = [prefix for prefix in rows if prefix not in there]
    if present.unlisted:
        missing = [prefix for prefix in missing if _is_gone(archive, prefix)]
    return sum(rows[prefix] for prefix in missing)


def _is_gone(archive: Archive, prefix: str) -> bool:
    """Return whether a prefix has no folder; one below a folder that cannot be entered may have one."""
    try:
        return archive.folder(prefix) is None
    except OSError:
        return False

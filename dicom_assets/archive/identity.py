"""Whether an archive is still the one that was listed: asked before a file counts as gone or unreadable.

A share that was unmounted leaves an empty folder of the same name, and every file that was listed in it seems to be
gone. The folder itself tells: it is another one, on another device. What is known of folders and files is gathered
when a step begins, travels to the workers, and is compared where something is missing.
"""

import os
import platform
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Self

from dicom_assets.archive.base import Archive, ArchiveError, FolderIdentity


@cache
def _view() -> str:
    """Return a name of the mounts that this process sees: the boot of its kernel, and its mount namespace."""
    try:
        boot = Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip()
        return f"{boot}/{Path('/proc/self/ns/mnt').stat().st_ino}"
    except OSError:
        return platform.node()


def identify_folder(path: str) -> FolderIdentity | None:
    """Return what tells a folder from another of its name, ``None`` where there is none; raises :class:`OSError`."""
    try:
        status = os.stat(path)  # noqa: PTH116 - names of files need not be UTF-8, and this is asked often
    except (FileNotFoundError, NotADirectoryError):
        return None
    return FolderIdentity(_view(), status.st_dev, status.st_ino)


@dataclass(frozen=True, slots=True)
class Witness:
    """What was known of an archive at one moment. Instances travel to Spark workers.

    Attributes
    ----------
    root
        Its root; ``None`` for an object store, which has no folders that could be mounted.
    folders
        Folders of prefixes.
    known
        Paths of some files, by prefix.

    """

    root: FolderIdentity | None = None
    folders: Mapping[str, FolderIdentity] = field(default_factory=dict)
    known: Mapping[str, Sequence[str]] = field(default_factory=dict)

    @classmethod
    def of(cls, archive: Archive, prefixes: Iterable[str], paths: Mapping[str, Sequence[str]] | None = None) -> Self:
        """Look at an archive.

        Parameters
        ----------
        archive
            What is looked at.
        prefixes
            Whose folders are remembered.
        paths
            A few files that are known to be there, by prefix.

        Raises
        ------
        ArchiveError
            The root cannot be reached.

        """
        archive.check()
        folders = {}
        for prefix in prefixes:
            try:
                found = archive.folder(prefix)
            except OSError:
                continue  # what cannot be looked at is told by its listing
            if found is not None:
                folders[prefix] = found
        return cls(archive.folder(), folders, paths or {})

    def recognise(self, archive: Archive) -> None:
        """Raise :class:`ArchiveError` unless one of the known files is there; without any, nothing is asked."""
        if any(self.known.values()) and not self._any_known(archive, self.known):
            count = sum(map(len, self.known.values()))
            raise ArchiveError(
                f"none of {count} files of the index that were looked for is at {archive.root}: is it mounted? If they "
                "were deleted, materialize file_index first"
            )

    def confirm(self, archive: Archive, prefixes: Iterable[str] = ()) -> None:
        """Raise :class:`ArchiveError` unless the archive is the one that was looked at.

        Parameters
        ----------
        archive
            What is there now.
        prefixes
            Look at their folders too. One that is gone is nothing unusual, one on another device is.

        """
        archive.check()
        self._confirm_root(archive)
        for prefix in prefixes:
            self._confirm_folder(archive, prefix)

    def _confirm_root(self, archive: Archive) -> None:
        now = archive.folder()
        if self.root is None or now == self.root:
            return
        # Device numbers, and the inodes of some network file systems, are those of one machine: files decide.
        if (
            now
            and now.view != self.root.view
            and (now.inode == self.root.inode or self._any_known(archive, self.known))
        ):
            return
        raise ArchiveError(f"{archive.root} is not the folder it was when it was listed: unmounted, or replaced")

    def _confirm_folder(self, archive: Archive, prefix: str) -> None:
        before = self.folders.get(prefix)
        if before is None:
            return
        now = archive.folder(prefix)
        if now is None or now == before:
            return
        # A folder may be made anew, and some file systems number theirs anew; but it stays where it is.
        moved = now.view == before.view and now.device != before.device
        mine = {prefix: self.known.get(prefix, ())}
        if moved or (mine[prefix] and now.inode != before.inode and not self._any_known(archive, mine)):
            raise ArchiveError(
                f"prefix {prefix}: its folder is not the one it was when it was listed: unmounted, or replaced"
            )

    @staticmethod
    def _any_known(archive: Archive, known: Mapping[str, Sequence[str]]) -> bool:
        return any(archive.exists(path) for paths in known.values() for path in paths)

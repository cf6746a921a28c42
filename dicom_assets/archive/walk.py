"""Walking the folders of an archive: each entry once, and a fault of one entry costs that entry only.

What decides about links is :class:`~dicom_assets.archive.links.Bounds`; what a file's row says is up to the archive.
"""

import errno
import os
import stat
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import NamedTuple

from dicom_assets.archive.folder_names import FolderNames, KnownFolders
from dicom_assets.archive.links import Bounds, is_within, real_path
from dicom_assets.archive.reading import open_path
from dicom_assets.storage.addresses import shown

_FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC | os.O_NONBLOCK
_LEADS_NOWHERE = frozenset((errno.ENOENT, errno.ELOOP, errno.ENOTDIR, errno.ENAMETOOLONG, errno.EACCES))
_GONE = frozenset((errno.ENOENT, errno.ENOTDIR))
_KNOWN = KnownFolders()
_VERSION_CONTROL = ".git"
"""Holds no files of the archive. What git-annex keeps in it is listed where its links are, under names that mean
something."""


class Folder(NamedTuple):
    """A folder of the archive.

    Attributes
    ----------
    path
        As it was reached.
    relative
        The same below the root of the archive, with a slash at the end; empty for the root.
    real
        Path without links.
    linked
        Whether a link was followed to it, or to a folder above it.

    """

    path: str
    relative: str
    real: str
    linked: bool = False


class Found(NamedTuple):
    """A file, or a link that is not followed.

    Attributes
    ----------
    path, relative
        As it was reached, and the same below the root of the archive.
    status
        Of the file, or of the link; ``None`` when the system does not tell.

    """

    path: str
    relative: str
    status: os.stat_result | None


@dataclass(slots=True)
class Walk:
    """One walk.

    A link is a row of its own when it leads to a file, nowhere, or where it must not. One that leads to a folder of
    the archive is left out, since that is listed in its own place. One that leads to a folder elsewhere is entered
    when that is asked for: each such folder once in a walk, whatever number of links lead to it.

    Attributes
    ----------
    bounds
        How far links are followed.
    unlisted
        Filled with one sentence for each folder that could not be listed whole.

    """

    bounds: Bounds
    unlisted: list[str] = field(default_factory=list)

    def root(self, path: str) -> Folder:
        """Return the root of the archive as a folder."""
        return Folder(path, "", self.bounds.root)

    def enter(self, folder: Folder, name: str) -> Folder | None:
        """Return a folder in a folder, ``None`` when there is none, or none that is entered.

        Raises
        ------
        OSError
            The system does not tell.

        """
        path = f"{folder.path.rstrip('/')}/{name}"
        try:
            link = stat.S_ISLNK(os.lstat(path).st_mode)
            if not stat.S_ISDIR(os.stat(path).st_mode):  # noqa: PTH116 - names need not be UTF-8
                return None
        except OSError as error:
            if error.errno in _GONE or (error.errno in _LEADS_NOWHERE and os.path.islink(path)):  # noqa: PTH114
                return None
            raise
        return self._linked_folder(folder, name) if link else self._folder(folder, name)

    def names(self, folder: Folder, chars: int) -> FolderNames:
        """Return the names of the folders in a folder; none of one that cannot be listed."""
        try:
            descriptor = open_path(folder.path, _FOLDER)
            try:
                return _KNOWN.look(descriptor, chars)
            finally:
                os.close(descriptor)
        except OSError as error:
            self._note(folder, error)
            return FolderNames(chars, {}, others=False)

    def enter_all(self, folder: Folder, names: Iterable[str]) -> Iterator[Folder]:
        """Yield those of some folders in a folder that are entered."""
        for name in names:
            try:
                entered = self.enter(folder, name)
            except OSError as error:
                self._note(Folder(f"{folder.path.rstrip('/')}/{name}", "", ""), error)
            else:
                if entered is not None:
                    yield entered

    def files(self, top: Folder, levels: int | None = None) -> Iterator[Found]:
        """Yield the files below a folder, of the given number of levels only, or of all."""
        pending = [(top, 1)]
        entered: set[str] = set()
        while pending:
            folder, level = pending.pop()
            if folder.linked:
                if folder.real in entered:
                    continue
                entered.add(folder.real)
            below: list[Folder] = []
            yield from self.scan(folder, below)
            if levels is None or level < levels:
                # In the order of names: which of several links to a folder is followed must not depend on the disk.
                pending += [(entry, level + 1) for entry in sorted(below, reverse=True)]

    def scan(self, folder: Folder, below: list[Folder]) -> Iterator[Found]:
        """Yield the files of a folder, and add its folders to a list."""
        try:
            descriptor = open_path(folder.path, _FOLDER)
        except OSError as error:
            self._note(folder, error)
            return
        try:
            yield from self._entries(folder, descriptor, below)
        except OSError as error:
            self._note(folder, error)
        finally:
            os.close(descriptor)

    def _entries(self, folder: Folder, descriptor: int, below: list[Folder]) -> Iterator[Found]:
        path, relative = folder.path.rstrip("/") + "/", folder.relative
        with os.scandir(descriptor) as entries:
            for entry in entries:
                name = entry.name
                try:
                    if entry.is_symlink():
                        found = self._link(folder, entry, below)
                    elif entry.is_dir(follow_symlinks=False):
                        if (entered := self._folder(folder, name)) is not None:
                            below.append(entered)
                        continue
                    else:
                        status = entry.stat(follow_symlinks=False)
                        found = Found(path + name, relative + name, status) if stat.S_ISREG(status.st_mode) else None
                except FileNotFoundError:
                    continue  # removed while we listed
                except OSError:
                    found = Found(path + name, relative + name, None)
                if found is not None:
                    yield found

    def _folder(self, folder: Folder, name: str) -> Folder | None:
        """Return a folder in a folder, ``None`` when it is not entered."""
        real = f"{folder.real.rstrip('/')}/{name}"
        if name == _VERSION_CONTROL or self.bounds.bars(real):
            return None
        if folder.linked and self.bounds.holds(real):
            return None  # the folder that a link led to holds the archive
        return Folder(f"{folder.path.rstrip('/')}/{name}", f"{folder.relative}{name}/", real, folder.linked)

    def _linked_folder(self, folder: Folder, name: str) -> Folder | None:
        """Return the folder that a link leads to, ``None`` when it is not entered."""
        path = f"{folder.path.rstrip('/')}/{name}"
        real = real_path(f"{folder.real.rstrip('/')}/{name}")
        if real is None or self.bounds.refusal(real) is not None:
            return None
        if self.bounds.holds(real) or is_within(folder.real, real):
            return None
        return Folder(path, f"{folder.relative}{name}/", real, linked=True)

    def _link(self, folder: Folder, entry: os.DirEntry[str], below: list[Folder]) -> Found | None:
        """Return the row of a link, or add the folder that it leads to to a list."""
        link = Found(
            f"{folder.path.rstrip('/')}/{entry.name}",
            folder.relative + entry.name,
            entry.stat(follow_symlinks=False),
        )
        try:
            status = entry.stat()
        except OSError as error:
            return link if error.errno in _LEADS_NOWHERE else link._replace(status=None)
        real = real_path(f"{folder.real.rstrip('/')}/{entry.name}")
        if not (stat.S_ISREG(status.st_mode) or stat.S_ISDIR(status.st_mode)):
            return None
        if self.bounds.refusal(real) is not None:
            return link
        if stat.S_ISREG(status.st_mode):
            return link._replace(status=status)
        if (entered := self._linked_folder(folder, entry.name)) is not None:
            below.append(entered)
        return None

    def _note(self, folder: Folder, error: OSError) -> None:
        """Remember that a folder could not be listed whole."""
        if error.errno in _GONE:
            self.unlisted.append(f"{shown(folder.path)} changed while it was listed")
        else:
            self.unlisted.append(f"cannot list {shown(folder.path)}: {error.strerror}")

"""An archive in a folder: a disk of this machine, or a share that is mounted everywhere under one path."""

import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path
from typing import Self

import pyarrow as pa

from dicom_assets.archive.base import ArchiveError, FolderIdentity, Prefixes
from dicom_assets.archive.folder_names import FolderNames
from dicom_assets.archive.found_files import listing_of
from dicom_assets.archive.identity import identify_folder
from dicom_assets.archive.links import Bounds, real_path
from dicom_assets.archive.listing import ListingError
from dicom_assets.archive.prefetch import ONE_BY_ONE, Prefetch
from dicom_assets.archive.prefixes import ROOT_PREFIX, Place, PrefixCut
from dicom_assets.archive.reading import LocalSource, open_file, stands_at
from dicom_assets.archive.versions import Listed, check_version, source_version
from dicom_assets.archive.walk import Folder, Walk
from dicom_assets.storage.addresses import from_text, shown


@dataclass(frozen=True, slots=True)
class LocalArchive:
    """Files below a folder.

    What is neither file, folder nor link (pipe, socket, device) is left out. A name that is no UTF-8 text cannot stand
    in a table, so its path is written as a percent-encoded ``file://`` URI. How links are treated is documented at
    :class:`~dicom_assets.archive.walk.Walk`.

    Attributes
    ----------
    root
        Absolute path of the folder.
    depth
        How many directories make a prefix.
    outside
        Whether links are followed that lead out of the folder.
    lake
        Folder of the tables, which is never entered; empty where there is none on this machine.
    chars
        How many characters of the last of these directories count, 0 for all.
    prefetch
        How many of its files a task has in flight.

    """

    root: str
    depth: int
    outside: bool = False
    lake: str = ""
    chars: int = 0
    prefetch: Prefetch = ONE_BY_ONE

    @property
    def cut(self) -> PrefixCut:
        """How it is cut into prefixes."""
        return PrefixCut(self.depth, self.chars)

    def check(self) -> None:
        """Raise :class:`ArchiveError` unless the root can be listed."""
        try:
            with os.scandir(self.root):
                pass
        except OSError as error:
            raise ArchiveError(f"cannot list the archive root {self.root}: {error.strerror}") from error

    def at(self, root: str) -> Self:
        """Return the archive as seen from another root."""
        return replace(self, root=root)

    def folder(self, prefix: str | None = None) -> FolderIdentity | None:
        """Return which folder the root, or a prefix, is at present; raises :class:`ArchiveError`."""
        place = Place(()) if prefix is None else self.cut.place(prefix)
        path = str(Path(self.root, *place.directories))
        try:
            if place.start is not None:
                walk = Walk(self._bounds())
                first = next(iter(self._tops(walk, self._enter(walk, place), place)), None)
                if first is None and not walk.unlisted:
                    return None
                # What cannot be listed is not gone: the folder above stands for it.
                path = path if first is None else first.path
            return identify_folder(path)
        except OSError as error:
            raise ArchiveError(f"cannot look at {shown(path)}: {error.strerror}") from error

    def exists(self, path: str) -> bool:
        """Return whether there is a file, or a link that leads nowhere."""
        return stands_at(from_text(path))

    def _bounds(self) -> Bounds:
        return Bounds.of(self.root, self.lake, outside=self.outside)

    def prefixes(self) -> Prefixes:
        """Return the prefixes; the root prefix only when it has files."""
        self.check()
        walk = Walk(self._bounds())
        level, files_above = [walk.root(self.root)], not self.depth
        for _ in range(self.depth - bool(self.chars)):
            below: list[Folder] = []
            for folder in level:
                files_above |= sum(1 for _ in walk.scan(folder, below)) > 0
            level = below
        found = [folder for folder in level if self.depth]
        if self.chars:
            found = []
            for folder in level:
                known = walk.names(folder, self.chars)
                files_above = files_above or (known.others and any(True for _ in walk.scan(folder, [])))
                found += _first_of_each_start(walk, folder, known)
        keys = sorted(self.cut.key(folder.relative.split("/")[:-1]) for folder in found)
        return Prefixes(([ROOT_PREFIX] if files_above else []) + keys, walk.unlisted)

    def _enter(self, walk: Walk, place: Place) -> Folder | None:
        """Return the folder that holds the files of a prefix, ``None`` where there is none that is entered."""
        folder: Folder | None = walk.root(self.root)
        for name in place.directories:
            folder = folder and walk.enter(folder, name)
        return folder

    def _tops(self, walk: Walk, folder: Folder | None, place: Place) -> Iterable[Folder]:
        """Return the folders that are the prefix's own: that folder, or those in it whose names begin alike."""
        if folder is None:
            return ()
        if place.start is None:
            return (folder,)
        return walk.enter_all(folder, walk.names(folder, self.chars).names(place.start))

    def list(self, prefix: str) -> pa.Table:
        """Return the files of a prefix, in the order of paths."""
        place = self.cut.place(prefix)
        walk = Walk(self._bounds())
        levels = self.depth if prefix == ROOT_PREFIX and self.depth else None
        try:
            folder = self._enter(walk, place)
        except OSError as error:
            top = str(Path(self.root, *place.directories))
            raise ListingError(f"cannot list {shown(top)}: {error.strerror}") from error
        tops = self._tops(walk, folder, place)
        table = listing_of(prefix, [file for top in tops for file in walk.files(top, levels)])
        if not table.num_rows:
            self.check()
        if walk.unlisted:
            more = f" (and {len(walk.unlisted) - 1} more folders)" if len(walk.unlisted) > 1 else ""
            raise ListingError(walk.unlisted[0] + more, table)
        return table

    @contextmanager
    def open(self, path: str, listed: Listed | None = None) -> Iterator[LocalSource]:
        """Open a file for reading by range; it is compared with what was listed before and after that."""
        descriptor = open_file(from_text(path), self._refusal)
        try:
            status = os.fstat(descriptor)
            version = source_version(status, inode=True)
            listed = listed or Listed(status.st_size, version)
            check_version(status, listed)
            yield LocalSource(descriptor, status.st_size, version)
            check_version(os.fstat(descriptor), listed)
        finally:
            os.close(descriptor)

    def _refusal(self, path: str) -> str | None:
        return self._bounds().refusal(real_path(path))


def _first_of_each_start(walk: Walk, folder: Folder, known: FolderNames) -> Iterator[Folder]:
    """Yield, of the folders in a folder that begin alike, the first that is entered."""
    for start in known.by_start:
        yield from islice(walk.enter_all(folder, known.names(start)), 1)

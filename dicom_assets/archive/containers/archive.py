"""An archive whose containers are looked into, whatever it is itself."""

from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any, Self

import pyarrow as pa
import pyarrow.compute as pc

from dicom_assets.archive.base import Archive, FileArchive, FolderIdentity, Known, Prefixes
from dicom_assets.archive.containers.contents import ContainerFile, Contents, read_contents
from dicom_assets.archive.containers.faults import Fault, MemberError
from dicom_assets.archive.containers.finding import find_member
from dicom_assets.archive.containers.kinds import CONTAINER, splits
from dicom_assets.archive.containers.places import Marked, Place, with_fault
from dicom_assets.archive.containers.remembered import Remembered
from dicom_assets.archive.containers.shared import open_place
from dicom_assets.archive.listing import LISTING_SCHEMA, UNKNOWN, ListingError, with_column
from dicom_assets.archive.prefetch import Prefetch
from dicom_assets.archive.prefixes import PrefixCut
from dicom_assets.archive.versions import FileChangedError, Listed
from dicom_assets.dicom.source import ByteSource
from dicom_assets.storage.addresses import shown

_READERS = 16
"""Listing a container is waiting for the storage."""


@dataclass(frozen=True, slots=True)
class ContainerArchive:
    """An archive in which the members of ZIP and TAR files are files, beside these themselves.

    Attributes
    ----------
    inner
        The archive of the files as they are.
    known
        What the index has: members of containers that did not change are taken from there. Without it, every container
        is read.
    glances
        Whether containers are left closed that are new or have changed: their own rows tell that there is something to
        do, and what was known of their members stands until it is done.

    """

    inner: FileArchive
    known: Known | None = None
    glances: bool = False

    @property
    def root(self) -> str:
        """Absolute path or URI that all files stand below."""
        return self.inner.root

    @property
    def cut(self) -> PrefixCut:
        """How it is cut into prefixes."""
        return self.inner.cut

    @property
    def prefetch(self) -> Prefetch:
        """How many of its files a task has in flight."""
        return self.inner.prefetch

    def check(self) -> None:
        """Raise unless the root can be reached and listed."""
        self.inner.check()

    def at(self, root: str) -> Self:
        """Return the same archive as seen from another root."""
        return replace(self, inner=self.inner.at(root))

    def folder(self, prefix: str | None = None) -> FolderIdentity | None:
        """Return which folder the root, or a prefix, is at present."""
        return self.inner.folder(prefix)

    def exists(self, path: str) -> bool:
        """Return whether there is a file, or the container that a member is in."""
        return self.inner.exists(path) or any(self.inner.exists(container) for container, _ in splits(path))

    def prefixes(self) -> Prefixes:
        """Return the prefixes."""
        return self.inner.prefixes()

    def list(self, prefix: str) -> pa.Table:
        """Return the files of a prefix, those in containers among them, in the order of paths."""
        try:
            files, reason = self.inner.list(prefix), ""
        except ListingError as error:
            files, reason = error.listed, str(error)
        containers = files.filter(pc.match_substring_regex(files["path"], CONTAINER))
        if containers.num_rows:
            found = self._look_into(prefix, containers)
            files = _joined(files, found)
            reason = reason or found.unlisted
        if reason:
            raise ListingError(reason, files)
        return files

    def _look_into(self, prefix: str, files: pa.Table) -> "_Found":
        """Return what is known, or read, of containers; of one that the storage tells nothing of, what was known."""
        told = pc.not_equal(files["fingerprint"], UNKNOWN)
        containers = list(map(_container, files.filter(told).to_pylist()))
        remembered = Remembered.of(LISTING_SCHEMA.empty_table() if self.known is None else self.known(prefix))
        reused, unchanged = remembered.current({file.path: file.listed.version for file in containers})
        marks = {path: remembered.marks[path] for path in unchanged}
        due = [file for file in containers if file.path not in unchanged]
        tables, left, unlisted = [reused], set(files.filter(pc.invert(told))["path"].to_pylist()), ""
        if self.glances:
            marks |= {file.path: Marked(file.listed.version, None) for file in due}
            left |= {file.path for file in due}
            due = []
        with ThreadPoolExecutor(_READERS) as pool:
            for file, contents in zip(due, pool.map(self._contents, due), strict=True):
                if isinstance(contents, OSError):
                    left.add(file.path)
                    if not isinstance(contents, FileChangedError | FileNotFoundError | PermissionError):
                        unlisted = unlisted or f"cannot list {shown(file.path)}: {contents.strerror}"
                    continue
                tables.append(contents.rows)
                known = contents.fault is not Fault.OTHER or file.path in remembered.containers
                fault = contents.fault if known else None
                marks[file.path] = Marked(file.listed.version, contents.rows.num_rows, fault)
        left |= {path for path, mark in marks.items() if mark.fault}
        members = pa.concat_tables([table.cast(LISTING_SCHEMA) for table in tables])
        return _Found(marks, members, remembered.untold(frozenset(left)), unlisted)

    def _contents(self, file: ContainerFile) -> Contents | OSError:
        try:
            with self.inner.open(file.path, file.listed) as source:
                return read_contents(file, source)
        except OSError as error:
            return error

    @contextmanager
    def open(self, path: str, listed: Listed | None = None) -> Iterator[ByteSource]:
        """Open a file, or a member of a container, by the path in its listing.

        A member that was listed is opened by the place that its version names. Of any other, the container is listed
        first.

        Raises
        ------
        MemberError
            The member, or the container, cannot be read.

        """
        place = Place.parse(listed.version) if listed is not None else None
        mark = Marked.parse(listed.version) if listed is not None else None
        if place is not None:
            if (fault := place.steps[-1].fault) is not None:
                raise MemberError(fault.sentence)
            container = _outer(path, len(place.steps))
            with self.inner.open(container, place.container) as source:
                yield open_place(container, place, source)
        elif mark is not None and listed is not None:
            if mark.fault is not None:
                raise MemberError(mark.fault.sentence)
            with self.inner.open(path, Listed(listed.size, mark.version)) as source:
                yield source
        else:
            container = next((one for one, _ in splits(path) if self.inner.exists(one)), "")
            if not container or self.inner.exists(path):
                with self.inner.open(path, listed) as source:
                    yield source
            else:
                with self.inner.open(container) as source:
                    yield find_member(container, path, source, listed)


@dataclass(frozen=True, slots=True)
class _Found:
    """What became of containers.

    Attributes
    ----------
    marks
        What is said of those that are told of, by path.
    members
        Rows of their members.
    untold
        Rows of members that may be there.
    unlisted
        Why a container could not be listed, the first of them; empty where each could.

    """

    marks: Mapping[str, Marked]
    members: pa.Table
    untold: pa.Table
    unlisted: str


def glancing(archive: Archive) -> Archive:
    """Return an archive that leaves containers closed: for who wants to know whether there is anything to do."""
    return replace(archive, glances=True) if isinstance(archive, ContainerArchive) else archive


def _container(row: Mapping[str, Any]) -> ContainerFile:
    """Return the container of a row of a listing."""
    return ContainerFile(row["prefix"], row["path"], row["relative_path"], row["fingerprint"], Listed.of(row))


def _outer(path: str, steps: int) -> str:
    """Return the path of the container in the archive that a member of so many steps is in."""
    found = list(splits(path))
    if len(found) < steps:
        raise FileChangedError("the path is none of a member of a container")
    return found[steps - 1][0]


def _joined(files: pa.Table, found: _Found) -> pa.Table:
    """Return a listing with what is said of its containers, and with their members."""
    places = {path: place for place, path in enumerate(files["path"].to_pylist()) if path in found.marks}
    fingerprints, versions = files["fingerprint"].to_pylist(), files["source_version"].to_pylist()
    for path, mark in found.marks.items():
        fingerprints[places[path]] = with_fault(fingerprints[places[path]], mark.fault)
        versions[places[path]] = str(mark)
    for name, values in (("fingerprint", fingerprints), ("source_version", versions)):
        files = with_column(files, name, pa.array(values, pa.string()))
    # A file beside a container may have the path of a member (`scans.zip!/x` below a folder of that name): it keeps it.
    members = found.members.filter(pc.invert(pc.is_in(found.members["path"], value_set=files["path"].combine_chunks())))
    told = pa.concat_tables([files.cast(LISTING_SCHEMA), members])
    untold = found.untold.filter(pc.invert(pc.is_in(found.untold["path"], value_set=told["path"].combine_chunks())))
    return pa.concat_tables([told, untold.cast(LISTING_SCHEMA)]).sort_by("path")

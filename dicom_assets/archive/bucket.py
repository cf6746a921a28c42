"""An archive in an object store: S3, Google Cloud Storage, Azure Blob Storage."""

import errno
import re
import threading
from collections.abc import Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Self
from urllib.parse import urlsplit

import obstore
import pyarrow as pa
from obstore.exceptions import (
    BaseError,
    NotFoundError,
    PermissionDeniedError,
    PreconditionError,
    UnauthenticatedError,
)
from obstore.store import ObjectStore

from dicom_assets.archive.base import ArchiveError, FolderIdentity, Prefixes
from dicom_assets.archive.bucket_listing import list_objects, list_objects_below
from dicom_assets.archive.listing import ListedFile, ListingError, to_table
from dicom_assets.archive.prefetch import Prefetch
from dicom_assets.archive.prefixes import ROOT_PREFIX, PrefixCut
from dicom_assets.archive.stores import open_store
from dicom_assets.archive.versions import FileChangedError, Listed
from dicom_assets.dicom.source import StorageError, clamp
from dicom_assets.storage.errors import TIMED_OUT, why
from dicom_assets.storage.retries import retry_listing

if TYPE_CHECKING:
    from obstore import GetOptions, ObjectMeta

_ASKED_AT_ONCE = 16
"""An object store answers slowly, but many at once."""

_IN_ORDER = frozenset({"s3", "s3a", "gs", "az", "azure", "adl", "abfs", "abfss", "memory"})
"""Schemes of stores that list in the order of keys."""
_DIRECTORY_BUCKET = "--x-s3"
"""Ends the name of an S3 bucket that does not (directory bucket)."""

_FAILURES = (BaseError, FileNotFoundError)
"""What obstore raises: for what is not found, Python's own error."""

_OPENING = threading.Lock()


@dataclass(frozen=True)
class BucketArchive:
    """Objects below a URI.

    Objects whose key ends in ``/`` (folder markers of consoles) are no files and are left out.

    Attributes
    ----------
    root
        ``s3://bucket/prefix``, ``gs://bucket/...``, ``az://container/...``, without a slash at the end.
    depth
        How many directories make a prefix.
    options
        Options of the store and of the connection, as object_store names them. Never logged: they hold credentials.
    chars
        How many characters of the last of these directories count, 0 for all.
    prefetch
        How many of its files a task has in flight.

    """

    root: str
    depth: int
    options: Mapping[str, str] = field(default_factory=dict, repr=False)
    chars: int = 0
    prefetch: Prefetch = field(default_factory=Prefetch)

    @property
    def cut(self) -> PrefixCut:
        """How it is cut into prefixes."""
        return PrefixCut(self.depth, self.chars)

    def _store(self) -> ObjectStore:
        with _OPENING:  # one for all threads, which share its connections
            store: ObjectStore | None = self.__dict__.get("_opened")
            if store is None:
                store = self.__dict__["_opened"] = open_store(self.root, self.options)
            return store

    def __getstate__(self) -> dict[str, Any]:
        """Leave the connection behind: it is opened anew where it is used."""
        return {name: value for name, value in self.__dict__.items() if name != "_opened"}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state)

    def check(self) -> None:
        """Raise :class:`ArchiveError` unless the root can be listed."""
        try:
            self._folder(None)
        except _FAILURES as error:
            raise ArchiveError(f"cannot list the archive root {self.root}: {_reason(error)}") from error

    def at(self, root: str) -> Self:
        """Return the archive as seen from another root."""
        return replace(self, root=root)

    def folder(self, prefix: str | None = None) -> FolderIdentity | None:  # noqa: ARG002 - part of the protocol
        """Return ``None``: nothing is mounted in an object store."""
        return None

    def exists(self, path: str) -> bool:
        """Return whether there is an object."""
        try:
            obstore.head(self._store(), path.removeprefix(self.root + "/"))
        except _FAILURES:
            return False
        return True

    def prefixes(self) -> Prefixes:
        """Return the prefixes; the root prefix only when it has files."""
        found: set[str] = set()
        above: list[Any] = []
        try:
            for listed in self._upper_folders():
                above += listed["objects"]
                folders = [_names(folder) for folder in listed["common_prefixes"]]
                found.update(self.cut.key(names) for names in folders if len(names) == self.depth)
            files_above = not self.depth or any(True for _ in self._files(above))
        except _FAILURES as error:
            raise ArchiveError(f"cannot list {self.root}: {_reason(error)}") from error
        return Prefixes(([ROOT_PREFIX] if files_above else []) + sorted(found))

    def _upper_folders(self) -> Iterator[Any]:
        """Yield the listings of the folders above the prefix depth, those of one level side by side."""
        folders: list[str | None] = [None]
        with ThreadPoolExecutor(_ASKED_AT_ONCE) as pool:
            for _ in range(self.depth):
                below: list[str | None] = []
                for listed in pool.map(self._folder, folders):
                    below += listed["common_prefixes"]
                    yield listed
                folders = below

    def _folder(self, folder: str | None) -> Any:
        return retry_listing(lambda: obstore.list_with_delimiter(self._store(), folder))

    def list(self, prefix: str) -> pa.Table:
        """Return the files of a prefix, in the order of paths."""
        place = self.cut.place(prefix)
        folder = "/".join(place.directories) or None
        try:
            if prefix == ROOT_PREFIX and self.depth:
                objects = [found for listed in self._upper_folders() for found in listed["objects"]]
            elif place.start is None:
                objects = list_objects(self._store(), folder)
            else:
                objects = list_objects_below(self._store(), folder, place.start, ordered=self._is_ordered())
            files = list(self._files(objects))
        except _FAILURES as error:
            raise ListingError(f"cannot list {self.root} at {prefix}: {_reason(error)}") from error
        if not objects:
            self.check()
        return to_table(prefix, map(self.listed, files))

    def _is_ordered(self) -> bool:
        parts = urlsplit(self.root)
        return parts.scheme.lower() in _IN_ORDER and not parts.netloc.endswith(_DIRECTORY_BUCKET)

    def _files(self, objects: Iterable[Any]) -> Iterator[Any]:
        """Yield the objects that are no folder markers.

        The key of a marker is listed without the slash that it ends in, so it looks like an empty object: only the
        store can tell whether there is one.
        """
        empty: list[Any] = []
        for found in objects:
            if found["size"]:
                yield found
            else:
                empty.append(found)
        if empty:
            with ThreadPoolExecutor(_ASKED_AT_ONCE) as pool:
                for found, is_file in zip(empty, pool.map(self._is_empty_file, empty), strict=True):
                    if is_file:
                        yield found

    def _is_empty_file(self, found: Any) -> bool:
        try:
            return bool(found["path"]) and obstore.head(self._store(), found["path"])["size"] == 0
        except FileNotFoundError:
            return False

    def look(self, path: str) -> ListedFile | None:
        """Return a file as the store has it now, ``None`` where there is none; raises :class:`ListingError`."""
        try:
            return self.listed(obstore.head(self._store(), path.removeprefix(self.root + "/")))
        except FileNotFoundError:
            return None
        except _FAILURES as error:
            raise ListingError(f"cannot look at an object of {self.root}: {_reason(error)}") from error

    def listed(self, found: Any) -> ListedFile:
        """Return an object as a listing has it."""
        etag: str | None = found["e_tag"]
        return ListedFile(
            path=f"{self.root}/{found['path']}",
            relative_path=found["path"],
            size=found["size"],
            modified_at=found["last_modified"],
            etag=etag,
            fingerprint=etag.strip('"') if etag else _version(found),
        )

    @contextmanager
    def open(self, path: str, listed: Listed | None = None) -> Iterator["BucketSource"]:
        """Open an object for reading by range.

        Where it was listed, that costs no request: each request for bytes is held against the listing by itself.
        """
        key = path.removeprefix(self.root + "/")
        if listed is None:
            try:
                found = obstore.head(self._store(), key)
            except _FAILURES as error:
                raise _as_os_error(error) from error
            listed = Listed(found["size"], _version(found))
        source = BucketSource(self._store(), key, listed)
        yield source
        if source.changed:  # whatever became of the error: a reader may have taken it for damage
            raise FileChangedError(_CHANGED)


@dataclass(slots=True)
class BucketSource:
    """One version of an object, read by range requests.

    Attributes
    ----------
    store, key, listed
        What is read.
    changed
        Whether the store was found to have another version.

    """

    store: ObjectStore
    key: str
    listed: Listed
    changed: bool = False

    @property
    def size(self) -> int:
        """Length of that version in bytes."""
        return self.listed.size

    @property
    def version(self) -> str:
        """That version."""
        return self.listed.version

    def read(self, offset: int, length: int) -> bytes:
        """Return the bytes ``[offset, offset + length)``, fewer at the end of the object.

        Raises
        ------
        FileChangedError
            The store has another version by now.
        StorageError
            It cannot be read.

        """
        offset, length = clamp(offset, length, self.size)
        if not length:
            return b""
        options: GetOptions = {"range": (offset, offset + length)}
        if self.listed.version.startswith('"'):  # a strong entity tag (RFC 9110, 13.1.1)
            options["if_match"] = self.listed.version
        try:
            answer = obstore.get(self.store, self.key, options=options)
            # Some servers take no notice of the condition, but all tell what they send.
            self.changed |= _comparable(_version(answer.meta)) != _comparable(self.listed.version)
            content = b"" if self.changed else bytes(answer.bytes())
        except PreconditionError:
            self.changed = True
        except _FAILURES as error:
            failure = _as_os_error(error)
            raise StorageError(failure.errno, failure.strerror) from error
        if self.changed:
            raise FileChangedError(_CHANGED)
        return content


_CHANGED = "the object is not the version that was listed"
_FRACTION = re.compile(r"\.\d+(?=[+-]\d\d:\d\d$)")


def _version(found: "ObjectMeta") -> str:
    """Return the version of an object: its entity tag, or its size and time where the store gives none."""
    return found["e_tag"] or f"{found['size']}-{found['last_modified'].isoformat()}"


def _comparable(version: str) -> str:
    """Return a version as it is the same in a listing and in the answer to a request.

    One may quote the entity tag and the other not, and only listings have fractions of a second.
    """
    return _FRACTION.sub("", version.removeprefix("W/").strip('"'))


def _names(folder: str) -> tuple[str, ...]:
    return tuple(folder.rstrip("/").split("/"))


def _reason(error: Exception) -> str:
    return why(str(error)) or type(error).__name__


def _as_os_error(error: Exception) -> OSError:
    """Return a store's error as the operating system would put it; the message may hold URLs, so it is dropped."""
    if isinstance(error, FileNotFoundError | NotFoundError):
        return FileNotFoundError(errno.ENOENT, "no such object")
    if isinstance(error, PermissionDeniedError | UnauthenticatedError):
        return PermissionError(errno.EACCES, "access denied")
    reason = _reason(error)
    return OSError(errno.ETIMEDOUT if reason == TIMED_OUT else errno.EIO, f"object store: {reason}")

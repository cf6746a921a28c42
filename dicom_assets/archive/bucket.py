"""An archive in an object store: S3, Google Cloud Storage, Azure Blob Storage."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import obstore
import pyarrow as pa
from obstore.exceptions import BaseError
from obstore.store import ObjectStore, from_url

from dicom_assets.archive.base import ArchiveError
from dicom_assets.archive.listing import ListedFile, ListingError, to_table
from dicom_assets.archive.prefixes import ROOT_PREFIX, decode_prefix, encode_prefix


@dataclass(frozen=True)
class BucketArchive:
    """Objects below a URI.

    Objects whose key ends in ``/`` (folder markers of consoles) are no files and are left out.

    Attributes
    ----------
    root
        ``s3://bucket/prefix``, ``gs://...``, ``az://account/container/...``, without a slash at the end.
    depth
        How many directories make a prefix.
    options
        Options of the store, as object_store names them. Never logged: they hold credentials.

    """

    root: str
    depth: int
    options: Mapping[str, str] = field(default_factory=dict, repr=False)

    def _store(self) -> ObjectStore:
        store: ObjectStore | None = self.__dict__.get("_opened")
        if store is None:
            store = from_url(self.root, config=dict(self.options) or None)  # type: ignore[arg-type]
            self.__dict__["_opened"] = store
        return store

    def __getstate__(self) -> dict[str, Any]:
        """Leave the connection behind: it is opened anew where it is used."""
        return {name: value for name, value in self.__dict__.items() if name != "_opened"}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state)

    def check(self) -> None:
        """Raise :class:`ArchiveError` unless the root can be listed."""
        try:
            obstore.list_with_delimiter(self._store())
        except BaseError as error:
            raise ArchiveError(f"cannot list the archive root {self.root}: {type(error).__name__}") from error

    def prefixes(self) -> Iterator[str]:
        """Yield the prefixes in sorted order; the root prefix only when it has files."""
        found: list[str] = []
        try:
            above = self._shallow_files((), found)
        except BaseError as error:
            raise ArchiveError(f"cannot list {self.root}: {type(error).__name__}") from error
        if above:
            yield ROOT_PREFIX
        yield from sorted(found)

    def _shallow_files(self, names: tuple[str, ...], found: list[str]) -> bool:
        """Collect the prefixes below some directories; return whether files stand above them."""
        if len(names) == self.depth:
            found.append(encode_prefix(names))
            return False
        listed = obstore.list_with_delimiter(self._store(), "/".join(names) or None)
        files = bool(listed["objects"])
        for folder in listed["common_prefixes"]:
            files |= self._shallow_files(tuple(folder.rstrip("/").split("/")), found)
        return files

    def list(self, prefix: str) -> pa.Table:
        """Return the files of a prefix, in the order of paths."""
        directories = decode_prefix(prefix, self.depth)
        try:
            if prefix == ROOT_PREFIX and self.depth:
                objects = list(self._shallow_objects(()))
            else:
                stream = obstore.list(self._store(), "/".join(directories) or None, chunk_size=1000)
                objects = [found for chunk in stream for found in chunk]
        except BaseError as error:
            raise ListingError(f"cannot list {self.root} at {prefix}: {type(error).__name__}") from error
        if not objects:
            self.check()
        return to_table(prefix, map(self._listed, objects))

    def _shallow_objects(self, names: tuple[str, ...]) -> Iterator[Any]:
        """Yield the objects above the prefix depth."""
        if len(names) == self.depth:
            return
        listed = obstore.list_with_delimiter(self._store(), "/".join(names) or None)
        yield from listed["objects"]
        for folder in listed["common_prefixes"]:
            yield from self._shallow_objects(tuple(folder.rstrip("/").split("/")))

    def _listed(self, found: Any) -> ListedFile:
        etag: str | None = found["e_tag"]
        modified = found["last_modified"]
        return ListedFile(
            path=f"{self.root}/{found['path']}",
            relative_path=found["path"],
            size=found["size"],
            modified_at=modified,
            etag=etag,
            fingerprint=etag.strip('"') if etag else f"{found['size']}-{modified.isoformat()}",
        )

    @contextmanager
    def open(self, path: str) -> Iterator["BucketSource"]:
        """Open an object for reading by range."""
        key = path.removeprefix(self.root + "/")
        try:
            yield BucketSource(self._store(), key, obstore.head(self._store(), key)["size"])
        except BaseError as error:
            raise _as_os_error(error) from error


@dataclass(frozen=True, slots=True)
class BucketSource:
    """An object, read by range requests."""

    store: ObjectStore
    key: str
    size: int

    def read(self, offset: int, length: int) -> bytes:
        """Return the bytes ``[offset, offset + length)``, fewer at the end of the object."""
        length = min(length, self.size - offset)
        if length <= 0:
            return b""
        try:
            return bytes(obstore.get_range(self.store, self.key, start=offset, length=length))
        except BaseError as error:
            raise _as_os_error(error) from error


def _as_os_error(error: BaseError) -> OSError:
    """Return a store's error as the operating system would put it; the message may hold URLs, so it is dropped."""
    name = type(error).__name__
    if name == "NotFoundError":
        return FileNotFoundError("no such object")
    if name in ("PermissionDeniedError", "UnauthenticatedError"):
        return PermissionError("access denied")
    return OSError(f"object store: {name}")

"""Single files of a catalog: found by path or UID, and opened in the archive as the version that was cataloged."""

import errno
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from dicom_assets.archive.base import Archive, ArchiveError
from dicom_assets.archive.containers.faults import MemberError
from dicom_assets.archive.sources import read, rebased, root_of, same_source, written
from dicom_assets.archive.versions import FileChangedError, Listed
from dicom_assets.dicom.source import ByteSource
from dicom_assets.isolation import IsolationError
from dicom_assets.query.errors import ChangedFileError, NotInCatalogError
from dicom_assets.query.lineage_names import is_uid, spellings
from dicom_assets.query.sql_text import literal
from dicom_assets.query.visible import visible
from dicom_assets.tables import FILE_INDEX, SOURCE

if TYPE_CHECKING:
    from dicom_assets.query.database import Catalog

_GONE = frozenset({errno.ENOENT, errno.ENOTDIR})


@dataclass(frozen=True, slots=True)
class IndexedFile:
    """One file, as the index has it.

    Attributes
    ----------
    prefix, path, relative_path, fingerprint
        As in ``file_index``.
    listed
        The version that was listed.

    """

    prefix: str
    path: str
    relative_path: str
    fingerprint: str
    listed: Listed

    @classmethod
    def of(cls, row: Mapping[str, Any]) -> "IndexedFile":
        """Return the file of a row of ``file_index``."""
        return cls(row["prefix"], row["path"], row["relative_path"], row["fingerprint"], Listed.of(row))


def find_file(catalog: "Catalog", asked: str) -> IndexedFile:
    """Return the file of a path or of a SOP Instance UID.

    Parameters
    ----------
    catalog
        Where it is looked for.
    asked
        Path or URI, absolute or relative to the working directory or to the root of the archive; or a UID.

    Raises
    ------
    NotInCatalogError
        There is no such file, it was removed, or several have the UID.

    """
    source = _properties(catalog).get(SOURCE)
    candidates = [] if "\0" in asked else spellings(asked, source)  # which no path has, and SQL ends at
    found = {file.path: file for file in files_of(catalog, candidates)}
    for path in candidates:
        if path in found:
            return found[path]
    if not is_uid(asked):
        raise NotInCatalogError(f"the catalog has no file {visible(asked)}")
    files = files_of(catalog, _paths_of(catalog, "SOPInstanceUID", asked))
    if len(files) > 1:
        raise NotInCatalogError(f"{len(files)} files have the SOP Instance UID {asked}: give the path of one of them")
    if files:
        return files[0]
    for level in ("Series", "Study"):
        if count := len(_paths_of(catalog, f"{level}InstanceUID", asked)):
            raise NotInCatalogError(f"{asked} is a {level.lower()} of {count} files: give a path or SOP Instance UID")
    raise NotInCatalogError(f"the catalog has no instance {asked}")


def files_of(catalog: "Catalog", paths: Iterable[str]) -> list[IndexedFile]:
    """Return the files that have one of some paths, as tables write them, and are in the archive."""
    wanted = ", ".join(map(literal, paths))
    if not wanted:
        return []
    rows = catalog.sql(f"SELECT * FROM {FILE_INDEX.name} WHERE path IN ({wanted})")  # noqa: S608 - literals
    return [IndexedFile.of(row) for row in rows.to_arrow_table().to_pylist() if row.get("removed_at") is None]


def _paths_of(catalog: "Catalog", attribute: str, uid: str) -> list[str]:
    query = f"SELECT path FROM object_catalog WHERE {attribute} = {literal(uid)}"  # noqa: S608 - literals
    return [path for (path,) in catalog.sql(query).fetchall()]


@dataclass(frozen=True, slots=True)
class ArchiveReader:
    """Opens files in the archive of a catalog, wherever that is now.

    Attributes
    ----------
    archive
        What is read.
    root
        Its root as the tables have it.

    """

    archive: Archive
    root: str

    @classmethod
    def of(cls, catalog: "Catalog", file: IndexedFile) -> "ArchiveReader":
        """Return the reader of a catalog that has a file; an older index tells its root by its files only."""
        root = read(_properties(catalog).get(SOURCE) or root_of(file.path, file.relative_path))
        archive = catalog.archive_at(root)
        same = archive.root != root and same_source(written(archive.root), written(root))
        return cls(archive.at(root) if same else archive, root)

    @contextmanager
    def open(self, file: IndexedFile) -> Iterator[ByteSource]:
        """Open a file; nothing that was read of it is certain before the context ends without an error.

        Raises
        ------
        ChangedFileError
            It is gone, or is not the version that the catalog tells of.
        ArchiveError
            The archive cannot be reached, or the file not be read.

        """
        path, listed = file.path, file.listed
        if self.archive.root != self.root:
            # A copy: inode numbers and times of status change are its own, size and time of modification are not.
            path, listed = rebased(path, self.root, self.archive.root), Listed(listed.size, file.fingerprint)
        try:
            with self.archive.open(path, listed) as source:
                yield source
        except FileChangedError as error:
            raise ChangedFileError(
                f"{file.relative_path} has changed since it was cataloged: bring the catalog up to date, and ask again"
            ) from error
        except (IsolationError, MemberError):
            raise  # of a decoder process, or of what the file is; not of the archive
        except OSError as error:
            if error.errno in _GONE:
                raise ChangedFileError(
                    f"{file.relative_path} is not in the archive at {written(self.archive.root)}: was it removed, or "
                    "is the archive somewhere else here? Then open the catalog with archive="
                ) from error
            raise ArchiveError(
                f"{file.relative_path} cannot be read: {error.strerror or type(error).__name__}"
            ) from error


def _properties(catalog: "Catalog") -> Mapping[str, str]:
    delta = catalog.open_table(catalog.location(FILE_INDEX.name))
    found: Mapping[str, str] = delta.metadata().configuration
    return found

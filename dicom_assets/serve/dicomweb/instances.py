"""The instances that an address names, and their files as they were cataloged."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from dicom_assets.dicom.header import Header, read_header
from dicom_assets.dicom.source import ByteSource
from dicom_assets.extract.model import CATALOG_NAME
from dicom_assets.query.errors import ChangedFileError
from dicom_assets.query.fixed import FixedCatalog
from dicom_assets.query.indexed_files import ArchiveReader, IndexedFile
from dicom_assets.query.sql_text import identifier
from dicom_assets.serve.dicomweb.levels import COPY, LEVELS
from dicom_assets.serve.dicomweb.matching import Condition, among
from dicom_assets.serve.dicomweb.prefixes import below_named
from dicom_assets.serve.errors import NotFoundError
from dicom_assets.tables import FILE_INDEX

_COLUMNS = (
    "path", "prefix", "relative_path", "fingerprint", *(level.uid for level in LEVELS), "SOPClassUID",
    "TransferSyntaxUID", "Rows", "thumbnail_status", "made_at",
)  # fmt: skip


NONE = "the catalog has no such study, series or instance"


@dataclass(frozen=True, slots=True)
class Instance:
    """One SOP Instance, and the one of its files that stands for it.

    Attributes
    ----------
    path, prefix, fingerprint
        Of the file, as in ``object_catalog``.
    uids
        Its unique identifiers, by column.
    transfer_syntax
        That the file states, ``None`` where it states none.
    has_pixels
        Whether it is an image.
    file
        What the index says of its file; ``None`` where that was not looked up.
    made_at
        When its row was made; ``None`` where an older catalog does not tell.

    """

    path: str
    prefix: str
    fingerprint: str
    uids: Mapping[str, str]
    transfer_syntax: str | None
    has_pixels: bool
    file: IndexedFile | None = None
    made_at: datetime | None = None

    @property
    def version(self) -> tuple[str, str, str]:
        """What tells this state of the instance from all others: its file, and when that was read."""
        return self.path, self.fingerprint, str(self.made_at)


def find_instances(catalog: FixedCatalog, uids: Mapping[str, str]) -> Sequence[Instance]:
    """Return the instances below a study, a series, or with one identifier; in the order of their numbers.

    Parameters
    ----------
    catalog
        Where to look.
    uids
        By column: all of them have to agree.

    Raises
    ------
    NotFoundError
        There is none.

    """
    return _instances(_rows(catalog, uids))


def find_few(catalog: FixedCatalog, uids: Mapping[str, str], most: int) -> Sequence[Instance] | None:
    """Return the same, but nothing where they have more than so many files."""
    rows = _rows(catalog, uids, f"LIMIT {most + 1}")
    return None if len(rows) > most else _instances(rows)


def _rows(catalog: FixedCatalog, uids: Mapping[str, str], limit: str = "") -> Sequence[Mapping[str, Any]]:
    present = catalog.columns(CATALOG_NAME)
    named = [identifier(name) for name in _COLUMNS if name in present]
    below = below_named(catalog, uids) or Condition("true")
    named_by = [f"{column} = ?" for column in uids]
    where = " AND ".join([below.sql, *named_by, *(f"{level.uid} IS NOT NULL" for level in LEVELS)])
    query = (
        f"SELECT {', '.join(named)} FROM {CATALOG_NAME} WHERE {where} "  # noqa: S608 - bound
        f"ORDER BY SeriesInstanceUID, InstanceNumber NULLS LAST, SOPInstanceUID, {COPY} {limit}"
    )
    rows: Sequence[Mapping[str, Any]] = catalog.ask(query, [*below.values, *uids.values()]).to_pylist()
    return rows


def _instances(rows: Iterable[Mapping[str, Any]]) -> Sequence[Instance]:
    """Return the instances that files are of, the first file of each."""
    found: dict[tuple[str, str], Instance] = {}
    for row in rows:
        names = {level.uid: row[level.uid] for level in LEVELS}
        has_pixels = row.get("Rows") is not None and row.get("thumbnail_status") != "no_pixel_data"
        one = Instance(
            row["path"],
            row["prefix"],
            row["fingerprint"],
            names,
            row.get("TransferSyntaxUID"),
            has_pixels,
            made_at=row.get("made_at"),
        )
        found.setdefault((names["SeriesInstanceUID"], names["SOPInstanceUID"]), one)
    if not found:
        raise NotFoundError(NONE)
    return list(found.values())


def find_files(catalog: FixedCatalog, instances: Sequence[Instance]) -> Mapping[tuple[str, str], IndexedFile]:
    """Return what the index says of the files of instances that are in the archive, by path and fingerprint."""
    below = among("prefix", list(dict.fromkeys(one.prefix for one in instances)))
    named = among("path", [one.path for one in instances])
    query = f"SELECT * FROM {FILE_INDEX.name} WHERE {below.sql} AND {named.sql}"  # noqa: S608 - values are bound
    rows = catalog.ask(query, [*below.values, *named.values]).to_pylist()
    return {(row["path"], row["fingerprint"]): IndexedFile.of(row) for row in rows if row.get("removed_at") is None}


@dataclass(frozen=True, slots=True)
class Files:
    """Files of instances in the archive of a catalog.

    Attributes
    ----------
    catalog
        The catalog.

    """

    catalog: FixedCatalog

    @contextmanager
    def open(self, instance: Instance) -> Iterator[ByteSource]:
        """Open the file of an instance; nothing of it is certain before the context ends without an error.

        Raises
        ------
        ChangedFileError
            It is gone, or is not the version that the header in the catalog is of.
        ArchiveError
            It cannot be read.

        """
        file = self._indexed(instance)
        with ArchiveReader.of(self.catalog, file).open(file) as source:
            yield source

    @contextmanager
    def header(self, instance: Instance) -> Iterator[Header]:
        """Open the file of an instance and read its header; as :meth:`open` does."""
        with self.open(instance) as source:
            yield read_header(source)

    def _indexed(self, instance: Instance) -> IndexedFile:
        """Return what the index says of the file, if that is the version that was cataloged."""
        if instance.file is not None:
            return instance.file
        found = find_files(self.catalog, [instance]).get((instance.path, instance.fingerprint))
        if found is None:
            raise ChangedFileError("the file has changed since it was cataloged, or is gone")
        return found

"""What a table is, and the columns that every table of a catalog shares; ``file_index``, which all others follow.

Dagster column schemas, Delta schemas, asset checks and the documentation derive from such declarations. Tables that are
filled from the content of files are declared by their extractors (:mod:`dicom_assets.extract`).
"""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

import pyarrow as pa

KEY = "path"
"""Key of the tables that have a row for each file."""
PARTITION = "prefix"
THUMBNAIL_PATH = "thumbnail_path"
"""Column of the file whose thumbnail stands for a series."""
PATHS = (KEY, THUMBNAIL_PATH)
"""Columns that hold paths of files, in whatever table: what follows an archive that moves."""

_TIMESTAMP = pa.timestamp("us", tz="UTC")


@dataclass(frozen=True, slots=True)
class Column:
    """One column.

    Attributes
    ----------
    name
        The DICOM keyword where the column holds an attribute, else our own name.
    type
        Arrow type.
    description
        One sentence for the people who query it.
    statistics
        Whether data files carry minimum, maximum and null count of it, so that readers can skip files.
    tag, vr
        Of the DICOM attribute (PS3.6), for promoted header columns.
    in_catalog
        Whether ``object_catalog`` has the column too, for tables that are joined there.

    """

    name: str
    type: pa.DataType
    description: str
    statistics: bool = False
    tag: str | None = None
    vr: str | None = None
    in_catalog: bool = True


@dataclass(frozen=True)
class Table:
    """One Delta table, with ``prefix`` as its partition column.

    Attributes
    ----------
    name, description
        What it is called and what it holds, for people.
    columns
        In order.
    key
        Name of the column that tells the rows of one prefix apart. Most tables have a row for each file, by its path,
        and a file has one prefix only; the files of a series may stand in several.

    """

    name: str
    description: str
    columns: tuple[Column, ...]
    key: str = KEY

    def __iter__(self) -> Iterator[Column]:
        """Iterate over the columns in order."""
        return iter(self.columns)

    def __getitem__(self, name: str) -> Column:
        """Return a column by name; raises :class:`KeyError`."""
        for column in self.columns:
            if column.name == name:
                return column
        raise KeyError(name)

    @property
    def identity(self) -> tuple[str, str]:
        """The columns that name one row: partition and key."""
        return PARTITION, self.key

    @cached_property
    def schema(self) -> pa.Schema:
        """Arrow schema; every column may be null but the key and the partition."""
        return pa.schema(
            [
                pa.field(
                    c.name,
                    c.type,
                    nullable=c.name not in self.identity,
                    metadata={"comment": c.description},
                )
                for c in self.columns
            ]
        )

    @cached_property
    def file_schema(self) -> pa.Schema:
        """Schema of a data file: Delta keeps partition columns in the log, not in the file."""
        return pa.schema([field for field in self.schema if field.name != PARTITION])

    @cached_property
    def statistics_columns(self) -> tuple[str, ...]:
        """Names of the columns with statistics in the log."""
        return tuple(column.name for column in self.columns if column.statistics)


PREFIX = Column(PARTITION, pa.string(), "Partition: the directories that the file stands below.")
PATH = Column(
    KEY,
    pa.string(),
    "Absolute URI, or absolute path of a local file; a member of a container is `scans.zip!/dir/member.dcm`.",
    statistics=True,
)
FINGERPRINT = Column(
    "fingerprint",
    pa.string(),
    "Version of the source file: its ETag, or its size and time; of a member of a ZIP, its checksum, size and time.",
)

RUN_ID = Column(
    "run_id",
    pa.string(),
    "Run that made the row: the id of Dagster's run, or `update-...` of an update without Dagster; null in rows of "
    "older releases.",
    statistics=True,
)
MADE_AT = Column(
    "made_at", _TIMESTAMP, "When that run began to make these rows; with `run_id`, it names one commit of the table."
)
PROVENANCE = (RUN_ID, MADE_AT)
"""Columns of every table that tell where a row comes from; they are no part of its version."""

DERIVED: tuple[Column, ...] = (
    PREFIX,
    PATH,
    FINGERPRINT,
    Column("extractor_version", pa.string(), "Version of the code that made the row."),
    Column("status", pa.string(), "How it went, one of the documented states.", statistics=True),
    Column("error", pa.string(), "One sentence on what is not well; carries no patient data."),
    *PROVENANCE,
)

INDEXED: tuple[Column, ...] = (
    Column("relative_path", pa.string(), "Path below the root of the archive."),
    Column("size", pa.int64(), "Length in bytes, null when the storage does not tell.", statistics=True),
    Column(
        "modified_at",
        _TIMESTAMP,
        "Last modification, as the storage tells it; null for a time outside the years 1 to 9999.",
        statistics=True,
    ),
    Column("etag", pa.string(), "Entity tag of the object store, null on a file system."),
)
_SOURCE_VERSION = Column(
    "source_version",
    pa.string(),
    "What a file system says of the version: size, times of modification and status change in ns, inode number; "
    "null for an object. Of a ZIP or TAR also the number of its members; of a member, its place in a version of the "
    "container.",
)
INDEXED_AT = Column("indexed_at", _TIMESTAMP, "When this version of the file was first listed.", statistics=True)
REMOVED_AT = Column(
    "removed_at",
    _TIMESTAMP,
    "When the file was found gone, where rows of removed files are kept; null while it is there.",
)

FILE_INDEX = Table(
    "file_index",
    "Every file of the archive, as last listed.",
    (PREFIX, PATH, *INDEXED, FINGERPRINT, _SOURCE_VERSION, INDEXED_AT, REMOVED_AT, *PROVENANCE),
)

SOURCE = "dicom_assets.source"
"""Property of ``file_index``: the root below which its files were listed, as its rows have it."""

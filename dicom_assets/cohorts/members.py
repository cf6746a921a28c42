"""The members of a cohort: the columns of its table, one member as a value, and the digest that names them all."""

from collections.abc import Iterator
from dataclasses import dataclass
from hashlib import sha256

import orjson
import pyarrow as pa

from dicom_assets.tables import FINGERPRINT, INDEXED, PATH, PREFIX, Column

_INDEXED = {column.name: column for column in INDEXED}
_STRING, _INT = pa.string(), pa.int32()

FROM_CATALOG: tuple[Column, ...] = (
    PREFIX,
    PATH,
    _INDEXED["relative_path"],
    _INDEXED["size"],
    FINGERPRINT,
    _INDEXED["etag"],
    Column("sha256", _STRING, "SHA-256 of the content, null unless the catalog has it."),
    Column("PatientID", _STRING, "Primary identifier of the patient."),
    Column("StudyInstanceUID", _STRING, "Unique identifier of the study."),
    Column("SeriesInstanceUID", _STRING, "Unique identifier of the series."),
    Column("SOPInstanceUID", _STRING, "Unique identifier of the object."),
    Column("SOPClassUID", _STRING, "Kind of the object."),
    Column("Modality", _STRING, "Type of device or process."),
    Column("InstanceNumber", _INT, "Number of the object in its series."),
    Column("NumberOfFrames", _INT, "Number of frames, null when not stated."),
    Column("Rows", _INT, "Height in pixels, null of objects that are no images."),
    Column("Columns", _INT, "Width in pixels."),
    Column("status", _STRING, "Of the file, when the cohort was made."),
)
"""Columns that are as ``object_catalog`` had them."""

SPLIT = Column("split", _STRING, "Where the member stands, null in a cohort without splits.")
MEMBERS: tuple[Column, ...] = (*FROM_CATALOG, SPLIT)
SCHEMA = pa.schema([pa.field(c.name, c.type, metadata={"comment": c.description}) for c in MEMBERS])

_NAMED = (
    "relative_path",
    "fingerprint",
    "PatientID",
    "StudyInstanceUID",
    "SeriesInstanceUID",
    "SOPInstanceUID",
    "split",
)
"""What makes a member another one. Where the archive is mounted is not among it."""
_BATCH_ROWS = 1 << 16


@dataclass(frozen=True, slots=True)
class Member:
    """What it takes to read the file of a member, and to be sure that it is the one.

    Attributes
    ----------
    path
        As tables hold it.
    size
        Length in bytes.
    fingerprint, etag, sha256
        What the catalog had of its version; the last two may be ``None``.

    """

    path: str
    size: int
    fingerprint: str
    etag: str | None = None
    sha256: str | None = None


def members_of(rows: pa.Table) -> Iterator[Member]:
    """Yield the members that rows of :data:`SCHEMA` hold, in their order."""
    for batch in rows.select(["path", "size", "fingerprint", "etag", "sha256"]).to_batches(_BATCH_ROWS):
        for path, size, fingerprint, etag, digest in zip(*(c.to_pylist() for c in batch.columns), strict=True):
            yield Member(path, size or 0, fingerprint or "", etag, digest)


def digest_of(rows: pa.Table) -> str:
    """Return the SHA-256 of who the members are, in hexadecimal: equal for equal members, in any lake.

    Parameters
    ----------
    rows
        As :data:`SCHEMA`, in the order of ``relative_path``.

    """
    hasher = sha256()
    for batch in rows.select(list(_NAMED)).to_batches(_BATCH_ROWS):
        for row in zip(*(column.to_pylist() for column in batch.columns), strict=True):
            hasher.update(orjson.dumps(row, option=orjson.OPT_APPEND_NEWLINE))
    return hasher.hexdigest()

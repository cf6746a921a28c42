"""``file_metadata``: what the path and the first bytes of a file tell."""

import hashlib
import posixpath
import re
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

import pyarrow as pa

from dicom_assets.dicom.source import chunks
from dicom_assets.extract.extractor import ExtractedTable, Extractor
from dicom_assets.extract.media_type import media_type, media_type_of_dicom
from dicom_assets.extract.source_file import SourceFile, head_digest
from dicom_assets.extract.status import CatalogStatus, Status
from dicom_assets.tables import Column


class MetadataStatus(StrEnum):
    """How the first bytes of a file were read."""

    OK = "ok"
    """They were read."""
    EMPTY = "empty"
    """The file has no bytes."""
    ERROR = "error"
    """The file could not be read; ``error`` says why."""


FILE_METADATA = ExtractedTable(
    "file_metadata",
    "What the name and the first bytes of a file tell.",
    (
        Column("file_name", pa.string(), "Last part of the path."),
        Column("extension", pa.string(), "Lower case, without its dot; null when there is none."),
        Column("path_tags", pa.list_(pa.string()), "Directory names and the tokens of the file name."),
        Column("media_type", pa.string(), "Told from the content, not from the name.", statistics=True),
        Column("is_dicom", pa.bool_(), "Whether the content is a DICOM file."),
        Column("sha256", pa.string(), "SHA-256 of the content in hexadecimal, null unless switched on."),
        Column(
            "head_digest",
            pa.string(),
            "Half of the SHA-256 of the first 64 KiB in hexadecimal; verifies a file whose inode or status changed.",
            in_catalog=False,
        ),
    ),
    statuses=(
        Status(MetadataStatus.OK, CatalogStatus.OK),
        Status(MetadataStatus.EMPTY, CatalogStatus.NOT_DICOM),
        Status(MetadataStatus.ERROR, CatalogStatus.DAMAGED),
    ),
    status_column="metadata_status",
)


@dataclass(frozen=True)
class MetadataExtractor(Extractor):
    """Fills ``file_metadata``.

    Attributes
    ----------
    sha256
        Whether to hash the content, which reads the whole file.

    """

    sha256: bool = False

    table = FILE_METADATA
    limits = None

    @property
    def beyond_head(self) -> bool:  # type: ignore[override]
        """Whether the content is hashed."""
        return self.sha256

    @property
    def version(self) -> str:  # type: ignore[override]
        """Version of code and options."""
        return "metadata-2+sha256" if self.sha256 else "metadata-2"

    def extract(self, file: SourceFile) -> dict[str, Any]:
        """Return the columns of one file."""
        digest = None
        if self.sha256:
            hasher = hashlib.sha256()
            for block in chunks(file.source):
                hasher.update(block)
            digest = hasher.hexdigest()
        return {
            "status": MetadataStatus.OK if file.head else MetadataStatus.EMPTY,
            "media_type": media_type_of_dicom(file.head) if file.is_dicom else media_type(file.head),
            "is_dicom": file.is_dicom,
            "sha256": digest,
            "head_digest": head_digest(file.head),
            **path_columns(file.key.relative_path),
        }

    def unread(self, file: SourceFile) -> dict[str, Any]:
        """Return what the name alone tells."""
        return path_columns(file.key.relative_path)


_TOKEN_BREAKS = re.compile(r"[\s_.,;+=()\[\]{}-]+")


def path_columns(relative_path: str) -> dict[str, Any]:
    """Return the columns that a path tells: name, extension, and the tags to find it by."""
    folder, name = posixpath.split(relative_path)
    stem, extension = posixpath.splitext(name)
    tags = [*folder.split("/"), *_TOKEN_BREAKS.split(stem)]
    return {
        "file_name": name,
        "extension": extension[1:].lower() or None,
        "path_tags": list(dict.fromkeys(tag for tag in tags if tag)),
    }

"""What is taken out of a file: one extractor for each table.

An extractor turns a :class:`~dicom_assets.extract.source_file.SourceFile` into the columns of its table that are its
own. Its version names the code and the options that shape the rows: a new version recomputes exactly its rows.
"""

import hashlib
import posixpath
import re
from dataclasses import dataclass, field
from typing import Any, Protocol

from dicom_assets.dicom.header import header_json
from dicom_assets.dicom.render.options import ThumbnailOptions
from dicom_assets.dicom.source import chunks
from dicom_assets.dicom.status import HeaderStatus
from dicom_assets.dicom.thumbnail import Thumbnail, render_thumbnail
from dicom_assets.extract.media_type import media_type, media_type_of_dicom
from dicom_assets.extract.promote import promote
from dicom_assets.extract.source_file import SourceFile, head_digest
from dicom_assets.extract.status import MetadataStatus
from dicom_assets.extract.version import changed_options
from dicom_assets.tables import DICOM_HEADERS, FILE_METADATA, THUMBNAILS, Table


class Extractor(Protocol):
    """Makes the rows of one table. Instances travel to Spark workers."""

    @property
    def table(self) -> Table:
        """Return the table that the rows are for."""
        ...

    @property
    def version(self) -> str:
        """Return the version of code and options."""
        ...

    def extract(self, file: SourceFile) -> dict[str, Any]:
        """Return the extractor's own columns.

        Raises :class:`~dicom_assets.dicom.source.StorageError` when the file cannot be read; anything else that is
        raised costs this row.
        """
        ...

    def failed(self, file: SourceFile) -> dict[str, Any]:
        """Return the columns of a file that could not be read, as far as its name tells."""
        ...


@dataclass(frozen=True, slots=True)
class MetadataExtractor:
    """Tells what the path and the first bytes tell.

    Attributes
    ----------
    sha256
        Whether to hash the content, which reads the whole file.

    """

    sha256: bool = False

    @property
    def table(self) -> Table:
        """Return ``file_metadata``."""
        return FILE_METADATA

    @property
    def version(self) -> str:
        """Return the version of code and options."""
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

    def failed(self, file: SourceFile) -> dict[str, Any]:
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


@dataclass(frozen=True, slots=True)
class HeaderExtractor:
    """Reads the whole header and promotes its common attributes to typed columns."""

    @property
    def table(self) -> Table:
        """Return ``dicom_headers``."""
        return DICOM_HEADERS

    @property
    def version(self) -> str:
        """Return the version of the code."""
        return "headers-2"

    def extract(self, file: SourceFile) -> dict[str, Any]:
        """Return the columns of one file."""
        header = file.header
        has_content = bool(header.dataset or header.file_meta)
        columns, found = promote(header)
        status = HeaderStatus.ISSUES if found and header.status is HeaderStatus.OK else header.status
        return {
            "status": status,
            "error": header.error,
            "header": header_json(header).decode() if has_content else None,
            "issues": [
                {"path": issue.path, "vr": issue.vr, "code": issue.code, "raw": issue.raw}
                for issue in (*header.issues, *found)
            ],
            **columns,
        }

    def failed(self, file: SourceFile) -> dict[str, Any]:  # noqa: ARG002 - part of the protocol
        """Return nothing: the name of a file tells nothing of its header."""
        return {}


@dataclass(frozen=True, slots=True)
class ThumbnailExtractor:
    """Renders one small image of the object."""

    options: ThumbnailOptions = field(default_factory=ThumbnailOptions)

    @property
    def table(self) -> Table:
        """Return ``thumbnails``."""
        return THUMBNAILS

    @property
    def version(self) -> str:
        """Return the version of the code and of all options, ``thumbnails-2`` where they are the defaults."""
        return f"thumbnails-2{changed_options(self.options)}"

    def extract(self, file: SourceFile) -> dict[str, Any]:
        """Return the columns of one file."""
        made: Thumbnail = render_thumbnail(file.header, self.options)
        return {
            "status": made.status,
            "error": made.error,
            "thumbnail": made.data,
            "thumbnail_media_type": made.media_type,
            "thumbnail_width": made.width,
            "thumbnail_height": made.height,
            "frame_number": made.frame_number,
            "window_center": made.window_center,
            "window_width": made.window_width,
        }

    def failed(self, file: SourceFile) -> dict[str, Any]:  # noqa: ARG002 - part of the protocol
        """Return nothing: the name of a file tells nothing of its pixels."""
        return {}

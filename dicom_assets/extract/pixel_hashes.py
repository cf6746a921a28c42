"""``pixel_hashes``: by what two files are told to hold the same image, or the same object."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Any

import pyarrow as pa

from dicom_assets.dicom.pixels.digest import header_digest, pixel_digest
from dicom_assets.dicom.pixels.errors import CutError, PixelError
from dicom_assets.dicom.status import HeaderStatus
from dicom_assets.extract.extractor import ExtractedTable, Extractor
from dicom_assets.extract.source_file import SourceFile
from dicom_assets.extract.status import CatalogStatus, Status
from dicom_assets.tables import Column


class PixelHashStatus(StrEnum):
    """How the pixel data of a file was hashed."""

    OK = "ok"
    """There is a hash of all pixel data."""
    NO_PIXEL_DATA = "no_pixel_data"
    """A DICOM object without an image; its header has a hash."""
    PARTIAL = "partial"
    """The pixel data is cut short or empty, so that there is nothing to compare."""
    NOT_DICOM = "not_dicom"
    """The content is something else."""
    UNSUPPORTED = "unsupported"
    """The header describes no layout of pixels, or a limit stopped the reading; ``error`` names it."""
    ERROR = "error"
    """The pixel data cannot be followed, or the file could not be read; ``error`` says why."""


PIXEL_HASHES = ExtractedTable(
    "pixel_hashes",
    "Hashes of pixel data and header, by which copies of an image are found; made with `--pixel-hash`.",
    (
        Column(
            "pixel_hash",
            pa.string(),
            "SHA-256 of the pixel data as it is stored, and of what the header says of its layout; the same for native "
            "data of any byte order. Null where there is none, or not all.",
        ),
        Column("pixel_bytes", pa.int64(), "Bytes of pixel data that were hashed."),
        Column(
            "header_hash",
            pa.string(),
            "SHA-256 of the data set without pixel data and file meta information; null where it was not read whole.",
        ),
    ),
    statuses=(
        Status(PixelHashStatus.OK, CatalogStatus.OK),
        Status(PixelHashStatus.NO_PIXEL_DATA, CatalogStatus.NO_IMAGE),
        Status(PixelHashStatus.PARTIAL, CatalogStatus.DAMAGED),
        Status(PixelHashStatus.NOT_DICOM, CatalogStatus.NOT_DICOM),
        Status(PixelHashStatus.UNSUPPORTED, CatalogStatus.ISSUES),
        Status(PixelHashStatus.ERROR, CatalogStatus.DAMAGED),
    ),
    status_column="pixel_hash_status",
)

_WHOLE = frozenset({HeaderStatus.OK, HeaderStatus.ISSUES, HeaderStatus.DICOMDIR})
"""Of headers that were read to their end."""
_ELSE = frozenset({HeaderStatus.NOT_DICOM, HeaderStatus.EMPTY})


@dataclass(frozen=True)
class PixelHashExtractor(Extractor):
    """Hashes the pixel data of each file, which it reads whole, a block at a time and no byte twice."""

    table = PIXEL_HASHES
    version = "pixel-hashes-1"
    limits = None  # nothing is decoded

    def extract(self, file: SourceFile) -> dict[str, Any]:
        """Return the columns of one file."""
        header = file.header
        if header.status in _ELSE:
            return {"status": PixelHashStatus.NOT_DICOM}
        found = {"header_hash": header_digest(header) if header.status in _WHOLE else None}
        if header.pixel is None:
            if header.status in _WHOLE:
                return {**found, "status": PixelHashStatus.NO_PIXEL_DATA}
            return {**found, "status": PixelHashStatus.PARTIAL, "error": "the file was not read to its pixel data"}
        try:
            pixel_hash, pixel_bytes = pixel_digest(header)
        except PixelError as error:
            return {**found, "status": _status(error), "error": str(error)}
        return {**found, "status": PixelHashStatus.OK, "pixel_hash": pixel_hash, "pixel_bytes": pixel_bytes}


def _status(error: PixelError) -> PixelHashStatus:
    if isinstance(error, CutError):
        return PixelHashStatus.PARTIAL
    # That Rows are missing is a NoPixelDataError, and here there is pixel data.
    return PixelHashStatus.UNSUPPORTED if error.status is not PixelError.status else PixelHashStatus.ERROR

"""``thumbnails``: one small image of every file that has pixels."""

from dataclasses import dataclass, field
from typing import Any

import pyarrow as pa

from dicom_assets.dicom.render.options import ThumbnailOptions
from dicom_assets.dicom.status import ThumbnailStatus
from dicom_assets.dicom.thumbnail import render_thumbnail
from dicom_assets.extract.extractor import ExtractedTable, Extractor
from dicom_assets.extract.source_file import SourceFile
from dicom_assets.extract.status import CatalogStatus, Status
from dicom_assets.extract.version import changed_options
from dicom_assets.tables import Column

THUMBNAILS = ExtractedTable(
    "thumbnails",
    "One small image per file that has pixels.",
    (
        Column("thumbnail", pa.binary(), "The encoded image."),
        Column("thumbnail_media_type", pa.string(), "`image/jpeg` or `image/png`."),
        Column("thumbnail_width", pa.int32(), "Width in pixels."),
        Column("thumbnail_height", pa.int32(), "Height in pixels."),
        Column("frame_number", pa.int32(), "Frame that it shows, counted from 1."),
        Column("window_center", pa.float64(), "Window center that was applied."),
        Column("window_width", pa.float64(), "Window width that was applied."),
    ),
    statuses=(
        Status(ThumbnailStatus.OK, CatalogStatus.OK),
        Status(ThumbnailStatus.PARTIAL, CatalogStatus.DAMAGED),
        Status(ThumbnailStatus.NO_PIXEL_DATA, CatalogStatus.NO_IMAGE),
        Status(ThumbnailStatus.NOT_DICOM, CatalogStatus.NOT_DICOM),
        Status(ThumbnailStatus.UNSUPPORTED, CatalogStatus.ISSUES),
        Status(ThumbnailStatus.TOO_LARGE, CatalogStatus.ISSUES),
        Status(ThumbnailStatus.ERROR, CatalogStatus.DAMAGED),
    ),
    status_column="thumbnail_status",
)


@dataclass(frozen=True)
class ThumbnailExtractor(Extractor):
    """Renders one small image of the object; decoders run in a process of their own."""

    options: ThumbnailOptions = field(default_factory=ThumbnailOptions)

    table = THUMBNAILS
    limits = None

    @property
    def version(self) -> str:  # type: ignore[override]
        """Version of the code and of all options, ``thumbnails-2`` where they are the defaults."""
        return f"thumbnails-2{changed_options(self.options)}"

    def extract(self, file: SourceFile) -> dict[str, Any]:
        """Return the columns of one file."""
        made = render_thumbnail(file.header, self.options)
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

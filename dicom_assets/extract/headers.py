"""``dicom_headers``: the whole header of a file as JSON, and its common attributes as typed columns."""

from dataclasses import dataclass
from typing import Any

import pyarrow as pa

from dicom_assets.dicom.geometry import frame_structs
from dicom_assets.dicom.header import header_json
from dicom_assets.dicom.status import HeaderStatus
from dicom_assets.extract.attributes import PROMOTED
from dicom_assets.extract.extractor import ExtractedTable, Extractor
from dicom_assets.extract.promote import promote
from dicom_assets.extract.source_file import SourceFile
from dicom_assets.extract.status import CatalogStatus, Status
from dicom_assets.tables import Column

_ISSUE = pa.struct([(name, pa.string()) for name in ("path", "vr", "code", "raw")])
_FRAME = pa.struct(
    [
        ("position", pa.list_(pa.float64())),
        ("orientation", pa.list_(pa.float64())),
        ("spacing", pa.list_(pa.float64())),
        ("discriminators", pa.map_(pa.string(), pa.string())),
    ]
)

DICOM_HEADERS = ExtractedTable(
    "dicom_headers",
    "The full DICOM header of every file, and its common attributes typed.",
    (
        Column("header", pa.string(), "The whole header as JSON: `fileMeta` and `dataset` in the DICOM JSON Model."),
        Column("issues", pa.list_(_ISSUE), "Values that break their Value Representation, as they stand."),
        *PROMOTED,
        Column(
            "frames",
            pa.list_(_FRAME),
            "Where each frame of a multi-frame object is: Image Position and Orientation (Patient), Pixel Spacing, and "
            "by keyword what tells frames in the same place apart. Null where the header says it of the one frame.",
            in_catalog=False,
        ),
    ),
    statuses=(
        Status(HeaderStatus.OK, CatalogStatus.OK),
        Status(HeaderStatus.ISSUES, CatalogStatus.ISSUES),
        Status(HeaderStatus.TRUNCATED, CatalogStatus.DAMAGED),
        Status(HeaderStatus.NOT_DICOM, CatalogStatus.NOT_DICOM),
        Status(HeaderStatus.EMPTY, CatalogStatus.NOT_DICOM),
        Status(HeaderStatus.DICOMDIR, CatalogStatus.NO_IMAGE),
        Status(HeaderStatus.UNSUPPORTED, CatalogStatus.ISSUES),
        Status(HeaderStatus.ERROR, CatalogStatus.DAMAGED),
    ),
    status_column="header_status",
    codes_column="issues",
)


@dataclass(frozen=True)
class HeaderExtractor(Extractor):
    """Reads the whole header and promotes its common attributes to typed columns."""

    table = DICOM_HEADERS
    version = "headers-3"
    limits = None

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
            "frames": frame_structs(header),
        }

"""``dicom_headers``: the whole header of a file as JSON, and its common attributes as typed columns."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from dicom_assets.dicom.geometry import frame_structs
from dicom_assets.dicom.header import header_json
from dicom_assets.dicom.status import HeaderStatus
from dicom_assets.extract.attributes import PROMOTED
from dicom_assets.extract.extractor import ExtractedTable, Extractor
from dicom_assets.extract.own_columns import ColumnError, OwnColumns, PromotedColumn, columns_of, digest
from dicom_assets.extract.promote import promote
from dicom_assets.extract.related import RELATED, related_columns
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
        *RELATED,
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


VERSION = "headers-3"
"""Of the code that reads headers; a version of rows names their own columns, too."""
_COLUMNS = "+columns."
_OWN_COLUMNS = rf" (headers-\d+){re.escape(_COLUMNS)}[0-9a-f]+"
"""Within a version of ``object_catalog``, whose parts stand behind its own."""


@dataclass(frozen=True)
class HeaderExtractor(Extractor):
    """Reads the whole header, promotes its common attributes to typed columns, and lists what it refers to.

    Attributes
    ----------
    columns
        More attributes with a column of their own.

    """

    columns: tuple[PromotedColumn, ...] = ()

    limits = None
    beyond_head = False

    def __post_init__(self) -> None:
        object.__setattr__(self, "columns", columns_of(self.columns))

    @cached_property
    def table(self) -> ExtractedTable:  # type: ignore[override]
        """``dicom_headers``, with the columns of one's own behind the others."""
        if not self.columns:
            return DICOM_HEADERS
        more = (one.column() for one in self.columns)
        return replace(DICOM_HEADERS, columns=(*DICOM_HEADERS.own_columns, *more))

    @cached_property
    def version(self) -> str:  # type: ignore[override]
        """Version of the code, and of the columns where there are some of one's own."""
        return f"{VERSION}{_COLUMNS}{digest(self.columns)}" if self.columns else VERSION

    @cached_property
    def _own(self) -> OwnColumns:
        return OwnColumns(self.columns)

    def __getstate__(self) -> dict[str, Any]:
        """Travel without what is derived."""
        return {"columns": self.columns}

    def extract(self, file: SourceFile) -> dict[str, Any]:
        """Return the columns of one file."""
        header = file.header
        has_content = bool(header.dataset or header.file_meta)
        columns, found = promote(header)
        related, cut = related_columns(header)
        found += cut
        status = HeaderStatus.ISSUES if found and header.status is HeaderStatus.OK else header.status
        return {
            "status": status,
            "error": header.error,
            "header": header_json(header).decode() if has_content else None,
            "issues": [
                {"path": issue.path, "vr": issue.vr, "code": issue.code, "raw": issue.raw}
                for issue in (*header.issues, *found)
            ],
            **related,
            **columns,
            "frames": frame_structs(header),
            **self._own.values(header),
        }

    def refilled(self, version: str) -> str | None:
        """Return this version for rows that differ in nothing but the columns of one's own."""
        return self.version if version != self.version and version.partition(_COLUMNS)[0] == VERSION else None

    def refill(self, rows: pa.RecordBatch) -> pa.RecordBatch:
        """Return rows with the columns of this version, made of the headers that the rows hold."""
        made = [self._own.of_json(header) for header in rows["header"].to_pylist()]
        for one in self.columns:
            field = self.table.schema.field(one.name)
            values = pa.array([row[one.name] for row in made], field.type)
            rows = rows.set_column(rows.schema.get_field_index(one.name), field, values)
        return rows


def own_columns(extractors: Iterable[Extractor]) -> tuple[PromotedColumn, ...]:
    """Return the columns of one's own that some extractors make."""
    return tuple(one for made in extractors if isinstance(made, HeaderExtractor) for one in made.columns)


def without_own_columns(versions: pa.ChunkedArray) -> pa.ChunkedArray:
    """Return versions of rows of ``object_catalog`` as they are without columns of one's own."""
    return pc.replace_substring_regex(versions, _OWN_COLUMNS, r" \1")


def with_columns(extractors: Sequence[Extractor], columns: Iterable[PromotedColumn | str]) -> tuple[Extractor, ...]:
    """Return extractors of which that of the headers makes these columns of one's own, and no others.

    Parameters
    ----------
    extractors
        In the order of their tables.
    columns
        As :class:`~dicom_assets.extract.own_columns.PromotedColumn`, or as text: ``Weight=PatientWeight:number``.

    Raises
    ------
    ColumnError
        None of the extractors reads headers, or two columns have one name.
    AttributePathError
        There is no such attribute.

    """
    wanted = columns_of(columns)
    if wanted and not any(isinstance(one, HeaderExtractor) for one in extractors):
        raise ColumnError("columns are made of the header: take HeaderExtractor() among the extractors")
    return tuple(
        replace(one, columns=wanted) if isinstance(one, HeaderExtractor) and one.columns != wanted else one
        for one in extractors
    )


def with_more_columns(
    extractors: Sequence[Extractor], columns: Iterable[PromotedColumn | str]
) -> tuple[Extractor, ...]:
    """Return extractors of which that of the headers makes these columns, too; raises as :func:`with_columns`."""
    return with_columns(extractors, (*own_columns(extractors), *columns_of(columns)))

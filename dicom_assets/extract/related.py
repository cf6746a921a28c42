"""What an object refers to, and the segments and regions that it defines, as columns of ``dicom_headers``."""

from collections.abc import Iterable, Sequence
from dataclasses import asdict
from typing import Any

import pyarrow as pa

from dicom_assets.dicom.header import Header, Issue
from dicom_assets.dicom.header.issues import IssueCode
from dicom_assets.dicom.references import Reference, RegionOfInterest, Segment, read_related
from dicom_assets.tables import Column

_TEXT, _INT = pa.string(), pa.int32()
_CODE = pa.struct([("value", _TEXT), ("scheme", _TEXT), ("meaning", _TEXT)])

REFERENCE = pa.struct(
    [
        ("level", _TEXT),
        ("sequence", _TEXT),
        ("purpose", _CODE),
        ("study_uid", _TEXT),
        ("series_uid", _TEXT),
        ("sop_class_uid", _TEXT),
        ("instance_uid", _TEXT),
        ("frames", pa.list_(_INT)),
        ("segments", pa.list_(_INT)),
        ("mentions", _INT),
    ]
)
SEGMENT = pa.struct(
    [
        ("number", _INT),
        ("label", _TEXT),
        ("description", _TEXT),
        ("category", _CODE),
        ("type", _CODE),
        ("algorithm_type", _TEXT),
        ("algorithm_name", _TEXT),
        ("tracking_id", _TEXT),
        ("tracking_uid", _TEXT),
        ("frames", _INT),
    ]
)
REGION = pa.struct(
    [
        ("number", _INT),
        ("name", _TEXT),
        ("interpreted_type", _TEXT),
        ("generation_algorithm", _TEXT),
        ("color", pa.list_(_INT)),
        ("contours", _INT),
        ("geometric_types", pa.list_(_TEXT)),
        ("frame_of_reference_uid", _TEXT),
    ]
)

RELATED: tuple[Column, ...] = (
    Column(
        "references",
        pa.list_(REFERENCE),
        "What the object refers to, null when that is nothing; the view `derived_references` has one row for each.",
        in_catalog=False,
    ),
    Column(
        "segments",
        pa.list_(SEGMENT),
        "Segments of a segmentation, null of all else; the view `segments` has one row for each.",
        in_catalog=False,
    ),
    Column(
        "rois",
        pa.list_(REGION),
        "Regions of interest of a structure set, null of all else; the view `rois` has one row for each.",
        in_catalog=False,
    ),
)


def related_columns(header: Header) -> tuple[dict[str, Any], tuple[Issue, ...]]:
    """Return the columns of a header, and an issue for each sequence of which they do not have all.

    Raises
    ------
    OSError
        If the source does.

    """
    related = read_related(header)
    columns = {
        "references": _rows(related.references),
        "segments": _rows(related.segments),
        "rois": _rows(related.regions),
    }
    return columns, tuple(Issue(tag, "SQ", IssueCode.NOT_ALL_LISTED.value, "") for tag in related.incomplete)


def _rows(found: Sequence[Reference] | Sequence[Segment] | Sequence[RegionOfInterest] | None) -> Any:
    if found is None:
        return None
    entries: Iterable[Reference | Segment | RegionOfInterest] = found
    return [asdict(entry) for entry in entries]

"""What a row of the object catalog says of its file in one word: made of what the other tables say of it.

Each state of another table stands for one state of the catalog. Of those that apply to a file the one that matters most
to somebody who wants to use it is the row's, and its reason is the row's one sentence.
"""

from collections.abc import Mapping, Sequence
from enum import StrEnum
from typing import Any

from dicom_assets.dicom.status import HeaderStatus, ThumbnailStatus
from dicom_assets.tables import DICOM_HEADERS, FILE_METADATA, THUMBNAILS

CHANGED = "changed while it was read; the next run reads it again"
"""``error`` of a row without a fingerprint whose file can be read: it has to be read again, and only that."""

_CODES_SHOWN = 5


class MetadataStatus(StrEnum):
    """How the first bytes of a file were read."""

    OK = "ok"
    """They were read."""
    EMPTY = "empty"
    """The file has no bytes."""
    ERROR = "error"
    """The file could not be read; ``error`` says why."""


class CatalogStatus(StrEnum):
    """What can be done with a file. Where several apply, the last of this list is the row's."""

    OK = "ok"
    """All is well: the header keeps the rules and there is a thumbnail."""
    NO_IMAGE = "no_image"
    """All is well, and the object is none that has an image: a report, a structure set, a DICOMDIR."""
    ISSUES = "issues"
    """Usable with care: values break a rule (see ``issues``), or a limit or a missing decoder left something out."""
    DAMAGED = "damaged"
    """The header or the pixel data is cut short or cannot be followed; what could be read is there."""
    NOT_DICOM = "not_dicom"
    """The content is something else, or nothing."""
    UNREADABLE = "unreadable"
    """The file could not be read; every run tries again."""
    PENDING = "pending"
    """Another table has no row of this version of the file yet, or the file changed while it was read."""


MEANING: Mapping[str, Mapping[str, CatalogStatus]] = {
    FILE_METADATA.name: {
        MetadataStatus.OK: CatalogStatus.OK,
        MetadataStatus.EMPTY: CatalogStatus.NOT_DICOM,
        MetadataStatus.ERROR: CatalogStatus.DAMAGED,
    },
    DICOM_HEADERS.name: {
        HeaderStatus.OK: CatalogStatus.OK,
        HeaderStatus.ISSUES: CatalogStatus.ISSUES,
        HeaderStatus.TRUNCATED: CatalogStatus.DAMAGED,
        HeaderStatus.NOT_DICOM: CatalogStatus.NOT_DICOM,
        HeaderStatus.EMPTY: CatalogStatus.NOT_DICOM,
        HeaderStatus.DICOMDIR: CatalogStatus.NO_IMAGE,
        HeaderStatus.UNSUPPORTED: CatalogStatus.ISSUES,
        HeaderStatus.ERROR: CatalogStatus.DAMAGED,
    },
    THUMBNAILS.name: {
        ThumbnailStatus.OK: CatalogStatus.OK,
        ThumbnailStatus.PARTIAL: CatalogStatus.DAMAGED,
        ThumbnailStatus.NO_PIXEL_DATA: CatalogStatus.NO_IMAGE,
        ThumbnailStatus.NOT_DICOM: CatalogStatus.NOT_DICOM,
        ThumbnailStatus.UNSUPPORTED: CatalogStatus.ISSUES,
        ThumbnailStatus.TOO_LARGE: CatalogStatus.ISSUES,
        ThumbnailStatus.ERROR: CatalogStatus.DAMAGED,
    },
}
"""What each state of the other tables says of the file, by table."""

_RANK = {status: rank for rank, status in enumerate(CatalogStatus)}


def summarize(
    states: Mapping[str, tuple[str | None, str | None]], issues: Sequence[Mapping[str, Any]], *, unread: bool
) -> tuple[CatalogStatus, str | None]:
    """Return the status of a catalog row and its reason, ``None`` where the status says it all.

    Parameters
    ----------
    states
        By table, the ``status`` and ``error`` of its row; ``None`` for both where there is no row.
    issues
        Of the header: ``code`` of each.
    unread
        Whether the rows are those of a file that could not be read.

    """
    found = [(_meaning(table, status), error) for table, (status, error) in states.items()]
    worst = max((meaning for meaning, _ in found), key=_RANK.__getitem__)
    if any(error == CHANGED for _, error in found):
        return CatalogStatus.PENDING, CHANGED
    if unread and worst is not CatalogStatus.PENDING:
        worst = CatalogStatus.UNREADABLE
        return worst, next((error for _, error in found if error), None)
    reasons = [error for meaning, error in found if meaning is worst and error]
    if not reasons and worst is CatalogStatus.ISSUES:
        return worst, _codes(issues)
    return worst, reasons[0] if reasons else None


def _meaning(table: str, status: str | None) -> CatalogStatus:
    return CatalogStatus.PENDING if status is None else MEANING[table][status]


def _codes(issues: Sequence[Mapping[str, Any]]) -> str | None:
    """Return what kinds of issues there are, as a sentence."""
    codes = list(dict.fromkeys(issue["code"] for issue in issues))
    if not codes:
        return None
    more = ", and others" if len(codes) > _CODES_SHOWN else ""
    return f"the header has issues: {', '.join(codes[:_CODES_SHOWN])}{more}"

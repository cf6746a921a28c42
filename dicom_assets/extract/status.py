"""States: what an extractor says of a file, and what that means for who wants to use the file.

Each state of an extracted table stands for one state of the catalog. Of those that apply to a file, the one that
matters most to somebody who wants to use it is the status of its catalog row, and its reason is the row's sentence.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum

CHANGED = "changed while it was read; the next run reads it again"
"""``error`` of a row without a fingerprint whose file can be read: it has to be read again, and only that."""

OK, NOT_APPLICABLE, ERROR = "ok", "not_applicable", "error"
"""States that every extractor may use without declaring them; the last is also what a failure is turned into."""

_CODES_SHOWN = 5


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


_RANK = {status: rank for rank, status in enumerate(CatalogStatus)}


@dataclass(frozen=True, slots=True)
class Status:
    """One state of an extracted table.

    Attributes
    ----------
    value
        What stands in the column ``status``.
    means
        What it says of the file as a whole.
    description
        One sentence for the documentation; that of an enum member is its docstring.

    """

    value: str
    means: CatalogStatus = CatalogStatus.OK
    description: str = ""


DEFAULT_STATUSES = (
    Status(OK, CatalogStatus.OK, "The values were extracted."),
    Status(NOT_APPLICABLE, CatalogStatus.OK, "The file is none that has such values."),
    Status(ERROR, CatalogStatus.ISSUES, "Extraction failed; `error` says why."),
)


@dataclass(frozen=True, slots=True)
class PartState:
    """What one extracted table says of a file.

    Attributes
    ----------
    means
        The state of its row in the words of the catalog.
    error
        Of the row.
    unread
        Whether the row is of a file that could not be read.
    codes
        Codes of the issues that the row lists.

    """

    means: CatalogStatus
    error: str | None = None
    unread: bool = False
    codes: Sequence[str] = ()


ABSENT = PartState(CatalogStatus.PENDING)
"""There is no row of this version of the file."""


def summarize(parts: Iterable[PartState]) -> tuple[CatalogStatus, str | None]:
    """Return the status of a catalog row and its reason, ``None`` where the status says it all.

    Parameters
    ----------
    parts
        What each extracted table says of the file, in the order of the tables.

    """
    found = list(parts)
    worst = max((part.means for part in found), key=_RANK.__getitem__, default=CatalogStatus.OK)
    if any(part.error == CHANGED for part in found):
        return CatalogStatus.PENDING, CHANGED
    if any(part.unread for part in found) and worst is not CatalogStatus.PENDING:
        return CatalogStatus.UNREADABLE, next((part.error for part in found if part.error), None)
    reasons = [part.error for part in found if part.means is worst and part.error]
    if not reasons and worst is CatalogStatus.ISSUES:
        return worst, _listed([code for part in found for code in part.codes])
    return worst, reasons[0] if reasons else None


def _listed(codes: Iterable[str]) -> str | None:
    """Return what kinds of issues there are, as a sentence."""
    distinct = list(dict.fromkeys(codes))
    if not distinct:
        return None
    more = ", and others" if len(distinct) > _CODES_SHOWN else ""
    return f"the header has issues: {', '.join(distinct[:_CODES_SHOWN])}{more}"

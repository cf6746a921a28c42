"""By what files can be narrowed: attributes with few values, each a column of ``object_catalog``."""

from collections.abc import Callable
from dataclasses import dataclass

from dicom_assets.query.labels import uid_name
from dicom_assets.serve.browser.selection import FACET_NAMES

NONE_STATED = "not stated"
"""What the empty value of a facet is called."""


def _as_it_is(value: str) -> str:
    return value


def _in_words(status: str) -> str:
    return status.replace("_", " ")


def _uid_in_words(uid: str) -> str:
    return uid_name(uid) or uid


@dataclass(frozen=True, slots=True)
class Facet:
    """One of them.

    Attributes
    ----------
    name
        In query strings.
    title
        For people.
    column
        Of ``object_catalog``.
    is_month
        Whether the column is a date, of which the month counts.
    in_words
        From a value to what people read.

    """

    name: str
    title: str
    column: str
    is_month: bool = False
    in_words: Callable[[str], str] = _as_it_is

    def label(self, value: str) -> str:
        """Return what a value is called."""
        return self.in_words(value) if value else NONE_STATED


FACETS = (
    Facet("modality", "Modality", "Modality"),
    Facet("body", "Body part", "BodyPartExamined"),
    Facet("manufacturer", "Manufacturer", "Manufacturer"),
    Facet("month", "Month of study", "StudyDate", is_month=True),
    Facet("status", "Status", "status", in_words=_in_words),
    Facet("syntax", "Transfer syntax", "TransferSyntaxUID", in_words=_uid_in_words),
)

assert tuple(facet.name for facet in FACETS) == FACET_NAMES, "in the order of the query string"

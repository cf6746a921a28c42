"""The columns of the lists, by level: what a row shows, and what rows can be ordered by."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from dicom_assets.serve.browser.selection import Level, Selection, SelectionError


class Kind(StrEnum):
    """How a value is written."""

    TEXT = "text"
    """As it is."""
    NUMBER = "number"
    """With separators, to the right."""
    SIZE = "size"
    """A number of bytes, in decimal units."""
    DATE = "date"
    """In ISO 8601."""
    TIME = "time"
    """In ISO 8601 and UTC, to the minute."""
    NAMES = "names"
    """A list of texts."""
    STATUS = "status"
    """A state in words, with a colour of its own."""


@dataclass(frozen=True, slots=True)
class ListColumn:
    """One column.

    Attributes
    ----------
    name
        Of the value's column, and of the order in query strings.
    title
        For people.
    kind
        How it is written.
    is_minor
        Whether a narrow screen does without it.

    """

    name: str
    title: str
    kind: Kind = Kind.TEXT
    is_minor: bool = False


_STATUS = ListColumn("status", "Status", Kind.STATUS)
_FILES = ListColumn("files", "Files", Kind.NUMBER)
_BYTES = ListColumn("bytes", "Size", Kind.SIZE, is_minor=True)
_MODALITIES = ListColumn("modalities", "Modalities", Kind.NAMES)

COLUMNS: Mapping[Level, tuple[ListColumn, ...]] = {
    Level.PATIENTS: (
        ListColumn("PatientID", "Patient ID"),
        ListColumn("names", "Name", Kind.NAMES),
        ListColumn("PatientSex", "Sex", is_minor=True),
        ListColumn("PatientBirthDate", "Born", Kind.DATE, is_minor=True),
        _MODALITIES,
        ListColumn("studies", "Studies", Kind.NUMBER),
        ListColumn("series", "Series", Kind.NUMBER, is_minor=True),
        _FILES,
        _BYTES,
        ListColumn("last_study_date", "Last study", Kind.DATE),
    ),
    Level.STUDIES: (
        ListColumn("StudyDate", "Date", Kind.DATE),
        ListColumn("PatientName", "Patient"),
        ListColumn("PatientID", "Patient ID"),
        ListColumn("StudyDescription", "Description"),
        ListColumn("AccessionNumber", "Accession", is_minor=True),
        _MODALITIES,
        ListColumn("series", "Series", Kind.NUMBER, is_minor=True),
        _FILES,
        _BYTES,
        _STATUS,
    ),
    Level.SERIES: (
        ListColumn("Modality", "Modality"),
        ListColumn("SeriesDescription", "Description"),
        ListColumn("SeriesNumber", "No.", Kind.NUMBER, is_minor=True),
        ListColumn("StudyDate", "Date", Kind.DATE),
        ListColumn("PatientID", "Patient ID"),
        ListColumn("BodyPartExamined", "Body part", is_minor=True),
        ListColumn("orientation", "Orientation", is_minor=True),
        _FILES,
        _BYTES,
        _STATUS,
    ),
    Level.FILES: (
        ListColumn("relative_path", "Path"),
        ListColumn("Modality", "Modality"),
        ListColumn("SeriesDescription", "Series", is_minor=True),
        ListColumn("InstanceNumber", "No.", Kind.NUMBER, is_minor=True),
        ListColumn("PatientID", "Patient ID", is_minor=True),
        ListColumn("StudyDate", "Date", Kind.DATE),
        ListColumn("size", "Size", Kind.SIZE),
        ListColumn("modified_at", "Modified", Kind.TIME, is_minor=True),
        _STATUS,
    ),
    Level.PROBLEMS: (
        ListColumn("relative_path", "Path"),
        _STATUS,
        ListColumn("error", "Reason"),
        ListColumn("Modality", "Modality", is_minor=True),
        ListColumn("size", "Size", Kind.SIZE, is_minor=True),
        ListColumn("modified_at", "Modified", Kind.TIME, is_minor=True),
    ),
}

_USUAL = {
    Level.PATIENTS: "PatientID",
    Level.STUDIES: "-StudyDate",
    Level.SERIES: "-StudyDate",
    Level.FILES: "relative_path",
    Level.PROBLEMS: "relative_path",
}


@dataclass(frozen=True, slots=True)
class Order:
    """What rows are ordered by.

    Attributes
    ----------
    column
        The column.
    is_descending
        Whether the greatest comes first.

    """

    column: ListColumn
    is_descending: bool

    @property
    def sql(self) -> str:
        """As SQL has it; what is not stated comes last either way."""
        return f"{self.column.name} {'DESC' if self.is_descending else 'ASC'} NULLS LAST"


def order_of(selection: Selection) -> Order:
    """Return the order of a selection: that which it names, else the usual of its level.

    Raises
    ------
    SelectionError
        It names a column that the level does not have.

    """
    named = selection.sort or _usual(selection)
    name = named.removeprefix("-")
    for column in COLUMNS[selection.level]:
        if column.name == name:
            return Order(column, named.startswith("-"))
    names = ", ".join(column.name for column in COLUMNS[selection.level])
    raise SelectionError(f"{selection.level} cannot be sorted by that; there are {names}")


def _usual(selection: Selection) -> str:
    """Return the order of who asks for none: files of one series stand as in a viewer."""
    of_a_series = any(name == "series" for name, _ in selection.scope)
    return "InstanceNumber" if of_a_series and selection.level is Level.FILES else _USUAL[selection.level]

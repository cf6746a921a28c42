"""What the page of thumbnails shows of one file, and the series that it stands in."""

import base64
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import groupby, islice
from pathlib import PurePosixPath
from typing import Any

from dicom_assets.dicom.showable import may_be_shown
from dicom_assets.extract.status import CatalogStatus
from dicom_assets.query.header_nodes import Node, header_of
from dicom_assets.query.labels import file_size, transfer_syntax_name

Line = tuple[int, str, str, str, str]
"""Of a header: sequences around the element, its tag, VR, keyword, and value."""

_MEDIA_TYPES = frozenset({"image/jpeg", "image/png", "image/webp"})
_MOST_LINES = 600
_ROOM = 120
"""Characters of a value."""
_PERSONAL = frozenset({"PN", "DA", "DT", "AS"})
"""VRs of names, dates and ages."""
_PATIENT_ID = "00100020"


@dataclass(frozen=True)
class Card:
    """One file on the page, from its row of ``object_catalog``."""

    row: dict[str, Any]

    @property
    def path(self) -> PurePosixPath:
        """Path below the root of the archive."""
        return PurePosixPath(self.row["relative_path"])

    @property
    def order(self) -> tuple[Any, ...]:
        """Place in its series: images first, then as a viewer orders them."""
        row = self.row
        return row["thumbnail"] is None, self.modality, row["InstanceNumber"] or 0, str(self.path)

    @property
    def series(self) -> tuple[Any, ...]:
        """What tells its series from others, in the order that series stand in: by patient, study, number."""
        row = self.row
        patient, study, series = (row[name] or "" for name in ("PatientID", "StudyInstanceUID", "SeriesInstanceUID"))
        of_none = "" if series else str(self.path.parent)
        return not patient, patient, study, row["SeriesNumber"] or 0, series, of_none

    @property
    def modality(self) -> str:
        """Modality, or that there is none."""
        return self.row["Modality"] or "no modality"

    @property
    def transfer_syntax(self) -> str:
        """Name of the transfer syntax."""
        return transfer_syntax_name(self.row["TransferSyntaxUID"]) or ""

    @property
    def size(self) -> str:
        """Length of the file."""
        return file_size(self.row["size"] or 0)

    @property
    def dimensions(self) -> str:
        """Columns by rows, and frames when there are several."""
        row = self.row
        if not (row["Rows"] and row["Columns"]):
            return ""
        frames = row["NumberOfFrames"] or 1
        sizes = (row["Columns"], row["Rows"], *((frames,) if frames > 1 else ()))
        return " \N{MULTIPLICATION SIGN} ".join(map(str, sizes))

    @property
    def status(self) -> CatalogStatus:
        """What can be done with the file."""
        return CatalogStatus(self.row["status"])

    @property
    def header(self) -> list[Line]:
        """The lines of its header that are on the page."""
        header = header_of(self.row["header"], told=_is_told)
        return list(islice(_lines((*header.meta, *header.dataset), 0), _MOST_LINES))

    @property
    def has_image(self) -> bool:
        """Whether there is a thumbnail that a browser can show."""
        return self.row["thumbnail"] is not None and self.row["thumbnail_media_type"] in _MEDIA_TYPES

    @property
    def is_shown(self) -> bool:
        """Whether there is such a thumbnail, and it may be shown."""
        return self.has_image and may_be_shown(self.row["BurnedInAnnotation"], self.row["header_status"])

    @property
    def image(self) -> str | None:
        """The thumbnail as a data URI, ``None`` where it is not shown."""
        row = self.row
        if not self.is_shown:
            return None
        return f"data:{row['thumbnail_media_type']};base64,{base64.b64encode(row['thumbnail']).decode()}"


@dataclass(frozen=True, slots=True)
class Group:
    """The cards of one series; of files that state none, those of one folder.

    Attributes
    ----------
    patient, study, series
        What the series belongs to, and what it is, for people.
    cards
        In the order of the series.

    """

    patient: str
    study: str
    series: str
    cards: tuple[Card, ...]

    @classmethod
    def of(cls, cards: Iterable[Card]) -> "Group":
        """Return the cards of one series, in order."""
        ordered = tuple(sorted(cards, key=lambda card: card.order))
        row = ordered[0].row
        if not row["SeriesInstanceUID"]:
            folder = str(ordered[0].path.parent)
            return cls(
                row["PatientID"] or "no patient", "no series", "archive root" if folder == "." else folder, ordered
            )
        number = row["SeriesNumber"]
        series = row["SeriesDescription"] or ("series" if number is None else f"series {number}")
        return cls(row["PatientID"] or "no Patient ID", row["StudyDescription"] or "study", series, ordered)


def groups(cards: Iterable[Card]) -> list[Group]:
    """Return cards by their series, by patient and study; series without any image last."""
    series = groupby(sorted(cards, key=lambda card: card.series), key=lambda card: card.series)
    found = [Group.of(members) for _, members in series]
    return sorted(found, key=lambda group: not any(card.is_shown for card in group.cards))


def _lines(nodes: Iterable[Node], depth: int) -> Iterator[Line]:
    for node in nodes:
        yield depth, node.tag, node.vr, node.name, node.value[:_ROOM]
        yield from _lines(node.nodes, depth + 1)


def _is_told(tag: str, vr: str) -> bool:
    """Return whether an element is on the page: none that names a person or a day, and of the patient only the ID."""
    return vr not in _PERSONAL and (not tag.startswith("0010") or tag == _PATIENT_ID)

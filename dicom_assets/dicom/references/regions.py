"""The regions of interest of a structure set (PS3.3 C.8.8.5, C.8.8.6, C.8.8.8)."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field

from dicom_assets.dicom.header import Header, JsonDataset
from dicom_assets.dicom.references.model import RegionOfInterest
from dicom_assets.dicom.references.values import text, whole_number, whole_numbers
from dicom_assets.dicom.references.walk import Visited

STRUCTURE_SET_ROIS = "30060020"
ROI_CONTOURS = "30060039"
_CONTOURS = "30060040"
_OBSERVATIONS = "30060080"
_NUMBER, _REFERENCED_NUMBER = "30060022", "30060084"
_COLOR = "3006002A"
_MOST_TYPES = 16
"""Contour Geometric Types of one region that are listed; the standard has six."""


@dataclass(slots=True)
class _Drawn:
    """What the sequences about a region say of it."""

    color: list[int] | None = None
    contours: int = 0
    types: set[str] = field(default_factory=set)
    interpreted_type: str | None = None


class RegionCollector:
    """Gathers the regions of interest of one object from the three sequences that are about them.

    Parameters
    ----------
    header
        Of the object.
    most
        Regions that are kept.

    Attributes
    ----------
    is_full
        Whether there are more of them.

    """

    def __init__(self, header: Header, most: int) -> None:
        self.is_full = False
        self._header = header
        self._most = most
        self._regions: list[JsonDataset] = []
        self._drawn: defaultdict[int, _Drawn] = defaultdict(_Drawn)

    def add(self, visited: Visited) -> None:
        """Take an item, of whatever sequence; raises :class:`OSError` if the source does."""
        match visited.tags:
            case (tag,) if tag == STRUCTURE_SET_ROIS:
                self.is_full |= len(self._regions) >= self._most
                if not self.is_full:
                    self._regions.append(visited.item)
            case (tag,) if tag in {ROI_CONTOURS, _OBSERVATIONS}:
                self._add_about(tag, visited.item)
            case (first, second) if (first, second) == (ROI_CONTOURS, _CONTOURS):
                self._add_contour(visited)

    def regions(self, *, counted: bool) -> Sequence[RegionOfInterest]:
        """Return the regions; `counted` says whether all contours were taken."""
        return [self._region(item, counted=counted) for item in self._regions]

    def _about(self, item: JsonDataset) -> _Drawn | None:
        """Return what is known of the region that an item is about; of regions that there are not, no more is kept."""
        number = whole_number(item, _REFERENCED_NUMBER)
        if number is None or (number not in self._drawn and len(self._drawn) >= self._most):
            return None
        return self._drawn[number]

    def _add_about(self, tag: str, item: JsonDataset) -> None:
        drawn = self._about(item)
        if drawn is None:
            return
        if tag == ROI_CONTOURS:
            drawn.color = drawn.color or whole_numbers(self._header, item, _COLOR, 3) or None
        else:
            drawn.interpreted_type = drawn.interpreted_type or text(item, "300600A4")

    def _add_contour(self, visited: Visited) -> None:
        drawn = self._about(visited.items[0])
        if drawn is None:
            return
        drawn.contours += 1
        kind = text(visited.item, "30060042")
        if kind is not None and len(drawn.types) < _MOST_TYPES:
            drawn.types.add(kind)

    def _region(self, item: JsonDataset, *, counted: bool) -> RegionOfInterest:
        number = whole_number(item, _NUMBER)
        drawn = self._drawn.get(number, _NOTHING) if number is not None else _NOTHING
        return RegionOfInterest(
            number=number,
            name=text(item, "30060026"),
            interpreted_type=drawn.interpreted_type,
            generation_algorithm=text(item, "30060036"),
            color=drawn.color,
            contours=drawn.contours if counted else None,
            geometric_types=sorted(drawn.types),
            frame_of_reference_uid=text(item, "30060024"),
        )


_NOTHING = _Drawn()

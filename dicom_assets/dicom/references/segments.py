"""The segments of a segmentation (PS3.3 C.8.20.2, C.8.23.1)."""

from collections import Counter
from collections.abc import Sequence

from dicom_assets.dicom.frames import SHARED_GROUPS
from dicom_assets.dicom.header import Header, JsonDataset
from dicom_assets.dicom.pixels.attributes import items
from dicom_assets.dicom.references.model import Segment
from dicom_assets.dicom.references.values import code, text, whole_number

SEGMENTS = "00620002"
_NUMBER = "00620004"
_IDENTIFICATION, _REFERENCED_NUMBER = "0062000A", "0062000B"
_NUMBER_OF_FRAMES = "00280008"


class SegmentCollector:
    """Gathers the segments of one object, and counts their frames.

    Parameters
    ----------
    header
        Of the object.
    most
        Segments that are kept.

    Attributes
    ----------
    is_full
        Whether there are more of them.

    """

    def __init__(self, header: Header, most: int) -> None:
        self.is_full = False
        self._most = most
        self._segments: list[JsonDataset] = []
        self._frames: Counter[int] = Counter()
        for groups in items(header.dataset, SHARED_GROUPS):
            for number in _identified(groups):
                self._frames[number] += whole_number(header.dataset, _NUMBER_OF_FRAMES) or 1

    def add(self, item: JsonDataset) -> None:
        """Take an item of Segment Sequence."""
        self.is_full |= len(self._segments) >= self._most
        if not self.is_full:
            self._segments.append(item)

    def add_frame(self, groups: JsonDataset) -> None:
        """Take the functional groups of a frame."""
        self._frames.update(_identified(groups))

    def segments(self, *, counted: bool) -> Sequence[Segment]:
        """Return the segments; `counted` says whether all frames were taken."""
        return [self._segment(item, counted=counted and bool(self._frames)) for item in self._segments]

    def _segment(self, item: JsonDataset, *, counted: bool) -> Segment:
        number = whole_number(item, _NUMBER)
        return Segment(
            number=number,
            label=text(item, "00620005"),
            description=text(item, "00620006"),
            category=code(item, "00620003"),
            type=code(item, "0062000F"),
            algorithm_type=text(item, "00620008"),
            algorithm_name=text(item, "00620009"),
            tracking_id=text(item, "00620020"),
            tracking_uid=text(item, "00620021"),
            frames=self._frames[number] if counted and number is not None else None,
        )


def _identified(groups: JsonDataset) -> set[int]:
    """Return the segments that a frame is of: one, whatever a damaged file states twice (PS3.3 C.8.20.3.1)."""
    found = (whole_number(identification, _REFERENCED_NUMBER) for identification in items(groups, _IDENTIFICATION))
    return {number for number in found if number is not None}

"""Reading an element without a valid VR: the interpretation after which what follows makes sense."""

from dataclasses import replace

from dicom_assets.dicom.header.dataset_context import DatasetContext
from dicom_assets.dicom.header.encoding import UNDEFINED
from dicom_assets.dicom.header.errors import StructureError
from dicom_assets.dicom.header.invalid_vr import Interpretation, interpretations, is_future_vr
from dicom_assets.dicom.header.issues import IssueCode
from dicom_assets.dicom.header.plausibility import (
    SearchArea,
    begins_items,
    candidate,
    is_delimiter,
    is_plausible_tag,
)
from dicom_assets.dicom.header.recovery import Recovery, highest_known_tag, tag_number
from dicom_assets.dicom.read_ahead import UNKNOWN_SIZE, ReadAheadBuffer

_LOOK = 76
"""Bytes that are examined after an element: the header of the next and the beginning of its value."""
_MOST_LOOKS = 32
"""Reads of the source to see what follows elements with damaged VRs, in one header."""
_LIKELY = 3
"""Rank of an interpretation that leads to what can be an element."""
_CERTAIN = 4
"""Rank of an interpretation that leads to where an element or delimiter begins beyond doubt."""


class VrInterpreter:
    """Chooses among the interpretations of elements without a valid VR.

    Parameters
    ----------
    buffer
        The bytes.
    recovery
        Searches for elements that a wrong interpretation would skip.

    """

    __slots__ = ("_buffer", "_looks", "_recovery")

    def __init__(self, buffer: ReadAheadBuffer, recovery: Recovery) -> None:
        self._buffer = buffer
        self._recovery = recovery
        self._looks = _MOST_LOOKS

    def interpret(self, context: DatasetContext, position: int) -> Interpretation:
        """Return how to read an element without a valid VR: so that what follows makes sense.

        Raises
        ------
        StructureError
            If nothing makes sense.

        """
        head = self._buffer.read(position, 12)
        found = [way for way in interpretations(context, position, head) if self._fits(context, way)]
        ranks = [self._leads_on(context, way) for way in found]
        best = max(ranks, default=0)
        # What has a tag that nobody knows is most likely no element at all.
        if best >= (1 if found and is_plausible_tag(context.dataset, found[0].tag) else _CERTAIN):
            way = found[ranks.index(best)]
            following = way.start + (0 if way.length == UNDEFINED else way.length)
            # Zeros follow anything in a value of zeros: the elements that are nearer count.
            if (
                best >= _LIKELY
                or self._recovery.search(context, position + 1, following, highest_known_tag(context)) is None
            ):
                return way
        if is_future_vr(head):
            # VRs to come have a 32-bit length (PS3.5 7.1.2).
            for way in found:
                if way.code is IssueCode.UNKNOWN_VR and way.start - position == (8 if any(head[6:8]) else 12):
                    return way
        raise StructureError(f"there is no element at byte {position}")

    def instead_of(self, context: DatasetContext, way: Interpretation) -> Interpretation | None:
        """Return how to read an element with bytes in place of zeros after its VR, ``None`` for just as it stands."""
        if self._fits(context, way) and self._leads_on(context, way):
            return None
        try:
            found = self.interpret(context, way.start - 12)
        except StructureError:
            return None
        if self._leads_on(context, found) < _CERTAIN:
            return None
        return replace(found, code=IssueCode.BAD_VR) if found.encoding is context.encoding else found

    def _fits(self, context: DatasetContext, way: Interpretation) -> bool:
        if way.length == UNDEFINED:
            return begins_items(way.encoding, self._buffer.peek(way.start, 4))
        end = self._buffer.size if context.end is None else context.end
        return way.start + way.length <= end

    def _leads_on(self, context: DatasetContext, way: Interpretation) -> int:
        """Say how much sense what follows an element makes: from 0 for none to 4."""
        end = self._buffer.size if context.end is None else context.end
        following = way.start + way.length
        if way.length == UNDEFINED or following == end:
            return 4
        head = self._look(following)
        area = SearchArea(head, end - following, context.encoding)
        if context.delimited and is_delimiter(area, 0):
            return 4
        found = candidate(area, 0) or candidate(SearchArea(head, end - following, way.encoding), 0)
        if found is not None and found.tag > tag_number(way.tag):
            return 2 + found.plausibility
        if len(head) >= 8 and not any(head):
            return 1
        # The next one may be damaged too.
        group, number = context.encoding.tag(head, 0) if len(head) >= 4 else (0, 0)
        tag = f"{group:04X}{number:04X}"
        return 2 if tag > way.tag and is_plausible_tag(context.dataset, tag) else 0

    def _look(self, position: int) -> bytes:
        """Return what comes after an element, nothing when too many such places were read."""
        at = position - self._buffer.base
        if at + _LOOK <= len(self._buffer.data):
            return self._buffer.data[at : at + _LOOK]
        if self._buffer.size == UNKNOWN_SIZE or not self._looks:
            return self._buffer.data[at : at + _LOOK]
        self._looks -= 1
        return self._buffer.peek(position, _LOOK)

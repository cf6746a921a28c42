"""Going on after damage: how far it reaches, where elements begin again, what is reported of it.

What bytes can be is judged in :mod:`~dicom_assets.dicom.header.plausibility`, where elements begin again is found in
:mod:`~dicom_assets.dicom.header.resync`; here it is decided and reported.
"""

from dicom_assets.dicom.header.budget import SHORT
from dicom_assets.dicom.header.dataset_context import DatasetContext
from dicom_assets.dicom.header.encoding import Encoding, Kind, Rule
from dicom_assets.dicom.header.errors import HeaderParseError, StructureError
from dicom_assets.dicom.header.issues import RAW_CAP, IssueCode, IssueLog
from dicom_assets.dicom.header.limits import HeaderLimits
from dicom_assets.dicom.header.plausibility import (
    ITEM,
    ITEM_END_BYTES,
    SearchArea,
    is_chain,
    is_plausible_tag,
    nearest_item_tag,
)
from dicom_assets.dicom.header.resync import find_element, find_item, is_item
from dicom_assets.dicom.header.value_reader import ValueReader
from dicom_assets.dicom.header.vr import TEXT_VRS
from dicom_assets.dicom.read_ahead import ReadAheadBuffer

_FIRST_SEARCH = 16 * 1024
_LEAST_COST = 64
"""Bytes that a search counts for at least."""
_PROOF = 3
"""Elements in a row that prove a length wrong that fits."""
_HAVE_THEIR_OWN_END = frozenset({Kind.SEQUENCE, Kind.PIXELS})


class Recovery:
    """Finds its way through damage, within :attr:`~dicom_assets.dicom.header.limits.HeaderLimits.max_searched_bytes`.

    Parameters
    ----------
    buffer
        The bytes.
    values
        Reads the value before the damage again where its length was wrong.
    log
        Where damage is listed.
    limits
        How much may be searched.

    """

    __slots__ = ("_buffer", "_limits", "_log", "_searchable", "_values")

    def __init__(self, buffer: ReadAheadBuffer, values: ValueReader, log: IssueLog, limits: HeaderLimits) -> None:
        self._buffer = buffer
        self._values = values
        self._log = log
        self._limits = limits
        self._searchable = limits.max_searched_bytes

    def skip(self, position: int, following: int) -> None:
        """List bytes that are passed over."""
        count = following - position
        told = f"{count} bytes from byte {position} on: ".encode("ascii")
        self._log.report("", "", IssueCode.SKIPPED_BYTES, told + self._buffer.peek(position, min(count, RAW_CAP)))

    def search_area(self, context: DatasetContext) -> SearchArea:
        """Return the bytes at hand as the elements of a data set."""
        end = self._buffer.size if context.end is None else min(context.end, self._buffer.size)
        return SearchArea(self._buffer.data, end - self._buffer.base, context.encoding)

    def resume(self, context: DatasetContext, error: HeaderParseError) -> int | None:
        """Return where reading goes on after damage, ``None`` when nowhere.

        Parameters
        ----------
        context
            The data set that the damage is in, with its position in ``at``.
        error
            What ended the walk.

        """
        if isinstance(error, StructureError):
            clipped = self._clip_before(context)
            if clipped is not None:
                return clipped
        end = self._buffer.size if context.end is None else context.end
        following = self.search(context, context.at + 1, end, highest_known_tag(context))
        if following is not None:
            self.skip(context.at, following)
        return following

    def end_of_noise(self, context: DatasetContext, tag: str) -> int | None:
        """Return where elements go on after what has a length that does not fit and a tag that is unknown.

        ``None`` for all other tags, and where nothing follows.
        """
        if is_plausible_tag(context.dataset, tag):
            return None
        end = self._buffer.size if context.end is None else context.end
        following = self.search(context, context.at + 1, end, highest_known_tag(context), need=2)
        if following is not None:
            self.skip(context.at, following)
        return following

    def _end_of_value(self, context: DatasetContext, tag: str, start: int, end: int) -> int | None:
        """Return where a value ends that is said to go beyond `end`: where elements begin; ``None`` if none do."""
        return self.search(context, start, end, tag_number(tag), need=2)

    def length_up_to_delimiter(self, context: DatasetContext, tag: str, rule: Rule, start: int, length: int) -> int:
        """Return the length of a text value: it ends before the delimiter of its item, whatever its own length says."""
        if rule.vr not in TEXT_VRS:
            return length
        raw = self._buffer.read(start, min(length, self._limits.text_bytes))
        before = raw.find(ITEM_END_BYTES[context.encoding.little_endian])
        if before < 0:
            return length
        self._log.report(tag, rule.vr, IssueCode.WRONG_LENGTH)
        return before

    def fitting_length(self, context: DatasetContext, tag: str, rule: Rule, start: int, length: int) -> tuple[int, int]:
        """Return start and length of a value that claims more than its item or the file has, cut to what there is."""
        end = self._buffer.size if context.end is None else context.end
        if rule.kind not in _HAVE_THEIR_OWN_END:
            following = self._end_of_value(context, tag, start, end)
            if following is not None:
                self._log.report(tag, rule.vr, IssueCode.WRONG_LENGTH)
                return start, following - start
        if context.end is None:
            return start, length
        self._log.report(tag, rule.vr, IssueCode.LENGTH_BEYOND_ITEM)
        return min(start, end), max(end - start, 0)

    def next_element(self, context: DatasetContext, position: int) -> int | None:
        """Return where elements begin from a position on, and list the bytes before that; ``None`` if none do."""
        following = self.search(context, position, self._buffer.size, highest_known_tag(context))
        if following is not None and following > position:
            self.skip(position, following)
        return following

    def skip_zeros(self, context: DatasetContext, position: int) -> int:
        """Pass over zeros at the end of a data set."""
        rest = len(self._buffer.data) - (position - self._buffer.base)
        if context.end is not None:
            rest = min(rest, context.end - position)
        if context.delimited or any(self._buffer.read(position, rest)):
            raise StructureError(f"there is no element at byte {position}")
        context.finished = True
        return position + rest if context.end is None else context.end

    def is_damaged_delimiter(self, context: DatasetContext, position: int) -> bool:
        """Say whether a damaged delimiter ends the item that is being read."""
        head = self._buffer.read(position, 8)
        return context.delimited and not any(head[4:]) and nearest_item_tag(context.encoding, head) is not None

    def next_item_tag(
        self, context: DatasetContext, tag: str, bound: int | None, position: int, encoding: Encoding
    ) -> tuple[tuple[int, int] | None, int]:
        """Return which item or delimiter follows in a sequence that has something else there, and where.

        Parameters
        ----------
        context, tag
            The data set that the sequence is in, and its tag.
        bound
            Position that it cannot go beyond.
        position
            Where an item is due.
        encoding
            Encoding of its items.

        Returns
        -------
        item_tag, position
            ``None`` for the tag where the sequence ends without one.

        Raises
        ------
        StructureError
            If there is none, and nothing bounds the sequence.

        """
        buffer = self._buffer
        head = buffer.read(position, 8)
        end = min(buffer.size, buffer.size if bound is None else bound) - buffer.base
        area, at = SearchArea(buffer.data, end, encoding), position - buffer.base
        near = nearest_item_tag(encoding, head)
        if near is not None and (is_item(area, at) if near == ITEM else not any(head[4:])):
            self._log.report("", "SQ", IssueCode.BAD_ITEM_TAG, head)
            return near, position
        if is_chain(self.search_area(context), at, tag_number(tag), 2):
            self._log.report(tag, "SQ", IssueCode.LENGTH_BEYOND_ITEM)
            return None, position
        count = min(self._searchable, end - at)
        buffer.read(position, count)
        at = position - buffer.base
        stop = min(at + count, len(buffer.data))
        found = find_item(SearchArea(buffer.data, end, encoding), at, stop, delimited=bound is None)
        self._charge(encoding, (stop if found is None else found) - at)
        if found is not None:
            self.skip(position, buffer.base + found)
            return encoding.tag(buffer.data, found), buffer.base + found
        if bound is None:
            raise StructureError(f"there is no item of a sequence at byte {position}")
        self._log.report("", "SQ", IssueCode.STRAY_BYTES, buffer.read(position, min(bound - position, SHORT)))
        return None, bound

    def search(self, context: DatasetContext, position: int, end: int, floor: int, need: int = 0) -> int | None:
        """Return where the next element begins, ``None`` if none does; what is near is searched first."""
        self._buffer.back_to(position)
        for most in (_FIRST_SEARCH, self._searchable):
            count = min(end - position, most, self._searchable)
            if count <= 0:
                return None
            self._buffer.read(position, count)
            at = position - self._buffer.base
            area = self.search_area(context)
            stop = min(at + count, len(area.data))
            found = find_element(area, at, stop, floor, delimited=context.delimited, need=need)
            self._charge(context.encoding, (stop if found is None else found) - at)
            if found is not None:
                return self._buffer.base + found
        return None

    def _charge(self, encoding: Encoding, searched: int) -> None:
        """Count bytes that were searched; without VRs almost anything has to be looked at."""
        cost = _LEAST_COST + (searched if encoding.explicit else 4 * searched)
        self._searchable = max(self._searchable - cost, 0)

    def _clip_before(self, context: DatasetContext) -> int | None:
        """End the value before the damage where elements begin inside of it, if any do: its length was wrong."""
        buffer, encoding, position = self._buffer, context.encoding, context.before
        if not 0 <= position < context.at:
            return None
        buffer.back_to(position)
        while True:
            if not buffer.ensure(position, 8):
                return None
            at = position - buffer.base
            tag, _, rule = encoding.entries[buffer.data[at : at + encoding.width]]
            (length,) = encoding.length(buffer.data, at + encoding.width)
            start = position + 8
            if rule.kind is not Kind.VALUE or rule.long or start + length > context.at:
                return None
            if start + length == context.at:
                break
            position = start + length
        stop = min(context.at, start + self._searchable)
        if not buffer.ensure(start, stop - start):
            return None
        self._searchable -= stop - start
        area = self.search_area(context)
        at, stop = start - buffer.base, stop - buffer.base
        found = find_element(area, at, stop, tag_number(tag), delimited=False, need=_PROOF)
        if found is None:
            return None
        following = buffer.base + found
        self._log.report(tag, rule.vr, IssueCode.WRONG_LENGTH)
        self._values.value(context, tag, rule, start, following - start)
        return following


def highest_known_tag(context: DatasetContext) -> int:
    """Return the highest tag so far that is not noise: what follows is above it."""
    return max((int(tag, 16) for tag in context.dataset if is_plausible_tag(context.dataset, tag)), default=-1)


def tag_number(tag: str) -> int:
    """Return a tag as a number, -1 where there is none."""
    return int(tag, 16) if tag else -1

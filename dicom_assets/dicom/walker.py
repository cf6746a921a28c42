"""One pass over the elements of a data set: bytes in, DICOM JSON model (PS3.18 Annex F) out.

No element objects are made in between, and what is not inlined is not read. How values become JSON is in
:mod:`~dicom_assets.dicom.texts` and :mod:`~dicom_assets.dicom.binary`; where a data set begins and how it is
encoded is found by :mod:`~dicom_assets.dicom.sniff`.
"""

from typing import ClassVar

from dicom_assets.dicom.damage import DamageReader, Reading
from dicom_assets.dicom.dialect import (
    EXPLICIT_LITTLE,
    IMPLICIT_LITTLE,
    UNDEFINED,
    Dialect,
    Kind,
    Rule,
    states_vr,
)
from dicom_assets.dicom.elements import DELIMITER_LENGTH, SHORT, ElementReader, dictionary_vr, is_private
from dicom_assets.dicom.header import Element, JsonDataset
from dicom_assets.dicom.issues import RAW_CAP, IssueCode
from dicom_assets.dicom.limits import HeaderLimits
from dicom_assets.dicom.plausible import ITEM, ITEM_END, MARKS
from dicom_assets.dicom.scope import Scope
from dicom_assets.dicom.stops import LimitError, StopError, StructureError, TruncatedError
from dicom_assets.dicom.vr import ALL_VRS, TEXT_VRS
from dicom_assets.dicom.window import Window

_ITEM, _ITEM_END, _SEQUENCE_END = "FFFEE000", "FFFEE00D", "FFFEE0DD"
_ENDS = {True: b"\xfe\xff\x0d\xe0\0\0\0\0", False: b"\xff\xfe\xe0\x0d\0\0\0\0"}
"""The delimiter of an item, by byte order."""
_HAVE_THEIR_OWN_END = frozenset({Kind.SEQUENCE, Kind.PIXELS})
_ITEM_TAGS = (b"\xfe\xff\x00\xe0", b"\xfe\xff\xdd\xe0")
"""What a sequence in little endian begins with: an item, or at once its end."""
_NO_TAG = "00000000"
"""Zeros: padding, when their length is zero too."""
_MAY_BE_UNDEFINED = frozenset({Kind.SEQUENCE, Kind.UNKNOWN, Kind.PIXELS})


class Walker(DamageReader):
    """The walk over one file; it is used once.

    Parameters
    ----------
    window
        The bytes.
    limits
        What is inlined, and when to stop.

    """

    def __init__(self, window: Window, limits: HeaderLimits) -> None:
        super().__init__(window, limits)
        self._budget_start = 0

    def read(self, scope: Scope, position: int, last: str = "") -> int:
        """Read a data set into ``scope.dataset``, go on behind what is damaged, and return the position behind it.

        An item of stated length is left behind where it cannot be read any further. `last` is the highest tag of what
        was read of the data set before.

        Raises
        ------
        TruncatedError
            If the source ends before the data set does. What was read is in ``scope.dataset``.
        LimitError
            If a limit stops the walk.
        StructureError
            If there is no element where one should be, and none behind it.

        """
        try:
            return self._walk(scope, position, last)
        except (StructureError, TruncatedError) as stop:
            return self._read_on(scope, stop)

    def _read_on(self, scope: Scope, stop: StopError) -> int:
        """Go on reading a data set behind what stopped it, as often as that happens."""
        depth = scope.depth
        while True:
            del self.trail[depth:]
            following = self.resume(scope, stop)
            if following is None:
                if isinstance(stop, TruncatedError) or not scope.depth or scope.delimited or scope.end is None:
                    raise stop
                self.report("", "SQ", IssueCode.STRUCTURE)
                return scope.end
            try:
                return self._walk(scope, following, scope.last)
            except (StructureError, TruncatedError) as another:
                stop = another

    def _walk(self, scope: Scope, position: int, last: str) -> int:  # noqa: C901 - see below: one loop, no calls
        """Read a data set up to its end, or to where it is damaged; `last` is the highest tag that was read of it.

        This is the hot loop. It is one function because at a third of a microsecond an element each call would
        count: elements with a short header and a value that was met before cost one look-up for the tag and one
        for the value; all others go through :meth:`_special`.
        """
        window, dataset, dialect = self.window, scope.dataset, scope.dialect
        entries, width, length_at = dialect.entries, dialect.width, dialect.length
        ends = _ENDS[dialect.little_endian] if scope.delimited else None
        scope.before = -1
        while True:
            buf, base = window.buf, window.base
            at = position - base
            limit = len(buf) if scope.end is None else min(len(buf), scope.end - base)
            edge = limit - 8
            before = -1
            while at <= edge:
                tag, values, rule = entries[buf[at : at + width]]
                (length,) = length_at(buf, at + width)
                if values is None or length > SHORT:
                    break
                stop = at + 8 + length
                if stop > limit:
                    break
                raw = buf[at + 8 : stop]
                element = values.get(raw)
                if element is None and ends is not None and ends in raw:
                    break
                if tag > last:
                    last = tag
                elif self.misplaced(dataset, tag, last):
                    self.report(tag, rule.vr, IssueCode.DUPLICATE_TAG, raw)
                    at = stop
                    continue
                if element is None:
                    element = self.decoded(scope, tag, rule, raw)
                before = at
                dataset[tag] = element
                at = stop
            position = base + at
            if before >= 0:
                scope.before = base + before
            scope.at = position
            scope.last = last
            if at > edge:
                if not self._has_element(scope, position):
                    return position if scope.end is None else scope.end
                at = position - window.base
                tag, _, rule = entries[window.buf[at : at + width]]
            position = self._special(scope, tag, rule, position)
            if scope.finished:
                return position
            scope.before = scope.at
            last = scope.last

    def _has_element(self, scope: Scope, position: int) -> bool:
        """Say whether the header of an element follows, and make it available."""
        if self.elements + len(scope.dataset) > self.limits.max_elements:
            raise LimitError(f"more than {self.limits.max_elements} elements")
        window, end = self.window, scope.end
        if end is not None and end - position < 8:
            if position < end and any(rest := window.at(position, end - position)):
                self.report("", "", IssueCode.STRAY_BYTES, rest)
            return False
        if window.have(position, 8):
            return True
        if end is None and not scope.delimited and not any(window.at(position, 8)):
            return False
        raise TruncatedError(f"the file ends inside the header, behind byte {position}")

    def _special(self, scope: Scope, tag: str, rule: Rule, position: int) -> int:
        """Read an element that the hot loop does not, and return the position behind it."""
        window, dialect = self.window, scope.dialect
        start = position + 8
        if rule.long:
            if not window.have(position, 12):
                raise TruncatedError(f"the file ends inside element {tag}, at byte {position}")
            start += 4
            at = position - window.base
            (length,) = dialect.length32(window.buf, at + 8)
            if window.buf[at + 6 : at + 8] != b"\0\0":
                better = self.instead_of(scope, Reading(tag, rule, start, length, dialect, IssueCode.BAD_VR))
                if better is not None:
                    return self._read_as(scope, better, position)
        else:
            (length,) = dialect.length(window.buf, position + dialect.width - window.base)
        if rule.kind is Kind.DELIMITER:
            return self._delimiter(scope, tag, position)
        if rule.kind is Kind.MISFIT or (tag == _NO_TAG and not length):
            return self._misfit(scope, position)
        return self._placed(scope, tag, rule, start, length)

    def _placed(self, scope: Scope, tag: str, rule: Rule, start: int, length: int) -> int:
        """Read an element of which all but the value is known, and return the position behind it."""
        if length != UNDEFINED and start + length > (self.window.size if scope.end is None else scope.end):
            following = self.behind_noise(scope, tag)
            if following is not None:
                return following
            start, length = self._bounded(scope, tag, rule, start, length)
        elif scope.delimited and rule.kind is Kind.VALUE:
            length = self._up_to_delimiter(scope, tag, rule, start, length)
        if tag <= scope.last and self.misplaced(scope.dataset, tag, scope.last):
            return self._repeated(scope, tag, rule, start, length)
        if length == UNDEFINED and rule.kind not in _MAY_BE_UNDEFINED:
            following = self.fragments(scope, tag, rule, start)
        else:
            following = self._READERS[rule.kind](self, scope, tag, rule, start, length)
        scope.last = max(scope.last, tag)
        return following

    def _up_to_delimiter(self, scope: Scope, tag: str, rule: Rule, start: int, length: int) -> int:
        """Return the length of a value: no text has the delimiter of its item in it."""
        if rule.vr not in TEXT_VRS:
            return length
        raw = self.window.at(start, min(length, self.limits.text_bytes))
        before = raw.find(_ENDS[scope.dialect.little_endian])
        if before < 0:
            return length
        self.report(tag, rule.vr, IssueCode.WRONG_LENGTH)
        return before

    def _bounded(self, scope: Scope, tag: str, rule: Rule, start: int, length: int) -> tuple[int, int]:
        """Return where a value stands that goes beyond what it stands in, so that it does not."""
        end = self.window.size if scope.end is None else scope.end
        if rule.kind not in _HAVE_THEIR_OWN_END:
            following = self.end_of_value(scope, tag, start, end)
            if following is not None:
                self.report(tag, rule.vr, IssueCode.WRONG_LENGTH)
                return start, following - start
        if scope.end is None:
            return start, length
        self.report(tag, rule.vr, IssueCode.LENGTH_BEYOND_ITEM)
        return min(start, end), max(end - start, 0)

    def _repeated(self, scope: Scope, tag: str, rule: Rule, start: int, length: int) -> int:
        """Pass over an element that stands for the second time, and keep the beginning of its value in an issue."""
        raw = self.window.peek(start, min(length, RAW_CAP + 1))
        end = start + length
        if length == UNDEFINED:
            dialect = self._dialect_of_unknown(scope, start) if rule.kind is Kind.UNKNOWN else scope.dialect
            end = self.end_of_undefined(scope, start, dialect)
        self.check_reach(tag, start, end - start)
        self.skipped += end - start
        self.report(tag, rule.vr if rule.vr in ALL_VRS else "UN", IssueCode.DUPLICATE_TAG, raw)
        return end

    def _dialect_of_unknown(self, scope: Scope, start: int) -> Dialect:
        """Return how the items of a UN are encoded (PS3.5 6.2.2).

        What was written as UN was implicit VR little endian before, also in a big endian data set; but there are
        those who leave its content in explicit VR.
        """
        if not scope.dialect.explicit:
            return scope.dialect
        return EXPLICIT_LITTLE if states_vr(self.window.at(start, 14)[12:]) else IMPLICIT_LITTLE

    def _unknown(self, scope: Scope, tag: str, _rule: Rule, start: int, length: int) -> int:
        """Read a UN, or a private element in implicit VR, as what the dictionaries say it is (PS3.5 6.2.2)."""
        vr = dictionary_vr(scope.dataset, tag)
        dialect = IMPLICIT_LITTLE if scope.dialect.explicit else scope.dialect
        if length == UNDEFINED or vr == "SQ":
            items = self._dialect_of_unknown(scope, start)
            if vr in (None, "SQ") and self.window.at(start, 4) in _ITEM_TAGS:
                return self._items(scope, tag, start, None if length == UNDEFINED else start + length, items)
        if length == UNDEFINED:
            return self.fragments(scope, tag, dialect.value_rule(vr or "UN"), start)
        if vr is None or vr == "SQ":
            return self.value(scope, tag, dialect.value_rule("UN"), start, length)
        if vr not in ALL_VRS:
            return self.choice(scope, tag, dialect.rule(Kind.CHOICE, vr), start, length)
        if is_private(tag):
            return self.hearsay(scope, tag, dialect, vr, start, length)
        return self.value(scope, tag, dialect.value_rule(vr), start, length)

    def _sequence(self, scope: Scope, tag: str, _rule: Rule, start: int, length: int) -> int:
        return self._items(scope, tag, start, None if length == UNDEFINED else start + length, scope.dialect)

    _READERS: ClassVar = {
        Kind.VALUE: ElementReader.value,
        Kind.CHOICE: ElementReader.choice,
        Kind.CHARSET: ElementReader.charset,
        Kind.GROUP_LENGTH: ElementReader.passed_over,
        Kind.PADDING: ElementReader.passed_over,
        Kind.SEQUENCE: _sequence,
        Kind.UNKNOWN: _unknown,
        Kind.PIXELS: ElementReader.pixels,
    }

    def _items(self, scope: Scope, tag: str, start: int, end: int | None, dialect: Dialect) -> int:
        """Read the items of a sequence (PS3.5 7.5) and return the position behind it."""
        if scope.depth >= self.limits.max_depth:
            raise LimitError(f"sequences nested deeper than {self.limits.max_depth}")
        if scope.depth == 0:
            self._budget_start = start - self.skipped
        element: Element = {"vr": "SQ"}
        scope.dataset[tag] = element
        items: list[JsonDataset] = []
        element["Value"] = items
        bound = scope.end if end is None else end
        position = start
        while bound is None or position < bound:
            if position - self.skipped - self._budget_start > self.limits.sequence_bytes:
                return self._cut(scope, tag, start, end, position, dialect)
            self.trail.append((tag, len(items)))
            mark, position = self._mark(scope, tag, bound, position, dialect)
            if mark != ITEM:
                self.trail.pop()
                # In a sequence of stated length a delimiter is something that is no item.
                position = position if mark is None else position + 8 if end is None else end
                break
            position = self._item(scope, items, bound, position, dialect, in_open=end is None)
            self.trail.pop()
        else:
            if end is None:
                self.report(tag, "SQ", IssueCode.LENGTH_BEYOND_ITEM)
        if not items:
            del element["Value"]
        return position

    def _mark(
        self, scope: Scope, tag: str, bound: int | None, position: int, dialect: Dialect
    ) -> tuple[tuple[int, int] | None, int]:
        """Return which item or delimiter follows in a sequence, and where.

        ``None`` where the sequence ends without one; the position is where reading goes on behind it.
        """
        window = self.window
        while bound is None or bound - position >= 8:
            if not window.have(position, 8):
                raise TruncatedError(f"the file ends inside a sequence, behind byte {position}")
            mark: tuple[int, int] | None = dialect.tag(window.buf, position - window.base)
            if mark not in MARKS:
                mark, position = self.damaged_mark(scope, tag, bound, position, dialect)
            if mark != ITEM_END:
                return mark, position
            self.count(1)
            self.report(_ITEM_END, "", IssueCode.STRAY_DELIMITER)
            position += 8
        if position < bound:
            self.report("", "SQ", IssueCode.STRAY_BYTES, window.at(position, bound - position))
        return None, bound

    def _item(
        self,
        scope: Scope,
        items: list[JsonDataset],
        bound: int | None,
        position: int,
        dialect: Dialect,
        *,
        in_open: bool,
    ) -> int:
        """Read one item and return the position behind it."""
        window = self.window
        (length,) = dialect.length32(window.buf, position + 4 - window.base)
        end = bound if length == UNDEFINED else position + 8 + length
        if bound is not None and end is not None and end > bound:
            self.report("", "SQ", IssueCode.LENGTH_BEYOND_ITEM)
            end = bound
        child = Scope(dialect, scope.charset, end, length == UNDEFINED, scope.depth + 1, {}, False, in_open)
        items.append(child.dataset)
        try:
            following = self._walk(child, position + 8, "")
        except (StructureError, TruncatedError) as stop:
            following = self._read_on(child, stop)
        self.count(1 + len(child.dataset))
        return following

    def _cut(self, scope: Scope, tag: str, start: int, end: int | None, position: int, dialect: Dialect) -> int:
        """Leave the rest of a long sequence where it is, and return the position behind it."""
        if end is None:
            following = self.end_of_undefined(scope, position, dialect)
            end = following - DELIMITER_LENGTH
        else:
            self.check_reach(tag, start, end - start)
            following = end
        element = scope.dataset[tag]
        if not element["Value"]:
            del element["Value"]
        element["BulkData"] = {"offset": start, "length": end - start}
        self.skipped += end - position
        return following

    def _delimiter(self, scope: Scope, tag: str, position: int) -> int:
        """Read an item or delimitation tag that stands where an element is due."""
        if tag == _ITEM and not scope.depth:
            raise StructureError(f"an item outside a sequence, at byte {position}")
        if tag == _ITEM_END and scope.delimited:
            scope.finished = True
            return position + 8
        self.count(1)
        self.report(tag, "", IssueCode.STRAY_DELIMITER)
        if scope.delimited or tag == _ITEM or (tag == _SEQUENCE_END and scope.in_open):
            # The item lacks its delimiter, or its length is wrong: this one is for the sequence around it.
            scope.finished = True
            return position
        return position + 8

    def _misfit(self, scope: Scope, position: int) -> int:
        """Read what has no valid VR where one is due: zeros, a damaged VR or delimiter, an element in implicit VR."""
        head = self.window.at(position, 12)
        if not any(head[:8]):
            return self.zeros(scope, position)
        if not scope.dialect.explicit:
            raise StructureError(f"there is no element at byte {position}")
        if self.is_mark(scope, position):
            # What it is, is looked at by the sequence around the item.
            scope.finished = True
            return position
        return self._read_as(scope, self.reading(scope, position), position)

    def _read_as(self, scope: Scope, way: Reading, position: int) -> int:
        """Read an element whose VR is not the one that stands there."""
        stated = self.window.peek(position + 4, 2) if way.dialect is scope.dialect else b""
        self.report(way.tag, way.rule.vr, way.code, stated)
        dialect, scope.dialect = scope.dialect, way.dialect
        try:
            return self._placed(scope, way.tag, way.rule, way.start, way.length)
        finally:
            scope.dialect = dialect

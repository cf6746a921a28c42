"""One pass over the elements of a data set: bytes in, DICOM JSON model (PS3.18 Annex F) out.

No element objects are made in between, and what is not inlined is not read. How values become JSON is in
:mod:`~dicom_assets.dicom.texts` and :mod:`~dicom_assets.dicom.binary`; where a data set begins and how it is
encoded is found by :mod:`~dicom_assets.dicom.sniff`.
"""

from typing import ClassVar

from dicom_assets.dicom.dialect import (
    DIALECTS,
    EXPLICIT_LITTLE,
    IMPLICIT_LITTLE,
    UNDEFINED,
    Dialect,
    Kind,
    Rule,
    states_vr,
)
from dicom_assets.dicom.elements import DELIMITER_LENGTH, SHORT, ElementReader, dictionary_vr, is_known, is_private
from dicom_assets.dicom.header import Element, JsonDataset
from dicom_assets.dicom.issues import IssueCode
from dicom_assets.dicom.limits import HeaderLimits
from dicom_assets.dicom.scope import Scope
from dicom_assets.dicom.stops import LimitError, StructureError, TruncatedError
from dicom_assets.dicom.vr import ALL_VRS
from dicom_assets.dicom.window import Window

_ITEM, _ITEM_END, _SEQUENCE_END = "FFFEE000", "FFFEE00D", "FFFEE0DD"
_ITEM_TAGS = (b"\xfe\xff\x00\xe0", b"\xfe\xff\xdd\xe0")
"""What a sequence in little endian begins with: an item, or at once its end."""
_NO_TAG = "00000000"
"""Zeros: padding, when their length is zero too."""
_MAY_BE_UNDEFINED = frozenset({Kind.SEQUENCE, Kind.UNKNOWN, Kind.PIXELS})


class Walker(ElementReader):
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

    def walk(self, scope: Scope, position: int) -> int:  # noqa: C901 - see below: one loop, no calls
        """Read a data set into ``scope.dataset`` and return the position behind it.

        This is the hot loop. It is one function because at a third of a microsecond an element each call would
        count: elements with a short header and a value that was met before cost one look-up for the tag and one
        for the value; all others go through :meth:`_special`.

        Raises
        ------
        TruncatedError
            If the source ends before the data set does. What was read is in ``scope.dataset``.
        LimitError
            If a limit stops the walk.
        StructureError
            If there is no element where one should be.

        """
        window, dataset, dialect = self.window, scope.dataset, scope.dialect
        entries, width, length_at = dialect.entries, dialect.width, dialect.length
        last = ""
        while True:
            buf, base = window.buf, window.base
            at = position - base
            limit = len(buf) if scope.end is None else min(len(buf), scope.end - base)
            edge = limit - 8
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
                if element is None:
                    element = self.decoded(scope, tag, rule, raw)
                if tag <= last:
                    self.misplaced(tag, dataset)
                last = tag
                dataset[tag] = element
                at = stop
            position = base + at
            if not self._has_element(scope, position):
                return position if scope.end is None else scope.end
            at = position - window.base
            tag, _, rule = entries[window.buf[at : at + width]]
            if tag != _NO_TAG and rule.kind is not Kind.DELIMITER:
                if tag <= last:
                    self.misplaced(tag, dataset)
                last = tag
            position = self._special(scope, tag, rule, position)
            if scope.finished:
                return position

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
            (length,) = dialect.length32(window.buf, position + 8 - window.base)
        else:
            (length,) = dialect.length(window.buf, position + dialect.width - window.base)
        if rule.kind is Kind.DELIMITER:
            return self._delimiter(scope, tag, position)
        if rule.kind is Kind.MISFIT or (tag == _NO_TAG and not length):
            return self._misfit(scope, position)
        if length == UNDEFINED:
            if rule.kind not in _MAY_BE_UNDEFINED:
                return self.fragments(scope, tag, rule, start)
        elif scope.end is not None and start + length > scope.end:
            self.report(tag, rule.vr, IssueCode.LENGTH_BEYOND_ITEM)
            length = max(scope.end - start, 0)
            start = min(start, scope.end)
        return self._READERS[rule.kind](self, scope, tag, rule, start, length)

    def _unknown(self, scope: Scope, tag: str, _rule: Rule, start: int, length: int) -> int:
        """Read a UN, or a private element in implicit VR, as what the dictionaries say it is (PS3.5 6.2.2)."""
        vr = dictionary_vr(scope.dataset, tag)
        # What was written as UN was implicit VR little endian before, also in a big endian data set.
        dialect = IMPLICIT_LITTLE if scope.dialect.explicit else scope.dialect
        if length == UNDEFINED or vr == "SQ":
            head = self.window.at(start, 14)
            if scope.dialect.explicit and states_vr(head[12:]):
                # Marked as UN by someone who left the content in explicit VR.
                dialect = EXPLICIT_LITTLE
            if vr in (None, "SQ") and head[:4] in _ITEM_TAGS:
                return self._items(scope, tag, start, None if length == UNDEFINED else start + length, dialect)
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
            following = self._item(scope, items, bound, position, dialect)
            self.trail.pop()
            if following is None:
                # Its delimiter, or in a sequence of stated length something that is no item.
                position = position + 8 if end is None else end
                break
            position = following
        else:
            if end is None:
                self.report(tag, "SQ", IssueCode.LENGTH_BEYOND_ITEM)
        if not items:
            del element["Value"]
        return position

    def _item(
        self, scope: Scope, items: list[JsonDataset], bound: int | None, position: int, dialect: Dialect
    ) -> int | None:
        """Read one item and return the position behind it, ``None`` where there is none."""
        window = self.window
        if bound is not None and bound - position < 8:
            self.report("", "SQ", IssueCode.STRAY_BYTES, window.at(position, bound - position))
            return bound
        if not window.have(position, 8):
            raise TruncatedError(f"the file ends inside a sequence, behind byte {position}")
        at = position - window.base
        tag = dialect.tag(window.buf, at)
        (length,) = dialect.length32(window.buf, at + 4)
        if tag == (0xFFFE, 0xE0DD):
            return None
        if tag == (0xFFFE, 0xE00D):
            self.count(1)
            self.report(_ITEM_END, "", IssueCode.STRAY_DELIMITER)
            return position + 8
        if tag != (0xFFFE, 0xE000):
            if bound is None:
                raise StructureError(f"there is no item of a sequence at byte {position}")
            self.report("", "SQ", IssueCode.STRAY_BYTES, window.at(position, min(bound - position, SHORT)))
            return bound
        end = bound if length == UNDEFINED else position + 8 + length
        if bound is not None and end is not None and end > bound:
            self.report("", "SQ", IssueCode.LENGTH_BEYOND_ITEM)
            end = bound
        child = Scope(dialect, scope.charset, end, length == UNDEFINED, scope.depth + 1)
        items.append(child.dataset)
        following = self._walk_item(child, position + 8)
        self.count(1 + len(child.dataset))
        return following

    def _walk_item(self, child: Scope, position: int) -> int:
        """Read the data set of an item; when its structure is lost but its length is stated, go on behind it."""
        depth = len(self.trail)
        try:
            return self.walk(child, position)
        except StructureError:
            if child.delimited or child.end is None or self.window.base > child.end:
                raise
            del self.trail[depth:]
            self.report("", "SQ", IssueCode.STRUCTURE)
            return child.end

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
        if tag == _ITEM:
            raise StructureError(f"an item outside a sequence, at byte {position}")
        if tag == _ITEM_END and scope.delimited:
            scope.finished = True
            return position + 8
        self.count(1)
        self.report(tag, "", IssueCode.STRAY_DELIMITER)
        if scope.delimited:
            # The item lacks its delimiter: this one is for the sequence around it.
            scope.finished = True
            return position
        return position + 8

    def _misfit(self, scope: Scope, position: int) -> int:
        """Read what has no valid VR where one is due: zeros, an unknown VR, or an element in implicit VR."""
        head = self.window.at(position, 12)
        if not any(head[:8]):
            return self.zeros(scope, position)
        dialect = scope.dialect
        if not dialect.explicit:
            raise StructureError(f"there is no element at byte {position}")
        if head[4:6].isalpha() and head[4:6].isupper():
            return self.future_vr(scope, position, head)
        implicit = DIALECTS[False, dialect.little_endian]
        tag, _, rule = implicit.entries[head[:4]]
        (length,) = implicit.length32(head, 4)
        end = self.window.size if scope.end is None else scope.end
        beyond = length != UNDEFINED and position + 8 + length > end
        if beyond or not is_known(scope.dataset, tag):
            raise StructureError(f"there is no element at byte {position}")
        self.report(tag, rule.vr, IssueCode.MISSING_VR)
        scope.dialect = implicit
        try:
            return self._special(scope, tag, rule, position)
        finally:
            scope.dialect = dialect

"""One pass over the elements of a data set: bytes in, DICOM JSON model (PS3.18 Annex F) out.

No element objects are made in between, and what is not inlined is not read. How values become JSON is in
:mod:`~dicom_assets.dicom.texts` and :mod:`~dicom_assets.dicom.binary`; where a data set begins and how it is
encoded is found by :mod:`~dicom_assets.dicom.sniff`.
"""

from typing import ClassVar

from dicom_assets.dicom.dialect import (
    EXPLICIT_LITTLE,
    IMPLICIT_LITTLE,
    UNDEFINED,
    Dialect,
    Kind,
    Rule,
    states_vr,
)
from dicom_assets.dicom.elements import SHORT, ElementReader, dictionary_vr, is_private
from dicom_assets.dicom.issues import RAW_CAP, IssueCode
from dicom_assets.dicom.readings import Reading
from dicom_assets.dicom.scope import Scope
from dicom_assets.dicom.sequences import SequenceReader
from dicom_assets.dicom.stops import LimitError, StructureError, TruncatedError
from dicom_assets.dicom.vr import ALL_VRS, TEXT_VRS

_ITEM, _ITEM_END, _SEQUENCE_END = "FFFEE000", "FFFEE00D", "FFFEE0DD"
_ENDS = {True: b"\xfe\xff\x0d\xe0\0\0\0\0", False: b"\xff\xfe\xe0\x0d\0\0\0\0"}
"""The delimiter of an item, by byte order."""
_HAVE_THEIR_OWN_END = frozenset({Kind.SEQUENCE, Kind.PIXELS})
_ITEM_TAGS = (b"\xfe\xff\x00\xe0", b"\xfe\xff\xdd\xe0")
"""What a sequence in little endian begins with: an item, or at once its end."""
_NO_TAG = "00000000"
"""Zeros: padding, when their length is zero too."""
_MAY_BE_UNDEFINED = frozenset({Kind.SEQUENCE, Kind.UNKNOWN, Kind.PIXELS})


class Walker(SequenceReader):
    """The walk over one file; it is used once.

    Parameters
    ----------
    window
        The bytes.
    limits
        What is inlined, and when to stop.

    """

    def walk(self, scope: Scope, position: int, last: str) -> int:  # noqa: C901 - see below: one loop, no calls
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
            run = at
            while at <= edge:
                tag, values, rule = entries[buf[at : at + width]]
                (length,) = length_at(buf, at + width)
                if values is None or length > SHORT:
                    break
                stop = at + 8 + length
                if stop > limit:
                    break
                raw = buf[at + 8 : stop]
                if tag > last:
                    last = tag
                elif self.misplaced(dataset, tag, last):
                    self.report(tag, rule.vr, IssueCode.DUPLICATE_TAG, raw)
                    at = stop
                    continue
                element = values.get(raw)
                if element is None:
                    if ends is not None and ends in raw:
                        last = max(dataset, default="")
                        break
                    element = self.decoded(scope, tag, rule, raw)
                dataset[tag] = element
                at = stop
            position = base + at
            if at > run:
                scope.before = base + run
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
            reserved, length = dialect.long_length(window.buf, position + 6 - window.base)
            if reserved:
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
        last = scope.last
        scope.last = tag if tag > last else last  # noqa: FURB136 - a call would be felt here
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
                return self.items(scope, tag, start, None if length == UNDEFINED else start + length, items)
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
        return self.items(scope, tag, start, None if length == UNDEFINED else start + length, scope.dialect)

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

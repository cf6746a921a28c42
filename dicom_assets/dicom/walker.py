"""One pass over the elements of a data set: bytes in, DICOM JSON model (PS3.18 Annex F) out.

No element objects are made in between, and what is not inlined is not read. How values become JSON is in
:mod:`~dicom_assets.dicom.texts` and :mod:`~dicom_assets.dicom.binary`; where a data set begins and how it is
encoded is found by :mod:`~dicom_assets.dicom.sniff`.
"""

from collections.abc import Callable
from dataclasses import dataclass, field

import orjson

from dicom_assets.dicom.charsets import NO_CHARSET, Charset, charset_of
from dicom_assets.dicom.choices import Choice
from dicom_assets.dicom.dialect import (
    EXPLICIT_LITTLE,
    IMPLICIT_BIG,
    IMPLICIT_LITTLE,
    UNDEFINED,
    Dialect,
    Kind,
    Rule,
    states_vr,
)
from dicom_assets.dicom.header import Element, JsonDataset, PixelElement, first_value
from dicom_assets.dicom.issues import IssueCode, IssueLog
from dicom_assets.dicom.limits import HeaderLimits, inline_caps
from dicom_assets.dicom.scan import end_of_undefined
from dicom_assets.dicom.stops import LimitError, StructureError, TruncatedError
from dicom_assets.dicom.vr import private_vr, public_vr
from dicom_assets.dicom.window import UNKNOWN_SIZE, Window

_SHORT = 64
"""Values up to this length are looked up among those decoded before."""

_ITEM, _ITEM_END, _SEQUENCE_END = "FFFEE000", "FFFEE00D", "FFFEE0DD"
_NO_TAG = "00000000"
_ESCAPE = 0x1B


@dataclass(slots=True)
class Scope:
    """One data set while it is walked: the file's own, or an item's.

    Attributes
    ----------
    dialect, charset
        How it is encoded; the character set is inherited from the data set around it (PS3.3 C.12.1.1.2).
    end
        Position behind it, ``None`` when a delimiter or the end of the file ends it.
    delimited
        Whether a delimiter ends it.
    depth
        Sequences around it.
    dataset
        Its elements so far.
    finished
        Whether its end was reached.

    """

    dialect: Dialect
    charset: Charset = NO_CHARSET
    end: int | None = None
    delimited: bool = False
    depth: int = 0
    dataset: JsonDataset = field(default_factory=dict)
    finished: bool = False


class Walker:
    """The walk over one file; it is used once.

    Parameters
    ----------
    window
        The bytes.
    limits
        What is inlined, and when to stop.

    Attributes
    ----------
    log
        What was found to break a rule.
    pixel
        Where the pixel data begins, once it was met.

    """

    def __init__(self, window: Window, limits: HeaderLimits) -> None:
        self.window = window
        self.limits = limits
        self.log = IssueLog(limits.max_issues)
        self.pixel: PixelElement | None = None
        self._caps = inline_caps(limits)
        self._trail: list[tuple[str, int]] = []
        self._choices: list[Choice] = []
        self._unordered: list[JsonDataset] = []
        self._elements = 0
        self._passed = 0
        self._sequence_start = 0
        self._sequence_skipped = 0

    def walk(self, scope: Scope, position: int) -> int:
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
                if values is None or length > _SHORT:
                    break
                stop = at + 8 + length
                if stop > limit:
                    break
                raw = buf[at + 8 : stop]
                element = values.get(raw)
                if element is None:
                    element = self._decoded(scope, tag, rule, raw)
                if tag <= last:
                    self._misplaced(tag, dataset)
                last = tag
                dataset[tag] = element
                at = stop
            position = base + at
            if not self._has_element(scope, position):
                return position if scope.end is None else scope.end
            at = position - window.base
            tag, _, rule = entries[window.buf[at : at + width]]
            if tag <= last and tag != _NO_TAG:
                self._misplaced(tag, dataset)
            last = tag
            position = self._special(scope, tag, rule, position)
            if scope.finished:
                return position

    def finish(self, root: JsonDataset) -> None:
        """Settle what needs the whole data set: VRs that depend on other elements, and the order of tags."""
        for choice in self._choices:
            vr, problems = choice.settle(root)
            for code, raw in problems:
                self.log.add(choice.path, vr, code, raw)
        for dataset in self._unordered:
            elements = sorted(dataset.items())
            dataset.clear()
            dataset.update(elements)

    def _path(self, tag: str) -> str:
        return "".join([f"{outer}[{number}]." for outer, number in self._trail]) + tag

    def _report(self, tag: str, vr: str, code: IssueCode, raw: bytes = b"") -> None:
        self.log.add(self._path(tag), vr, code, raw)

    def _misplaced(self, tag: str, dataset: JsonDataset) -> None:
        """List an element that stands twice or too late."""
        self._elements += 1
        before = dataset.get(tag)
        if before is None:
            self._report(tag, "", IssueCode.TAG_ORDER)
        else:
            self._report(tag, before["vr"], IssueCode.DUPLICATE_TAG, orjson.dumps(before.get("Value")))
        if not self._unordered or self._unordered[-1] is not dataset:
            self._unordered.append(dataset)

    def _has_element(self, scope: Scope, position: int) -> bool:
        """Say whether the header of an element follows, and make it available."""
        if self._elements + len(scope.dataset) > self.limits.max_elements:
            raise LimitError(f"more than {self.limits.max_elements} elements")
        window, end = self.window, scope.end
        if end is not None and end - position < 8:
            if position < end and any(rest := window.at(position, end - position)):
                self._report("", "", IssueCode.STRAY_BYTES, rest)
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
                return self._fragments(scope, tag, rule, start)
        elif scope.end is not None and start + length > scope.end:
            self._report(tag, rule.vr, IssueCode.LENGTH_BEYOND_ITEM)
            length = max(scope.end - start, 0)
            start = min(start, scope.end)
        return _HANDLERS[rule.kind](self, scope, tag, rule, start, length)

    # Values ---------------------------------------------------------------------------------------------------

    def _decoded(self, scope: Scope, tag: str, rule: Rule, raw: bytes) -> Element:
        """Decode a value that was not met before, list its issues, and remember it when it has none."""
        element, problems = rule.decode(raw, scope.charset)
        odd = len(raw) & 1
        if problems or odd:
            for code, part in problems:
                self._report(tag, rule.vr, code, part)
            if odd:
                self._report(tag, rule.vr, IssueCode.ODD_LENGTH, raw)
        elif len(raw) <= _SHORT and (not rule.charset or (raw.isascii() and _ESCAPE not in raw)):
            # Plain ASCII reads the same in every character set.
            rule.remember(raw, element)
        return element

    def _raw(self, tag: str, start: int, length: int) -> bytes:
        window = self.window
        if not window.have(start, length):
            raise TruncatedError(f"the file ends inside element {tag}, which begins at byte {start}")
        at = start - window.base
        return window.buf[at : at + length]

    def _bulk(self, tag: str, vr: str, start: int, length: int) -> Element:
        """Return an element that says where its value is, after a look whether it is there."""
        if not self.window.reaches(start + length):
            raise TruncatedError(f"the file ends inside element {tag}, which begins at byte {start}")
        self._sequence_skipped += length
        return {"vr": vr, "BulkData": {"offset": start, "length": length}}

    def _value(self, scope: Scope, tag: str, rule: Rule, start: int, length: int) -> int:
        if length > self._caps[rule.vr]:
            scope.dataset[tag] = self._bulk(tag, rule.vr, start, length)
        else:
            scope.dataset[tag] = self._decoded(scope, tag, rule, self._raw(tag, start, length))
        return start + length

    def _charset(self, scope: Scope, tag: str, _rule: Rule, start: int, length: int) -> int:
        raw = self._raw(tag, start, length)
        # Its VR is CS, also where the file says UN.
        element, _ = scope.dialect.value_rule("CS").decode(raw, scope.charset)
        scope.charset, defined = charset_of(tuple(term or "" for term in element.get("Value", ())))
        if not defined:
            self._report(tag, "CS", IssueCode.BAD_CHARSET, raw)
        scope.dataset[tag] = element
        return start + length

    def _choice(self, scope: Scope, tag: str, rule: Rule, start: int, length: int) -> int:
        if length > self._caps["OW"]:
            scope.dataset[tag] = self._bulk(tag, "OW" if "OW" in rule.vr else "US", start, length)
        else:
            raw = self._raw(tag, start, length)
            scope.dataset[tag] = {"vr": "UN"}
            self._choices.append(Choice(scope.dataset, tag, rule.vr, raw, scope.dialect, self._path(tag)))
        return start + length

    def _unknown(self, scope: Scope, tag: str, rule: Rule, start: int, length: int) -> int:
        """Read a UN, or a private element in implicit VR, as what the dictionaries say it is (PS3.5 6.2.2)."""
        vr = _dictionary_vr(scope.dataset, tag)
        # What was written as UN was implicit VR little endian before, also in a big endian data set.
        dialect = IMPLICIT_LITTLE if scope.dialect.explicit else scope.dialect
        head = self.window.at(start, 14)
        if scope.dialect.explicit and states_vr(head[12:14]):
            # Marked as UN by someone who left the content in explicit VR.
            dialect = EXPLICIT_LITTLE
        if length == UNDEFINED:
            if vr in (None, "SQ") and head[:4] in _ITEM_TAGS:
                return self._items(scope, tag, start, None, dialect)
            return self._fragments(scope, tag, dialect.value_rule(vr or "UN"), start)
        if vr == "SQ" and head[:4] in _ITEM_TAGS:
            return self._items(scope, tag, start, start + length, dialect)
        if vr is None or vr == "SQ":
            return self._value(scope, tag, dialect.value_rule("UN"), start, length)
        if vr not in self._caps:
            return self._choice(scope, tag, dialect.rule(Kind.CHOICE, vr), start, length)
        if length <= self._caps[vr] and _is_private(tag):
            raw = self._raw(tag, start, length)
            if dialect.value_rule(vr).decode(raw, scope.charset)[1]:
                # The dictionary of private elements is hearsay: a value that contradicts it is no error.
                vr = "UN"
        return self._value(scope, tag, dialect.value_rule(vr), start, length)

    def _pixels(self, scope: Scope, tag: str, rule: Rule, start: int, length: int) -> int:
        if scope.depth:
            # The pixel data of an icon, which is an element like any other.
            if length == UNDEFINED:
                return self._fragments(scope, tag, rule, start)
            return self._value(scope, tag, rule, start, length)
        undefined = length == UNDEFINED
        self.pixel = PixelElement(tag, _PIXEL_VRS.get(tag, rule.vr), start, None if undefined else length)
        if not undefined and self.window.size != UNKNOWN_SIZE and start + length > self.window.size:
            self._report(tag, rule.vr, IssueCode.PIXEL_DATA_CUT)
        scope.finished = True
        return start

    def _passed_over(self, _scope: Scope, tag: str, rule: Rule, start: int, length: int) -> int:
        if rule.kind is Kind.GROUP_LENGTH and not self.window.reaches(start + length):
            raise TruncatedError(f"the file ends inside element {tag}, which begins at byte {start}")
        return start + length

    # Structure ------------------------------------------------------------------------------------------------

    def _fragments(self, scope: Scope, tag: str, rule: Rule, start: int) -> int:
        """Read a value of undefined length that is no sequence: encapsulated fragments, always bulk (PS3.5 A.4)."""
        end = self._end_of_undefined(start, scope.dialect)
        scope.dataset[tag] = {"vr": rule.vr, "BulkData": {"offset": start, "length": end - start}}
        self._sequence_skipped += end - start
        return end

    def _end_of_undefined(self, position: int, dialect: Dialect) -> int:
        most = self.limits.max_skipped - self._passed
        end, passed = end_of_undefined(self.window, position, dialect, most)
        self._passed += passed
        return end

    def _sequence(self, scope: Scope, tag: str, _rule: Rule, start: int, length: int) -> int:
        return self._items(scope, tag, start, None if length == UNDEFINED else start + length, scope.dialect)

    def _items(self, scope: Scope, tag: str, start: int, end: int | None, dialect: Dialect) -> int:
        """Read the items of a sequence (PS3.5 7.5) and return the position behind it."""
        if scope.depth >= self.limits.max_depth:
            raise LimitError(f"sequences nested deeper than {self.limits.max_depth}")
        if scope.depth == 0:
            self._sequence_start, self._sequence_skipped = start, 0
        element: Element = {"vr": "SQ"}
        scope.dataset[tag] = element
        if start == end:
            return start
        items: list[JsonDataset] = []
        element["Value"] = items
        position = start
        while end is None or position < end:
            if position - self._sequence_start - self._sequence_skipped > self.limits.sequence_bytes:
                return self._cut(element, tag, start, end, position, dialect)
            self._trail.append((tag, len(items)))
            following = self._item(scope, items, end, position, dialect)
            self._trail.pop()
            if following is None:
                break
            position = following
        else:
            return end
        if not items:
            del element["Value"]
        return position + 8 if end is None else end

    def _item(
        self, scope: Scope, items: list[JsonDataset], end: int | None, position: int, dialect: Dialect
    ) -> int | None:
        """Read one item and return the position behind it, ``None`` where there is none."""
        window = self.window
        if end is not None and end - position < 8:
            self._report("", "SQ", IssueCode.STRAY_BYTES, window.at(position, end - position))
            return None
        if not window.have(position, 8):
            raise TruncatedError(f"the file ends inside a sequence, behind byte {position}")
        at = position - window.base
        group, number = dialect.tag(window.buf, at)
        (length,) = dialect.length32(window.buf, at + 4)
        if (group, number) == (0xFFFE, 0xE0DD):
            if end is not None:
                self._report(_SEQUENCE_END, "", IssueCode.STRAY_DELIMITER)
            return None
        if (group, number) == (0xFFFE, 0xE00D):
            self._report(_ITEM_END, "", IssueCode.STRAY_DELIMITER)
            return position + 8
        if (group, number) != (0xFFFE, 0xE000):
            if end is None:
                raise StructureError(f"there is no item of a sequence at byte {position}")
            self._report("", "SQ", IssueCode.STRAY_BYTES, window.at(position, end - position))
            return None
        item_end = None if length == UNDEFINED else position + 8 + length
        if end is not None and item_end is not None and item_end > end:
            self._report("", "SQ", IssueCode.LENGTH_BEYOND_ITEM)
            item_end = end
        child = Scope(dialect, scope.charset, item_end, item_end is None, scope.depth + 1)
        items.append(child.dataset)
        following = self.walk(child, position + 8)
        self._elements += len(child.dataset)
        return following

    def _cut(self, element: Element, tag: str, start: int, end: int | None, position: int, dialect: Dialect) -> int:
        """Leave the rest of a long sequence where it is, and return the position behind it."""
        if end is None:
            end = self._end_of_undefined(position, dialect)
        elif not self.window.reaches(end):
            raise TruncatedError(f"the file ends inside element {tag}, which begins at byte {start}")
        if not element["Value"]:
            del element["Value"]
        element["BulkData"] = {"offset": start, "length": end - start}
        self._sequence_skipped += end - position
        return end

    def _delimiter(self, scope: Scope, tag: str, position: int) -> int:
        if tag == _ITEM:
            raise StructureError(f"an item outside a sequence, at byte {position}")
        if scope.delimited:
            scope.finished = True
            if tag == _ITEM_END:
                return position + 8
            # The item lacks its delimiter: this one is for the sequence around it.
            self._report(tag, "", IssueCode.STRAY_DELIMITER)
            return position
        self._report(tag, "", IssueCode.STRAY_DELIMITER)
        return position + 8

    def _misfit(self, scope: Scope, position: int) -> int:
        """Read what has no valid VR where one is due: zeros, an unknown VR, or an element in implicit VR."""
        head = self.window.at(position, 12)
        if not any(head[:8]):
            return self._zeros(scope, position)
        dialect = scope.dialect
        tag = dialect.entries[head[: dialect.width]][0]
        if head[4:6].isalpha() and head[4:6].isupper():
            self._report(tag, "UN", IssueCode.UNKNOWN_VR, head[4:6])
            if head[6:8] == b"\0\0" and len(head) == 12:
                # VRs to come have a 32-bit length (PS3.5 6.2, note 1).
                (length,) = dialect.length32(head, 8)
                return self._value(scope, tag, dialect.value_rule("UN"), position + 12, length)
            (length,) = dialect.length(head, 6)
            return self._value(scope, tag, dialect.value_rule("UN"), position + 8, length)
        implicit = IMPLICIT_LITTLE if dialect.little_endian else IMPLICIT_BIG
        tag, _, rule = implicit.entries[head[:4]]
        (length,) = implicit.length32(head, 4)
        end = self.window.size if scope.end is None else scope.end
        if rule.kind is Kind.MISFIT or (length != UNDEFINED and position + 8 + length > end):
            raise StructureError(f"there is no element at byte {position}")
        self._report(tag, rule.vr, IssueCode.MISSING_VR)
        scope.dialect = implicit
        try:
            return self._special(scope, tag, rule, position)
        finally:
            scope.dialect = dialect

    def _zeros(self, scope: Scope, position: int) -> int:
        """Pass over zeros at the end of a data set."""
        rest = len(self.window.buf) - (position - self.window.base)
        if scope.end is not None:
            rest = min(rest, scope.end - position)
        if scope.delimited or any(self.window.at(position, rest)):
            raise StructureError(f"there is no element at byte {position}")
        scope.finished = True
        return position + rest if scope.end is None else scope.end


_ITEM_TAGS = (b"\xfe\xff\x00\xe0", b"\xfe\xff\xdd\xe0")
_PIXEL_VRS = {"7FE00008": "OF", "7FE00009": "OD"}
_MAY_BE_UNDEFINED = frozenset({Kind.SEQUENCE, Kind.UNKNOWN, Kind.PIXELS})

_Handler = Callable[[Walker, Scope, str, Rule, int, int], int]
_HANDLERS: dict[Kind, _Handler] = {
    Kind.VALUE: Walker._value,
    Kind.SEQUENCE: Walker._sequence,
    Kind.UNKNOWN: Walker._unknown,
    Kind.CHOICE: Walker._choice,
    Kind.CHARSET: Walker._charset,
    Kind.PIXELS: Walker._pixels,
    Kind.GROUP_LENGTH: Walker._passed_over,
    Kind.PADDING: Walker._passed_over,
}


def _is_private(tag: str) -> bool:
    return int(tag[3], 16) & 1 == 1


def _dictionary_vr(dataset: JsonDataset, tag: str) -> str | None:
    """Return the VR of an element as the dictionaries know it, private ones by their creator (PS3.5 7.8)."""
    if not _is_private(tag):
        return public_vr(int(tag, 16))
    block = tag[4:6]
    if block == "00":
        return "LO" if int(tag[6:], 16) >= 0x10 else None
    creator = first_value(dataset, f"{tag[:4]}00{block}")
    return private_vr(int(tag, 16), creator) if isinstance(creator, str) else None

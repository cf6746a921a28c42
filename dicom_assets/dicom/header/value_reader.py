"""Single elements: from a known VR, position and length to the element of the JSON model.

Here it is decided which values are inlined, and which are left in the file. The elements themselves are found by
:mod:`~dicom_assets.dicom.header.walker`.
"""

from dicom_assets.dicom.header.ambiguous_vr import AmbiguousElement
from dicom_assets.dicom.header.budget import SHORT, Budget
from dicom_assets.dicom.header.charsets import charset_of
from dicom_assets.dicom.header.dataset_context import DatasetContext
from dicom_assets.dicom.header.dictionary import is_private
from dicom_assets.dicom.header.encoding import UNDEFINED, Encoding, Kind, Rule
from dicom_assets.dicom.header.errors import StructureError, TruncatedError
from dicom_assets.dicom.header.issues import IssueCode, IssueLog
from dicom_assets.dicom.header.model import Element, JsonDataset, PixelElement
from dicom_assets.dicom.header.undefined_length import end_of_undefined
from dicom_assets.dicom.header.vr import ALL_VRS
from dicom_assets.dicom.read_ahead import ReadAheadBuffer

DELIMITER_LENGTH = 8

_PIXEL_VRS = {"7FE00008": "OF", "7FE00009": "OD"}


class ValueReader:
    """Reads the values of one file, and puts the elements that they make into their data sets.

    Parameters
    ----------
    buffer
        The bytes.
    budget
        What is inlined, and when to stop.
    log
        Where values that break a rule are listed.

    Attributes
    ----------
    pixel
        Where the pixel data begins, once it was met.

    """

    __slots__ = ("_ambiguous", "_budget", "_buffer", "_log", "pixel")

    def __init__(self, buffer: ReadAheadBuffer, budget: Budget, log: IssueLog) -> None:
        self._buffer = buffer
        self._budget = budget
        self._log = log
        self._ambiguous: list[AmbiguousElement] = []
        self.pixel: PixelElement | None = None

    def resolve_ambiguous(self, root: JsonDataset) -> None:
        """Give elements their VR that depends on other elements, `root` being the data set of the file."""
        for element in self._ambiguous:
            vr, problems = element.resolve(root)
            for code, raw in problems:
                self._log.add(element.path, vr, code, raw)

    def decode(self, context: DatasetContext, tag: str, rule: Rule, raw: bytes) -> Element:
        """Decode a value that was not met before, list its issues, and remember it when it has none."""
        element, problems = rule.decode(raw, context.charset)
        if len(raw) & 1:
            problems += ((IssueCode.ODD_LENGTH, raw),)
        if problems:
            for code, part in problems:
                self._log.report(tag, rule.vr, code, part)
        elif len(raw) <= SHORT:
            rule.remember(raw, element)
        return element

    def value(self, context: DatasetContext, tag: str, rule: Rule, start: int, length: int) -> int:
        """Read a value of a known VR."""
        if self._budget.is_bulk(rule.vr, length):
            context.dataset[tag] = self._bulk(tag, rule.vr, start, length)
        else:
            context.dataset[tag] = self.decode(context, tag, rule, self._raw(tag, start, length))
        return start + length

    def unknown(
        self, context: DatasetContext, tag: str, encoding: Encoding, vr: str | None, start: int, length: int
    ) -> int:
        """Read a UN that is no sequence, or a private element in implicit VR, by the VR of the dictionaries."""
        if vr is None or vr == "SQ":
            return self.value(context, tag, encoding.value_rule("UN"), start, length)
        if vr not in ALL_VRS:
            return self.ambiguous(context, tag, encoding.rule(Kind.AMBIGUOUS, vr), start, length)
        if is_private(tag):
            return self._private_value(context, tag, encoding, vr, start, length)
        return self.value(context, tag, encoding.value_rule(vr), start, length)

    def _private_value(
        self, context: DatasetContext, tag: str, encoding: Encoding, vr: str, start: int, length: int
    ) -> int:
        """Read a value of a VR that a dictionary of private elements claims; what contradicts it is UN.

        Such dictionaries are collected from files, so that a value which contradicts one is no issue of the file.
        """
        rule = encoding.value_rule(vr)
        if self._budget.is_bulk(vr, length):
            return self.value(context, tag, rule, start, length)
        raw = self._raw(tag, start, length)
        element = rule.values.get(raw)
        if element is None:
            element, problems = rule.decode(raw, context.charset)
            if any(code is not IssueCode.TOO_LONG for code, _ in problems):
                return self.value(context, tag, encoding.value_rule("UN"), start, length)
            if len(raw) & 1:
                self._log.report(tag, vr, IssueCode.ODD_LENGTH, raw)
            elif not problems and length <= SHORT:
                rule.remember(raw, element)
        context.dataset[tag] = element
        return start + length

    def charset(self, context: DatasetContext, tag: str, _rule: Rule, start: int, length: int) -> int:
        """Read Specific Character Set, and use it from here on."""
        # Its VR is CS, also where the file says UN.
        rule = context.encoding.value_rule("CS")
        if self._budget.is_bulk("CS", length):
            return self.value(context, tag, rule, start, length)
        raw = self._raw(tag, start, length)
        element, _ = rule.decode(raw, context.charset)
        context.charset, defined = charset_of(tuple(term or "" for term in element.get("Value", ())))
        if not defined:
            self._log.report(tag, "CS", IssueCode.BAD_CHARSET, raw)
        context.dataset[tag] = element
        return start + length

    def ambiguous(self, context: DatasetContext, tag: str, rule: Rule, start: int, length: int) -> int:
        """Read a value whose VR is found out at the end."""
        likely = "OW" if "OW" in rule.vr else "US"
        if self._budget.is_bulk(likely, length):
            context.dataset[tag] = self._bulk(tag, likely, start, length)
        else:
            raw = self._raw(tag, start, length)
            context.dataset[tag] = {"vr": likely}
            self._ambiguous.append(
                AmbiguousElement(context.dataset, tag, rule.vr, raw, context.encoding, self._log.path(tag))
            )
        return start + length

    def fragments(self, context: DatasetContext, tag: str, rule: Rule, start: int) -> int:
        """Read a value of undefined length that is no sequence: encapsulated fragments, always bulk (PS3.5 A.4)."""
        end = self.end_of_undefined(context, start, context.encoding)
        length = end - DELIMITER_LENGTH - start
        vr = rule.vr if rule.vr in ALL_VRS else "UN"
        context.dataset[tag] = {"vr": vr, "BulkData": {"offset": start, "length": length}}
        self._budget.skipped += length
        return end

    def passed_over(self, _scope: DatasetContext, tag: str, _rule: Rule, start: int, length: int) -> int:
        """Pass over an element that is not part of the JSON model."""
        self.check_reach(tag, start, length)
        return start + length

    def pixel_data(self, context: DatasetContext, tag: str, rule: Rule, start: int, length: int) -> int:
        """Note where the pixel data is and end there; that of an icon, or a second one, is like any other element."""
        undefined = length == UNDEFINED
        if context.depth or self.pixel is not None:
            return (
                self.fragments(context, tag, rule, start)
                if undefined
                else self.value(context, tag, rule, start, length)
            )
        vr = _PIXEL_VRS.get(tag, "OB" if rule.vr == "OB" else "OW")
        self.pixel = PixelElement(tag, vr, start, None if undefined else length)
        context.finished = True
        return start

    def end_of_undefined(self, context: DatasetContext, position: int, encoding: Encoding) -> int:
        """Find the end of what has no stated length, and count what is on the way."""
        end, passed = end_of_undefined(self._buffer, position, encoding, self._budget.passable)
        self._budget.pass_over(passed)
        if context.end is not None and end > context.end:
            raise StructureError(f"what begins at byte {position} goes beyond the item it stands in")
        return end

    def check_reach(self, tag: str, start: int, length: int) -> None:
        """Raise :class:`TruncatedError` when the file ends before an element does."""
        if not self._buffer.reaches(start + length):
            raise TruncatedError(f"the file ends inside element {tag}, whose value begins at byte {start}")

    def _raw(self, tag: str, start: int, length: int) -> bytes:
        buffer = self._buffer
        if not buffer.ensure(start, length):
            raise TruncatedError(f"the file ends inside element {tag}, whose value begins at byte {start}")
        at = start - buffer.base
        return buffer.data[at : at + length]

    def _bulk(self, tag: str, vr: str, start: int, length: int) -> Element:
        """Return an element that says where its value is, after a look whether it is there."""
        self.check_reach(tag, start, length)
        self._budget.skipped += length
        return {"vr": vr, "BulkData": {"offset": start, "length": length}}

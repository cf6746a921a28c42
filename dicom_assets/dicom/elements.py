"""Single elements: from a known VR, position and length to the element of the JSON model.

What is inlined and what is left where it stands is decided here. Data sets and sequences are the matter of
:mod:`~dicom_assets.dicom.walker`.
"""

from dicom_assets.dicom.charsets import charset_of
from dicom_assets.dicom.choices import Choice
from dicom_assets.dicom.dialect import UNDEFINED, Dialect, Rule
from dicom_assets.dicom.header import Element, JsonDataset, PixelElement, first_value
from dicom_assets.dicom.issues import IssueCode, IssueLog
from dicom_assets.dicom.limits import HeaderLimits, inline_caps
from dicom_assets.dicom.scan import end_of_undefined
from dicom_assets.dicom.scope import Scope
from dicom_assets.dicom.stops import LimitError, StructureError, TruncatedError
from dicom_assets.dicom.vr import ALL_VRS, private_vr, public_vr
from dicom_assets.dicom.window import Window

SHORT = 64
"""Values up to this length are looked up among those decoded before."""

DELIMITER_LENGTH = 8

_PIXEL_VRS = {"7FE00008": "OF", "7FE00009": "OD"}


class ElementReader:
    """Reads the values of one file, and keeps what is to be told of them.

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
    trail
        Tag and item number of each sequence around the data set that is being read.
    elements
        How many elements and items there are in the data sets that were left behind.
    skipped
        Bytes of values that were not inlined.
    pixel
        Where the pixel data begins, once it was met.

    """

    def __init__(self, window: Window, limits: HeaderLimits) -> None:
        self.window = window
        self.limits = limits
        self.log = IssueLog(limits.max_issues)
        self.trail: list[tuple[str, int]] = []
        self.elements = 0
        self.skipped = 0
        self.pixel: PixelElement | None = None
        self._caps = inline_caps(limits)
        self._inlined = 0
        self._passed = 0
        self._choices: list[Choice] = []
        self._unordered: list[JsonDataset] = []
        self._late: tuple[JsonDataset | None, str, str] = (None, "", "")

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

    def report(self, tag: str, vr: str, code: IssueCode, raw: bytes = b"") -> None:
        """List an issue of an element of the data set that is being read."""
        self.log.add(self._path(tag), vr, code, raw)

    def count(self, elements: int) -> None:
        """Count elements and items that are done with, and raise :class:`LimitError` when they are too many."""
        self.elements += elements
        if self.elements > self.limits.max_elements:
            raise LimitError(f"more than {self.limits.max_elements} elements")

    def misplaced(self, dataset: JsonDataset, tag: str, last: str) -> bool:
        """Say whether an element that does not ascend stands twice; list it when it only stands too late.

        Parameters
        ----------
        dataset
            What it stands in.
        tag
            Its tag, not higher than `last`.
        last
            The highest tag before it.

        """
        self.count(1)
        if tag == last or tag in dataset:
            return True
        late, highest, before = self._late
        if late is not dataset or highest != last or tag < before:
            self.report(tag, "", IssueCode.TAG_ORDER)
        self._late = dataset, last, tag
        if not self._unordered or self._unordered[-1] is not dataset:
            self._unordered.append(dataset)
        return False

    def decoded(self, scope: Scope, tag: str, rule: Rule, raw: bytes) -> Element:
        """Decode a value that was not met before, list its issues, and remember it when it has none."""
        element, problems = rule.decode(raw, scope.charset)
        if len(raw) & 1:
            problems += ((IssueCode.ODD_LENGTH, raw),)
        if problems:
            for code, part in problems:
                self.report(tag, rule.vr, code, part)
        elif len(raw) <= SHORT:
            rule.remember(raw, element)
        return element

    def value(self, scope: Scope, tag: str, rule: Rule, start: int, length: int) -> int:
        """Read a value of a known VR."""
        if self._is_bulk(rule.vr, length):
            scope.dataset[tag] = self._bulk(tag, rule.vr, start, length)
        else:
            scope.dataset[tag] = self.decoded(scope, tag, rule, self._raw(tag, start, length))
        return start + length

    def hearsay(self, scope: Scope, tag: str, dialect: Dialect, vr: str, start: int, length: int) -> int:
        """Read a value of a VR that a dictionary of private elements claims; what contradicts it is UN.

        Such dictionaries are collected from files, so that a value which contradicts one is no issue of the file.
        """
        rule = dialect.value_rule(vr)
        if self._is_bulk(vr, length):
            return self.value(scope, tag, rule, start, length)
        raw = self._raw(tag, start, length)
        element = rule.values.get(raw)
        if element is None:
            element, problems = rule.decode(raw, scope.charset)
            if any(code is not IssueCode.TOO_LONG for code, _ in problems):
                return self.value(scope, tag, dialect.value_rule("UN"), start, length)
            if len(raw) & 1:
                self.report(tag, vr, IssueCode.ODD_LENGTH, raw)
            elif not problems and length <= SHORT:
                rule.remember(raw, element)
        scope.dataset[tag] = element
        return start + length

    def charset(self, scope: Scope, tag: str, _rule: Rule, start: int, length: int) -> int:
        """Read Specific Character Set, and use it from here on."""
        # Its VR is CS, also where the file says UN.
        rule = scope.dialect.value_rule("CS")
        if self._is_bulk("CS", length):
            return self.value(scope, tag, rule, start, length)
        raw = self._raw(tag, start, length)
        element, _ = rule.decode(raw, scope.charset)
        scope.charset, defined = charset_of(tuple(term or "" for term in element.get("Value", ())))
        if not defined:
            self.report(tag, "CS", IssueCode.BAD_CHARSET, raw)
        scope.dataset[tag] = element
        return start + length

    def choice(self, scope: Scope, tag: str, rule: Rule, start: int, length: int) -> int:
        """Read a value whose VR is found out at the end."""
        likely = "OW" if "OW" in rule.vr else "US"
        if self._is_bulk(likely, length):
            scope.dataset[tag] = self._bulk(tag, likely, start, length)
        else:
            raw = self._raw(tag, start, length)
            scope.dataset[tag] = {"vr": likely}
            self._choices.append(Choice(scope.dataset, tag, rule.vr, raw, scope.dialect, self._path(tag)))
        return start + length

    def fragments(self, scope: Scope, tag: str, rule: Rule, start: int) -> int:
        """Read a value of undefined length that is no sequence: encapsulated fragments, always bulk (PS3.5 A.4)."""
        end = self.end_of_undefined(scope, start, scope.dialect)
        length = end - DELIMITER_LENGTH - start
        vr = rule.vr if rule.vr in ALL_VRS else "UN"
        scope.dataset[tag] = {"vr": vr, "BulkData": {"offset": start, "length": length}}
        self.skipped += length
        return end

    def passed_over(self, _scope: Scope, tag: str, _rule: Rule, start: int, length: int) -> int:
        """Pass over an element that is not part of the JSON model."""
        self.check_reach(tag, start, length)
        return start + length

    def pixels(self, scope: Scope, tag: str, rule: Rule, start: int, length: int) -> int:
        """Note where the pixel data is and end there; that of an icon, or a second one, is like any other element."""
        undefined = length == UNDEFINED
        if scope.depth or self.pixel is not None:
            return self.fragments(scope, tag, rule, start) if undefined else self.value(scope, tag, rule, start, length)
        vr = _PIXEL_VRS.get(tag, "OB" if rule.vr == "OB" else "OW")
        self.pixel = PixelElement(tag, vr, start, None if undefined else length)
        scope.finished = True
        return start

    def end_of_undefined(self, scope: Scope, position: int, dialect: Dialect) -> int:
        """Find the end of what has no stated length, and count what is on the way."""
        most = self.limits.max_skipped - self._passed
        end, passed = end_of_undefined(self.window, position, dialect, most)
        self._passed += passed
        if scope.end is not None and end > scope.end:
            raise StructureError(f"what begins at byte {position} goes beyond the item it stands in")
        return end

    def check_reach(self, tag: str, start: int, length: int) -> None:
        """Raise :class:`TruncatedError` when the file ends before an element does."""
        if not self.window.reaches(start + length):
            raise TruncatedError(f"the file ends inside element {tag}, whose value begins at byte {start}")

    def _path(self, tag: str) -> str:
        return "".join([f"{outer}[{number}]." for outer, number in self.trail]) + tag

    def _is_bulk(self, vr: str, length: int) -> bool:
        """Say whether a value is too long to be inlined, and count it when it is not."""
        if length <= SHORT:
            # These are bounded by the number of elements.
            return length > self._caps[vr]
        if length > self._caps[vr] or self._inlined + length > self.limits.inline_bytes:
            return True
        self._inlined += length
        return False

    def _raw(self, tag: str, start: int, length: int) -> bytes:
        window = self.window
        if not window.have(start, length):
            raise TruncatedError(f"the file ends inside element {tag}, whose value begins at byte {start}")
        at = start - window.base
        return window.buf[at : at + length]

    def _bulk(self, tag: str, vr: str, start: int, length: int) -> Element:
        """Return an element that says where its value is, after a look whether it is there."""
        self.check_reach(tag, start, length)
        self.skipped += length
        return {"vr": vr, "BulkData": {"offset": start, "length": length}}


def is_private(tag: str) -> bool:
    """Say whether an element is private: its group number is odd (PS3.5 7.8)."""
    return int(tag[3], 16) & 1 == 1


def dictionary_vr(dataset: JsonDataset, tag: str) -> str | None:
    """Return the VR of an element as the dictionaries know it, private ones by their creator (PS3.5 7.8)."""
    if not is_private(tag):
        return public_vr(int(tag, 16))
    block = tag[4:6]
    if block == "00":
        return "LO" if int(tag[6:], 16) >= 0x10 else None
    creator = _creator(dataset, tag)
    return private_vr(int(tag, 16), creator) if isinstance(creator, str) else None


def is_known(dataset: JsonDataset, tag: str) -> bool:
    """Say whether there is such an element: one of the dictionaries, or a private one whose block has a creator."""
    return dictionary_vr(dataset, tag) is not None or (is_private(tag) and _creator(dataset, tag) is not None)


def _creator(dataset: JsonDataset, tag: str) -> object:
    return first_value(dataset, f"{tag[:4]}00{tag[4:6]}")

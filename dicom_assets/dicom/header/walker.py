"""One pass over the elements of a data set: bytes in, DICOM JSON Model (PS3.18 Annex F) out.

No element objects are made in between, and what is not inlined is not read. The walk finds the elements; values are
read by :mod:`~dicom_assets.dicom.header.value_reader`, items of sequences by
:mod:`~dicom_assets.dicom.header.sequences`, and what is damaged is left to
:mod:`~dicom_assets.dicom.header.recovery` and :mod:`~dicom_assets.dicom.header.vr_interpreter`.
"""

from collections.abc import Callable, Mapping, Sequence

from dicom_assets.dicom.header.budget import Budget
from dicom_assets.dicom.header.dataset_context import DatasetContext
from dicom_assets.dicom.header.dictionary import dictionary_vr
from dicom_assets.dicom.header.encoding import IMPLICIT_LITTLE, UNDEFINED, Kind, Rule
from dicom_assets.dicom.header.errors import HeaderParseError, StructureError, TruncatedError
from dicom_assets.dicom.header.invalid_vr import Interpretation
from dicom_assets.dicom.header.issues import RAW_CAP, IssueCode, IssueLog
from dicom_assets.dicom.header.limits import HeaderLimits
from dicom_assets.dicom.header.model import JsonDataset, PixelElement
from dicom_assets.dicom.header.plausibility import ITEM_END_BYTES
from dicom_assets.dicom.header.recovery import Recovery
from dicom_assets.dicom.header.sequences import SequenceReader
from dicom_assets.dicom.header.sniff import encoding_of_unknown
from dicom_assets.dicom.header.tag_order import TagOrder
from dicom_assets.dicom.header.value_reader import ValueReader
from dicom_assets.dicom.header.vr import ALL_VRS
from dicom_assets.dicom.header.vr_interpreter import VrInterpreter
from dicom_assets.dicom.read_ahead import ReadAheadBuffer

_ITEM, _ITEM_END, _SEQUENCE_END = "FFFEE000", "FFFEE00D", "FFFEE0DD"
_ITEM_TAGS = (b"\xfe\xff\x00\xe0", b"\xfe\xff\xdd\xe0")
"""What a sequence in little endian begins with: an item, or at once its end."""
_NO_TAG = "00000000"
"""Zeros: padding, when their length is zero too."""
_MAY_BE_UNDEFINED = frozenset({Kind.SEQUENCE, Kind.UNKNOWN, Kind.PIXELS})

_VALUE_READERS: Mapping[Kind, Callable[[ValueReader, DatasetContext, str, Rule, int, int], int]] = {
    Kind.VALUE: ValueReader.value,
    Kind.AMBIGUOUS: ValueReader.ambiguous,
    Kind.CHARSET: ValueReader.charset,
    Kind.GROUP_LENGTH: ValueReader.passed_over,
    Kind.PADDING: ValueReader.passed_over,
    Kind.PIXELS: ValueReader.pixel_data,
}
"""What reads an element, by its kind; the walk itself sees to the others."""


class Walker:
    """The walk over one file; it is used once.

    Parameters
    ----------
    buffer
        The bytes.
    limits
        What is inlined, and when to stop.
    log
        Where issues are listed; a new one by default.

    Attributes
    ----------
    buffer, log
        As given.
    recovery
        What goes on after damage.

    """

    __slots__ = ("_budget", "_interpreter", "_order", "_sequences", "_values", "buffer", "log", "recovery")

    def __init__(self, buffer: ReadAheadBuffer, limits: HeaderLimits, log: IssueLog | None = None) -> None:
        self.buffer = buffer
        self.log = log = IssueLog(limits.max_issues) if log is None else log
        self._budget = budget = Budget(limits)
        self._values = values = ValueReader(buffer, budget, log)
        self.recovery = recovery = Recovery(buffer, values, log, limits)
        self._interpreter = VrInterpreter(buffer, recovery)
        self._order = TagOrder(budget, log)
        self._sequences = SequenceReader(buffer, budget, values, recovery, log)

    @property
    def pixel(self) -> PixelElement | None:
        """Where the pixel data begins, once it was met."""
        return self._values.pixel

    @property
    def sequences(self) -> Sequence[str]:
        """Tags of the sequences that were met in the data set of the file, or in its file meta group."""
        return self._sequences.outermost

    def finish(self, root: JsonDataset) -> None:
        """Do what needs the whole data set: resolve ambiguous VRs, and put elements in order."""
        self._values.resolve_ambiguous(root)
        self._order.sort()

    def read(self, context: DatasetContext, position: int, last: str = "") -> int:
        """Read a data set into ``context.dataset``, go on after what is damaged, and return the position after it.

        An item of stated length is left behind where it cannot be read any further. `last` is the highest tag of what
        was read of the data set before.

        Raises
        ------
        TruncatedError
            If the source ends before the data set does. What was read is in ``context.dataset``.
        LimitError
            If a limit stops the walk.
        StructureError
            If there is no element where one should be, and none after it.

        """
        try:
            return self._walk(context, position, last)
        except (StructureError, TruncatedError) as error:
            return self._read_on(context, error)

    def _read_on(self, context: DatasetContext, error: HeaderParseError) -> int:
        """Go on reading a data set after what stopped it, as often as that happens."""
        depth = context.depth
        while True:
            del self.log.trail[depth:]
            following = self.recovery.resume(context, error)
            if following is None:
                if isinstance(error, TruncatedError) or not depth or context.delimited or context.end is None:
                    raise error
                self.log.report("", "SQ", IssueCode.STRUCTURE)
                return context.end
            try:
                return self._walk(context, following, context.last)
            except (StructureError, TruncatedError) as another:
                error = another

    def _walk(self, context: DatasetContext, position: int, last: str) -> int:  # noqa: C901 - one loop, see below
        """Read a data set up to its end, or to where it is damaged; `last` is the highest tag that was read of it.

        This is the hot loop. It is one function because at a third of a microsecond per element each call would
        count: an element with a short header and a cached value costs one look-up for the tag and one for the value;
        all others go through :meth:`_read_element`.
        """
        buffer, dataset, encoding = self.buffer, context.dataset, context.encoding
        heads = encoding.heads
        ends = ITEM_END_BYTES[encoding.little_endian] if context.delimited else None
        context.before = -1
        while True:
            data, base = buffer.data, buffer.base
            at = position - base
            limit = len(data) if context.end is None else min(len(data), context.end - base)
            edge = limit - 8
            run = at
            while at <= edge:
                tag, values, rule, length = heads[data[at : at + 8]]
                if values is None:
                    break
                stop = at + 8 + length
                if stop > limit:
                    break
                raw = data[at + 8 : stop]
                if tag > last:
                    last = tag
                elif self._order.is_duplicate(dataset, tag, last):
                    self.log.report(tag, rule.vr, IssueCode.DUPLICATE_TAG, raw)
                    at = stop
                    continue
                element = values.get(raw)
                if element is None:
                    if ends is not None and ends in raw:
                        last = max(dataset, default="")
                        break
                    element = self._values.decode(context, tag, rule, raw)
                dataset[tag] = element
                at = stop
            position = base + at
            if at > run:
                context.before = base + run
            context.at = position
            context.last = last
            if at > edge:
                if not self._has_element(context, position):
                    return position if context.end is None else context.end
                at = position - buffer.base
                tag, _, rule = encoding.entries[buffer.data[at : at + encoding.width]]
            position = self._read_element(context, tag, rule, position)
            if context.finished:
                return position
            context.before = context.at
            last = context.last

    def _has_element(self, context: DatasetContext, position: int) -> bool:
        """Say whether the header of an element follows, and make it available."""
        self._budget.check(len(context.dataset))
        buffer, end = self.buffer, context.end
        if end is not None and end - position < 8:
            if position < end and any(rest := buffer.read(position, end - position)):
                self.log.report("", "", IssueCode.STRAY_BYTES, rest)
            return False
        if buffer.ensure(position, 8):
            return True
        if end is None and not context.delimited and not any(buffer.read(position, 8)):
            return False
        raise TruncatedError(f"the file ends inside the header, behind byte {position}")

    def _read_element(self, context: DatasetContext, tag: str, rule: Rule, position: int) -> int:
        """Read an element that the hot loop does not, and return the position after it."""
        buffer, encoding = self.buffer, context.encoding
        start = position + 8
        if rule.long:
            if not buffer.ensure(position, 12):
                raise TruncatedError(f"the file ends inside element {tag}, at byte {position}")
            start += 4
            reserved, length = encoding.long_length(buffer.data, position + 6 - buffer.base)
            if reserved:
                better = self._interpreter.instead_of(
                    context, Interpretation(tag, rule, start, length, encoding, IssueCode.BAD_VR)
                )
                if better is not None:
                    return self._read_interpretation(context, better, position)
        else:
            (length,) = encoding.length(buffer.data, position + encoding.width - buffer.base)
        if rule.kind is Kind.DELIMITER:
            return self._delimiter(context, tag, position)
        if rule.kind is Kind.NO_VR or (tag == _NO_TAG and not length):
            return self._without_vr(context, position)
        return self._read_value(context, tag, rule, start, length)

    def _read_value(self, context: DatasetContext, tag: str, rule: Rule, start: int, length: int) -> int:
        """Read an element of which all but the value is known, and return the position after it."""
        if length != UNDEFINED and start + length > (self.buffer.size if context.end is None else context.end):
            following = self.recovery.end_of_noise(context, tag)
            if following is not None:
                return following
            start, length = self.recovery.fitting_length(context, tag, rule, start, length)
        elif context.delimited and rule.kind is Kind.VALUE:
            length = self.recovery.length_up_to_delimiter(context, tag, rule, start, length)
        if tag <= context.last and self._order.is_duplicate(context.dataset, tag, context.last):
            return self._skip_duplicate(context, tag, rule, start, length)
        if length == UNDEFINED and rule.kind not in _MAY_BE_UNDEFINED:
            following = self._values.fragments(context, tag, rule, start)
        elif (read := _VALUE_READERS.get(rule.kind)) is not None:
            following = read(self._values, context, tag, rule, start, length)
        elif rule.kind is Kind.UNKNOWN:
            following = self._unknown(context, tag, start, length)
        else:
            end = None if length == UNDEFINED else start + length
            following = self._sequences.items(self.read, context, tag, start, end, context.encoding)
        last = context.last
        context.last = tag if tag > last else last  # noqa: FURB136 - a call would be felt here
        return following

    def _skip_duplicate(self, context: DatasetContext, tag: str, rule: Rule, start: int, length: int) -> int:
        """Skip an element that occurs for the second time, and keep the beginning of its value in an issue."""
        raw = self.buffer.peek(start, min(length, RAW_CAP + 1))
        end = start + length
        if length == UNDEFINED:
            encoding = (
                encoding_of_unknown(self.buffer, context.encoding, start)
                if rule.kind is Kind.UNKNOWN
                else context.encoding
            )
            end = self._values.end_of_undefined(context, start, encoding)
        self._values.check_reach(tag, start, end - start)
        self._budget.skipped += end - start
        self.log.report(tag, rule.vr if rule.vr in ALL_VRS else "UN", IssueCode.DUPLICATE_TAG, raw)
        return end

    def _unknown(self, context: DatasetContext, tag: str, start: int, length: int) -> int:
        """Read a UN, or a private element in implicit VR, as what the dictionaries say it is (PS3.5 6.2.2)."""
        vr = dictionary_vr(context.dataset, tag)
        encoding = IMPLICIT_LITTLE if context.encoding.explicit else context.encoding
        if length == UNDEFINED or vr == "SQ":
            items = encoding_of_unknown(self.buffer, context.encoding, start)
            if vr in (None, "SQ") and self.buffer.read(start, 4) in _ITEM_TAGS:
                end = None if length == UNDEFINED else start + length
                return self._sequences.items(self.read, context, tag, start, end, items)
        if length == UNDEFINED:
            return self._values.fragments(context, tag, encoding.value_rule(vr or "UN"), start)
        return self._values.unknown(context, tag, encoding, vr, start, length)

    def _delimiter(self, context: DatasetContext, tag: str, position: int) -> int:
        """Read an item or delimitation tag in place of an element."""
        if tag == _ITEM and not context.depth:
            raise StructureError(f"an item outside a sequence, at byte {position}")
        if tag == _ITEM_END and context.delimited:
            context.finished = True
            return position + 8
        self._budget.count(1)
        self.log.report(tag, "", IssueCode.STRAY_DELIMITER)
        if context.delimited or tag == _ITEM or (tag == _SEQUENCE_END and context.in_delimited_sequence):
            # The item lacks its delimiter, or its length is wrong: this one is for the sequence around it.
            context.finished = True
            return position
        return position + 8

    def _without_vr(self, context: DatasetContext, position: int) -> int:
        """Read what has no valid VR where one is due: zeros, a damaged VR or delimiter, an element in implicit VR."""
        head = self.buffer.read(position, 12)
        if not any(head[:8]):
            return self.recovery.skip_zeros(context, position)
        if not context.encoding.explicit:
            raise StructureError(f"there is no element at byte {position}")
        if self.recovery.is_damaged_delimiter(context, position):
            # What it is, is looked at by the sequence around the item.
            context.finished = True
            return position
        return self._read_interpretation(context, self._interpreter.interpret(context, position), position)

    def _read_interpretation(self, context: DatasetContext, way: Interpretation, position: int) -> int:
        """Read an element as something other than its bytes state."""
        stated = self.buffer.peek(position + 4, 2) if way.encoding is context.encoding else b""
        self.log.report(way.tag, way.rule.vr, way.code, stated)
        encoding, context.encoding = context.encoding, way.encoding
        try:
            return self._read_value(context, way.tag, way.rule, way.start, way.length)
        finally:
            context.encoding = encoding

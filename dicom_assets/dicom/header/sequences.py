"""Sequences and their items (PS3.5 7.5)."""

from collections.abc import Callable

from dicom_assets.dicom.header.budget import Budget
from dicom_assets.dicom.header.dataset_context import DatasetContext
from dicom_assets.dicom.header.encoding import UNDEFINED, Encoding
from dicom_assets.dicom.header.errors import LimitError, TruncatedError
from dicom_assets.dicom.header.issues import IssueCode, IssueLog
from dicom_assets.dicom.header.model import Element, JsonDataset
from dicom_assets.dicom.header.plausibility import ITEM, ITEM_END, ITEM_TAGS
from dicom_assets.dicom.header.recovery import Recovery
from dicom_assets.dicom.header.value_reader import DELIMITER_LENGTH, ValueReader
from dicom_assets.dicom.read_ahead import ReadAheadBuffer

_ITEM_END = "FFFEE00D"
_ITEM_HEAD = 8
"""Bytes of the tag and the length of an item."""

ReadDataset = Callable[[DatasetContext, int], int]
"""Reads the data set of an item from a position on, and returns the position after it."""


class SequenceReader:
    """Reads the items of sequences; what reads the data set of an item is told with each sequence.

    Parameters
    ----------
    buffer
        The bytes.
    budget
        How deep sequences may be nested, how much of them is inlined.
    values
        Finds the end of what is not inlined.
    recovery
        Finds items where something else stands.
    log
        Where issues are listed.

    Attributes
    ----------
    outermost
        Tags of the sequences so far that are in no other.

    """

    __slots__ = ("_budget", "_buffer", "_inlined_from", "_log", "_recovery", "_values", "outermost")

    def __init__(
        self, buffer: ReadAheadBuffer, budget: Budget, values: ValueReader, recovery: Recovery, log: IssueLog
    ) -> None:
        self._buffer = buffer
        self._budget = budget
        self._values = values
        self._recovery = recovery
        self._log = log
        self._inlined_from = 0
        self.outermost: list[str] = []

    def items(
        self, read: ReadDataset, context: DatasetContext, tag: str, start: int, end: int | None, encoding: Encoding
    ) -> int:
        """Read the items of a sequence (PS3.5 7.5) and return the position after it.

        Parameters
        ----------
        read
            Reads the data sets of its items.
        context, tag
            The data set that it is in, and its tag.
        start, end
            Where its value begins and ends, `end` being ``None`` where its length is undefined.
        encoding
            Of its items.

        Raises
        ------
        TruncatedError
            If the source ends before the sequence does.
        LimitError
            If it is nested too deep, or has too many items.
        StructureError
            If there is no item where one is due, and none after that.

        """
        buffer, budget, trail = self._buffer, self._budget, self._log.trail
        limits = budget.limits
        if context.depth >= limits.max_depth:
            raise LimitError(f"sequences nested deeper than {limits.max_depth}")
        if context.depth == 0:
            self._inlined_from = start - budget.skipped
            self.outermost.append(tag)
        element: Element = {"vr": "SQ"}
        context.dataset[tag] = element
        items: list[JsonDataset] = []
        element["Value"] = items
        bound = context.end if end is None else end
        position = start
        while bound is None or position < bound:
            if position - budget.skipped - self._inlined_from > limits.sequence_bytes:
                return self._cut(context, tag, start, end, position, encoding)
            trail.append((tag, len(items)))
            at = position - buffer.base
            room = len(buffer.data) - at if bound is None else min(len(buffer.data) - at, bound - position)
            # An item is looked for without a call: some headers have thousands.
            if room < _ITEM_HEAD or buffer.data[at : at + 4] != encoding.item:
                item_tag, position = self._next_item_tag(context, tag, bound, position, encoding)
                if item_tag != ITEM:
                    trail.pop()
                    # In a sequence of stated length a delimiter is something that is no item.
                    position = position if item_tag is None else position + 8 if end is None else end
                    break
            item = self._open_item(context, bound, position, encoding, in_delimited_sequence=end is None)
            items.append(item.dataset)
            position = read(item, position + 8)
            budget.count(1 + len(item.dataset))
            trail.pop()
        else:
            if end is None:
                self._log.report(tag, "SQ", IssueCode.LENGTH_BEYOND_ITEM)
        if not items:
            del element["Value"]
        return position

    def _next_item_tag(
        self, context: DatasetContext, tag: str, bound: int | None, position: int, encoding: Encoding
    ) -> tuple[tuple[int, int] | None, int]:
        """Return which item or delimiter follows in a sequence, and where.

        ``None`` where the sequence ends without one; the position is where reading goes on after it.
        """
        buffer = self._buffer
        while bound is None or bound - position >= 8:
            if not buffer.ensure(position, 8):
                raise TruncatedError(f"the file ends inside a sequence, behind byte {position}")
            item_tag: tuple[int, int] | None = encoding.tag(buffer.data, position - buffer.base)
            if item_tag == ITEM:
                return item_tag, position
            if item_tag not in ITEM_TAGS:
                item_tag, position = self._recovery.next_item_tag(context, tag, bound, position, encoding)
            if item_tag != ITEM_END:
                return item_tag, position
            self._budget.count(1)
            self._log.report(_ITEM_END, "", IssueCode.STRAY_DELIMITER)
            position += 8
        if position < bound:
            self._log.report("", "SQ", IssueCode.STRAY_BYTES, buffer.read(position, bound - position))
        return None, bound

    def _open_item(
        self,
        context: DatasetContext,
        bound: int | None,
        position: int,
        encoding: Encoding,
        *,
        in_delimited_sequence: bool,
    ) -> DatasetContext:
        """Return the data set of an item, nothing of it read."""
        buffer = self._buffer
        (length,) = encoding.length32(buffer.data, position + 4 - buffer.base)
        end = bound if length == UNDEFINED else position + 8 + length
        if bound is not None and end is not None and end > bound:
            self._log.report("", "SQ", IssueCode.LENGTH_BEYOND_ITEM)
            end = bound
        return DatasetContext(
            encoding, context.charset, end, length == UNDEFINED, context.depth + 1, {}, False, in_delimited_sequence
        )

    def _cut(
        self, context: DatasetContext, tag: str, start: int, end: int | None, position: int, encoding: Encoding
    ) -> int:
        """Leave the rest of a long sequence where it is, and return the position after it."""
        if end is None:
            following = self._values.end_of_undefined(context, position, encoding)
            end = following - DELIMITER_LENGTH
        else:
            self._values.check_reach(tag, start, end - start)
            following = end
        element = context.dataset[tag]
        if not element["Value"]:
            del element["Value"]
        element["BulkData"] = {"offset": start, "length": end - start}
        self._budget.skipped += end - position
        return following

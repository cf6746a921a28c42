"""Sequences and their items (PS3.5 7.5), and going on behind what stops the walk over a data set."""

from abc import abstractmethod

from dicom_assets.dicom.damage import DamageReader
from dicom_assets.dicom.dialect import UNDEFINED, Dialect
from dicom_assets.dicom.elements import DELIMITER_LENGTH
from dicom_assets.dicom.header import Element, JsonDataset
from dicom_assets.dicom.issues import IssueCode
from dicom_assets.dicom.limits import HeaderLimits
from dicom_assets.dicom.plausible import ITEM, ITEM_END, MARKS
from dicom_assets.dicom.scope import Scope
from dicom_assets.dicom.stops import LimitError, StopError, StructureError, TruncatedError
from dicom_assets.dicom.window import Window

_ITEM_END = "FFFEE00D"


class SequenceReader(DamageReader):
    """Reads data sets in data sets; how the elements of one are walked is left open.

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

    @abstractmethod
    def walk(self, scope: Scope, position: int, last: str) -> int:
        """Read a data set up to its end, or to where it is damaged; `last` is the highest tag that was read of it."""

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
            return self.walk(scope, position, last)
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
                return self.walk(scope, following, scope.last)
            except (StructureError, TruncatedError) as another:
                stop = another

    def items(self, scope: Scope, tag: str, start: int, end: int | None, dialect: Dialect) -> int:
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
            if mark == ITEM:
                return mark, position
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
            following = self.walk(child, position + 8, "")
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

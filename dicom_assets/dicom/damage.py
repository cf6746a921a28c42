"""Elements that are not encoded as they should be: what they are taken for, and where reading goes on behind them.

What bytes can be is judged in :mod:`~dicom_assets.dicom.plausible`, where elements begin again is found in
:mod:`~dicom_assets.dicom.resync`; here it is decided and reported.
"""

from dataclasses import replace

from dicom_assets.dicom.dialect import UNDEFINED, Dialect, Kind
from dicom_assets.dicom.elements import SHORT, ElementReader
from dicom_assets.dicom.issues import RAW_CAP, IssueCode
from dicom_assets.dicom.limits import HeaderLimits
from dicom_assets.dicom.plausible import (
    ITEM,
    Sight,
    begins_items,
    candidate,
    is_chain,
    is_delimiter,
    nearest_mark,
)
from dicom_assets.dicom.readings import Reading, is_believable, is_new, ways
from dicom_assets.dicom.resync import find_element, find_item, is_item
from dicom_assets.dicom.scope import Scope
from dicom_assets.dicom.stops import StopError, StructureError
from dicom_assets.dicom.window import UNKNOWN_SIZE, Window

_FIRST_SEARCH = 16 * 1024
_LOOK = 76
"""Bytes that are looked at behind an element: the header of the next and the beginning of its value."""
_MOST_LOOKS = 32
"""Reads of the source to look behind elements with damaged VRs, in one header."""
_LIKELY = 3
"""Rank of a reading that leads to what can be an element."""
_CERTAIN = 4
"""Rank of a reading that leads to where an element or delimiter begins beyond doubt."""
_PROOF = 3
"""Elements in a row that prove a length wrong that fits."""


class DamageReader(ElementReader):
    """Finds its way through damage, within :attr:`~dicom_assets.dicom.limits.HeaderLimits.max_searched_bytes`.

    Parameters
    ----------
    window
        The bytes.
    limits
        What is inlined, and when to stop.

    """

    def __init__(self, window: Window, limits: HeaderLimits) -> None:
        super().__init__(window, limits)
        self._searchable = limits.max_searched_bytes
        self._looks = _MOST_LOOKS

    def skip(self, position: int, following: int) -> None:
        """List bytes that are passed over."""
        count = following - position
        told = f"{count} bytes from byte {position} on: ".encode("ascii")
        self.report("", "", IssueCode.SKIPPED_BYTES, told + self.window.peek(position, min(count, RAW_CAP)))

    def sight(self, scope: Scope) -> Sight:
        """Return the bytes at hand as the elements of a data set."""
        end = self.window.size if scope.end is None else min(scope.end, self.window.size)
        return Sight(self.window.buf, end - self.window.base, scope.dialect)

    def reading(self, scope: Scope, position: int) -> Reading:
        """Return how to read an element whose VR is none: so that what follows makes sense.

        Raises
        ------
        StructureError
            If nothing makes sense.

        """
        head = self.window.at(position, 12)
        found = [way for way in ways(scope, position, head) if self._fits(scope, way)]
        ranks = [self._leads_on(scope, way) for way in found]
        best = max(ranks, default=0)
        # What has a tag that nobody knows is most likely no element at all.
        if best >= (1 if found and is_believable(scope, found[0].tag) else _CERTAIN):
            way = found[ranks.index(best)]
            following = way.start + (0 if way.length == UNDEFINED else way.length)
            # Zeros follow anything in a value of zeros: the elements that are nearer count.
            if best >= _LIKELY or self._search(scope, position + 1, following, _floor(scope)) is None:
                return way
        if is_new(head):
            # VRs to come have a 32-bit length (PS3.5 7.1.2).
            for way in found:
                if way.code is IssueCode.UNKNOWN_VR and way.start - position == (8 if any(head[6:8]) else 12):
                    return way
        raise StructureError(f"there is no element at byte {position}")

    def instead_of(self, scope: Scope, way: Reading) -> Reading | None:
        """Return how to read an element with bytes in place of zeros behind its VR, ``None`` for just as it stands."""
        if self._fits(scope, way) and self._leads_on(scope, way):
            return None
        try:
            found = self.reading(scope, way.start - 12)
        except StructureError:
            return None
        if self._leads_on(scope, found) < _CERTAIN:
            return None
        return replace(found, code=IssueCode.BAD_VR) if found.dialect is scope.dialect else found

    def resume(self, scope: Scope, stop: StopError) -> int | None:
        """Return where reading goes on behind damage, ``None`` when nowhere.

        Parameters
        ----------
        scope
            The data set that the damage is in, :attr:`~dicom_assets.dicom.scope.Scope.at` that position.
        stop
            What ended the walk.

        """
        if isinstance(stop, StructureError):
            clipped = self._clip_before(scope)
            if clipped is not None:
                return clipped
        end = self.window.size if scope.end is None else scope.end
        following = self._search(scope, scope.at + 1, end, _floor(scope))
        if following is not None:
            self.skip(scope.at, following)
        return following

    def behind_noise(self, scope: Scope, tag: str) -> int | None:
        """Return where elements go on behind what has a length that does not fit and a tag that is unknown.

        ``None`` for all other tags, and where nothing follows.
        """
        if is_believable(scope, tag):
            return None
        end = self.window.size if scope.end is None else scope.end
        following = self._search(scope, scope.at + 1, end, _floor(scope), need=2)
        if following is not None:
            self.skip(scope.at, following)
        return following

    def end_of_value(self, scope: Scope, tag: str, start: int, end: int) -> int | None:
        """Return where a value ends that is said to go beyond `end`: where elements begin; ``None`` if none do."""
        return self._search(scope, start, end, _number(tag), need=2)

    def next_element(self, scope: Scope, position: int) -> int | None:
        """Return where elements begin from a position on, and list the bytes before that; ``None`` if none do."""
        following = self._search(scope, position, self.window.size, _floor(scope))
        if following is not None and following > position:
            self.skip(position, following)
        return following

    def zeros(self, scope: Scope, position: int) -> int:
        """Pass over zeros at the end of a data set."""
        rest = len(self.window.buf) - (position - self.window.base)
        if scope.end is not None:
            rest = min(rest, scope.end - position)
        if scope.delimited or any(self.window.at(position, rest)):
            raise StructureError(f"there is no element at byte {position}")
        scope.finished = True
        return position + rest if scope.end is None else scope.end

    def is_mark(self, scope: Scope, position: int) -> bool:
        """Say whether a damaged delimiter ends the item that is being read."""
        head = self.window.at(position, 8)
        return scope.delimited and not any(head[4:]) and nearest_mark(scope.dialect, head) is not None

    def damaged_mark(
        self, scope: Scope, tag: str, bound: int | None, position: int, dialect: Dialect
    ) -> tuple[tuple[int, int] | None, int]:
        """Return which item or delimiter follows in a sequence that has something else there, and where.

        Parameters
        ----------
        scope, tag
            The sequence and what it stands in.
        bound
            Position that it cannot go beyond.
        position
            Where an item is due.
        dialect
            Encoding of its items.

        Returns
        -------
        mark, position
            ``None`` for the mark where the sequence ends without one.

        Raises
        ------
        StructureError
            If there is none, and nothing bounds the sequence.

        """
        window = self.window
        head = window.at(position, 8)
        end = min(window.size, window.size if bound is None else bound) - window.base
        sight, at = Sight(window.buf, end, dialect), position - window.base
        near = nearest_mark(dialect, head)
        if near is not None and (is_item(sight, at) if near == ITEM else not any(head[4:])):
            self.report("", "SQ", IssueCode.BAD_ITEM_TAG, head)
            return near, position
        if is_chain(self.sight(scope), at, _number(tag), 2):
            self.report(tag, "SQ", IssueCode.LENGTH_BEYOND_ITEM)
            return None, position
        count = min(self._searchable, end - at)
        window.at(position, count)
        self._searchable -= count
        at = position - window.base
        sight = Sight(window.buf, end, dialect)
        found = find_item(sight, at, min(at + count, len(window.buf)), delimited=bound is None)
        if found is not None:
            self.skip(position, window.base + found)
            return dialect.tag(window.buf, found), window.base + found
        if bound is None:
            raise StructureError(f"there is no item of a sequence at byte {position}")
        self.report("", "SQ", IssueCode.STRAY_BYTES, window.at(position, min(bound - position, SHORT)))
        return None, bound

    def _search(self, scope: Scope, position: int, end: int, floor: int, need: int = 0) -> int | None:
        """Look for the next element, first in what is near."""
        self.window.back_to(position)
        for most in (_FIRST_SEARCH, self._searchable):
            count = min(end - position, most, self._searchable)
            if count <= 0:
                return None
            # Without VRs almost anything has to be looked at.
            self._searchable -= count if scope.dialect.explicit else min(4 * count, self._searchable)
            self.window.at(position, count)
            at = position - self.window.base
            sight = self.sight(scope)
            stop = min(at + count, len(sight.buf))
            found = find_element(sight, at, stop, floor, delimited=scope.delimited, need=need)
            if found is not None:
                return self.window.base + found
        return None

    def _clip_before(self, scope: Scope) -> int | None:
        """End the value before the damage where elements begin in it, if there are any: its length was wrong."""
        window, dialect, position = self.window, scope.dialect, scope.before
        if not 0 <= position < scope.at:
            return None
        window.back_to(position)
        while True:
            if not window.have(position, 8):
                return None
            at = position - window.base
            tag, _, rule = dialect.entries[window.buf[at : at + dialect.width]]
            (length,) = dialect.length(window.buf, at + dialect.width)
            start = position + 8
            if rule.kind is not Kind.VALUE or rule.long or start + length > scope.at:
                return None
            if start + length == scope.at:
                break
            position = start + length
        stop = min(scope.at, start + self._searchable)
        if not window.have(start, stop - start):
            return None
        self._searchable -= stop - start
        sight = self.sight(scope)
        at, stop = start - window.base, stop - window.base
        found = find_element(sight, at, stop, _number(tag), delimited=False, need=_PROOF)
        if found is None:
            return None
        following = window.base + found
        self.report(tag, rule.vr, IssueCode.WRONG_LENGTH)
        self.value(scope, tag, rule, start, following - start)
        return following

    def _fits(self, scope: Scope, way: Reading) -> bool:
        if way.length == UNDEFINED:
            return begins_items(way.dialect, self.window.peek(way.start, 4))
        end = self.window.size if scope.end is None else scope.end
        return way.start + way.length <= end

    def _leads_on(self, scope: Scope, way: Reading) -> int:
        """Say how much sense what follows an element makes: from 0 for none to 4."""
        end = self.window.size if scope.end is None else scope.end
        following = way.start + way.length
        if way.length == UNDEFINED or following == end:
            return 4
        head = self._look(following)
        sight = Sight(head, end - following, scope.dialect)
        if scope.delimited and is_delimiter(sight, 0):
            return 4
        found = candidate(sight, 0) or candidate(Sight(head, end - following, way.dialect), 0)
        if found is not None and found.tag > _number(way.tag):
            return 2 + found.belief
        if len(head) >= 8 and not any(head):
            return 1
        # The next one may be damaged too.
        group, number = scope.dialect.tag(head, 0) if len(head) >= 4 else (0, 0)
        tag = f"{group:04X}{number:04X}"
        return 2 if tag > way.tag and is_believable(scope, tag) else 0

    def _look(self, position: int) -> bytes:
        """Return what stands behind an element, nothing when too many such places were read."""
        at = position - self.window.base
        if at + _LOOK <= len(self.window.buf):
            return self.window.buf[at : at + _LOOK]
        if self.window.size == UNKNOWN_SIZE or not self._looks:
            return self.window.buf[at : at + _LOOK]
        self._looks -= 1
        return self.window.peek(position, _LOOK)


def _floor(scope: Scope) -> int:
    """Return the tag that what follows is above: the highest that is no noise."""
    return max((int(tag, 16) for tag in scope.dataset if is_believable(scope, tag)), default=-1)


def _number(tag: str) -> int:
    return int(tag, 16) if tag else -1

"""What bytes can be: whether an element can begin where the one before it was damaged.

Looking never moves the window and never reads: what lies beyond the bytes at hand is believed of the elements that
the dictionary knows, and of no others.
"""

from dataclasses import dataclass
from enum import IntEnum
from struct import calcsize

from pydicom.datadict import DicomDictionary

from dicom_assets.dicom.dialect import UNDEFINED, Dialect, states_vr
from dicom_assets.dicom.vr import BYTES_UNITS, LONG_VRS, NUMBER_FORMATS, TEXT_VRS, public_vr
from dicom_assets.dicom.window import UNKNOWN_SIZE

ITEM, ITEM_END, SEQUENCE_END = (0xFFFE, 0xE000), (0xFFFE, 0xE00D), (0xFFFE, 0xE0DD)
MARKS = frozenset({ITEM, ITEM_END, SEQUENCE_END})
PIXEL_TAGS = frozenset({0x7FE00008, 0x7FE00009, 0x7FE00010})

_UNITS = {**BYTES_UNITS, **{vr: calcsize(f"={code}") for vr, code in NUMBER_FORMATS.items()}, "AT": 4}
_PUBLIC_GROUPS = frozenset(
    {tag >> 16 for tag in DicomDictionary} | {*range(0x5000, 0x5020, 2), *range(0x6000, 0x6020, 2)}
)
_MAY_BE_UNDEFINED = frozenset({"SQ", "UN", "OB", "OW"})
_SAMPLE = 16
_CONTROLS = frozenset(range(0x20)) - {0x00, 0x09, 0x0A, 0x0C, 0x0D, 0x1B}


class Belief(IntEnum):
    """How far bytes look like an element."""

    NONE = 0
    """Not at all."""
    WEAK = 1
    """Tag, VR and length are possible."""
    STRONG = 2
    """They are what the dictionary says, and the value is not against it."""


@dataclass(frozen=True, slots=True)
class Sight:
    """Where to look.

    Attributes
    ----------
    buf
        The bytes at hand.
    end
        Position in them that no element goes beyond, itself perhaps beyond them.
    dialect
        Encoding of the elements.

    """

    buf: bytes
    end: int
    dialect: Dialect


@dataclass(frozen=True, slots=True)
class Candidate:
    """What stands in the bytes if it is an element."""

    tag: int
    vr: str
    start: int
    length: int
    belief: Belief

    @property
    def following(self) -> int:
        """Where the element behind it begins; its own value where its length is undefined."""
        return self.start if self.length == UNDEFINED else self.start + self.length


def candidate(sight: Sight, at: int) -> Candidate | None:
    """Return what begins at a position if it can be an element that fits, ``None`` otherwise."""
    buf, dialect = sight.buf, sight.dialect
    if at + 8 > len(buf):
        return None
    group, number = dialect.tag(buf, at)
    tag = group << 16 | number
    known = known_vr(tag)
    encoded = None if known is None else _encoded(buf, at, dialect, known)
    if known is None or encoded is None:
        return None
    vr, start, length = encoded
    if length == UNDEFINED:
        items = begins_items(dialect, buf[start : start + 4]) and (vr in _MAY_BE_UNDEFINED or not dialect.explicit)
        return Candidate(tag, vr, start, length, Belief.STRONG) if items else None
    if start + length > sight.end and tag not in PIXEL_TAGS:
        # Of a file that is cut it is the pixel data that is.
        return None
    return Candidate(tag, vr, start, length, _belief(buf, known, vr, start, length))


def _encoded(buf: bytes, at: int, dialect: Dialect, known: str) -> tuple[str, int, int] | None:
    """Return the VR of an element, the position of its value and its length; `known` is its VR by the dictionary."""
    if not dialect.explicit:
        return known[:2], at + 8, int(dialect.length32(buf, at + 4)[0])
    if not states_vr(buf[at + 4 : at + 6]):
        return None
    vr = buf[at + 4 : at + 6].decode("ascii")
    if vr not in LONG_VRS:
        return vr, at + 8, int(dialect.length(buf, at + 6)[0])
    if at + 12 > len(buf) or buf[at + 6 : at + 8] != b"\0\0":
        return None
    return vr, at + 12, int(dialect.length32(buf, at + 8)[0])


def is_chain(sight: Sight, at: int, floor: int, need: int) -> bool:
    """Say whether elements begin at a position: `need` of them in ascending order, or one more with a doubtful first.

    Fewer are enough where the last of them ends where all has to end, or is the pixel data.

    Parameters
    ----------
    sight
        Where to look.
    at
        Position of the first.
    floor
        Tag that the first is above.
    need
        How many elements make a chain.

    """
    count = 0
    while count < need:
        found = candidate(sight, at)
        if found is None:
            return count > 0 and is_delimiter(sight, at)
        if found.tag <= floor or (found.belief is Belief.WEAK and not sight.dialect.explicit):
            return False
        if not count and found.belief is Belief.WEAK:
            # Private elements, say: a longer chain makes up for it.
            need += 1
        count += 1
        if found.length == UNDEFINED or found.tag in PIXEL_TAGS:
            return True
        floor, at = found.tag, found.following
        if at == sight.end:
            return True
        if at + 8 > len(sight.buf):
            return found.belief is Belief.STRONG and sight.end < UNKNOWN_SIZE - len(sight.buf)
    return True


def is_delimiter(sight: Sight, at: int) -> bool:
    """Say whether an item or sequence ends at a position: a delimitation item, whole and without a length."""
    buf = sight.buf
    if at + 8 > len(buf) or any(buf[at + 4 : at + 8]):
        return False
    return sight.dialect.tag(buf, at) in (ITEM_END, SEQUENCE_END)


def begins_items(dialect: Dialect, head: bytes) -> bool:
    """Say whether what begins so are the items of a sequence."""
    return len(head) >= 4 and dialect.tag(head, 0) in (ITEM, SEQUENCE_END)


def nearest_mark(dialect: Dialect, head: bytes) -> tuple[int, int] | None:
    """Return the tag of an item or delimiter that four bytes are, or are but for one of them."""
    if len(head) < 4:
        return None
    tag: tuple[int, int] = dialect.tag(head, 0)
    if tag in MARKS:
        return tag
    changed = {mark: (tag[0] ^ mark[0]) << 16 | tag[1] ^ mark[1] for mark in MARKS}
    near = [mark for mark, bits in changed.items() if any(not bits & ~(0xFF << shift) for shift in (0, 8, 16, 24))]
    return min(near, key=lambda mark: changed[mark].bit_count(), default=None)


def known_vr(tag: int) -> str | None:
    """Return the VR of a tag that data sets may have, ``None`` for all others and for retired repeating groups."""
    group, number = tag >> 16, tag & 0xFFFF
    if group & 1:
        if group <= 8 or number < 0x10 or 0xFF < number < 0x1000:
            return None
        return "LO" if number <= 0xFF else "UN"
    if group not in _PUBLIC_GROUPS:
        return None
    return "UL" if number == 0 else public_vr(tag)


def _belief(buf: bytes, known: str, vr: str, start: int, length: int) -> Belief:
    if known == "UN" or (vr not in known and not (vr == "UN" and length)):
        return Belief.WEAK
    if length % _UNITS.get(vr, 1):
        return Belief.WEAK
    if vr in TEXT_VRS and not _CONTROLS.isdisjoint(buf[start : start + min(length, _SAMPLE)]):
        return Belief.WEAK
    return Belief.STRONG

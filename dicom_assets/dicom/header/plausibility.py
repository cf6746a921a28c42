"""Whether bytes can be an element, to find where elements begin again after damage.

Looking never moves the buffer and never reads: what lies beyond the bytes at hand is believed of the elements that
the dictionary knows, and of no others.
"""

from dataclasses import dataclass
from enum import IntEnum

from pydicom.datadict import DicomDictionary

from dicom_assets.dicom.header.dictionary import is_known, is_private
from dicom_assets.dicom.header.encoding import UNDEFINED, Encoding, states_vr
from dicom_assets.dicom.header.model import JsonDataset
from dicom_assets.dicom.header.vr import LONG_VRS, TEXT_VRS, UNITS, public_vr
from dicom_assets.dicom.read_ahead import UNKNOWN_SIZE

ITEM, ITEM_END, SEQUENCE_END = (0xFFFE, 0xE000), (0xFFFE, 0xE00D), (0xFFFE, 0xE0DD)
ITEM_TAGS = frozenset({ITEM, ITEM_END, SEQUENCE_END})
ITEM_END_BYTES = {True: b"\xfe\xff\x0d\xe0\0\0\0\0", False: b"\xff\xfe\xe0\x0d\0\0\0\0"}
"""The bytes of an Item Delimitation Item, by whether the encoding is little endian."""
PIXEL_TAGS = frozenset({0x7FE00008, 0x7FE00009, 0x7FE00010})

_PUBLIC_GROUPS = frozenset(
    {tag >> 16 for tag in DicomDictionary} | {*range(0x5000, 0x5020, 2), *range(0x6000, 0x6020, 2)}
)
_MAY_BE_UNDEFINED = frozenset({"SQ", "UN", "OB", "OW"})
_SAMPLE = 16
_CONTROLS = frozenset(range(0x20)) - {0x00, 0x09, 0x0A, 0x0C, 0x0D, 0x1B}


class Plausibility(IntEnum):
    """How far bytes look like an element."""

    NONE = 0
    """Not at all."""
    WEAK = 1
    """Tag, VR and length are possible."""
    STRONG = 2
    """They are what the dictionary says, and the value is not against it."""


@dataclass(frozen=True, slots=True)
class SearchArea:
    """Where to look.

    Attributes
    ----------
    data
        The bytes at hand.
    end
        Position in them that no element goes beyond, itself perhaps beyond them.
    encoding
        Encoding of the elements.

    """

    data: bytes
    end: int
    encoding: Encoding


@dataclass(frozen=True, slots=True)
class Candidate:
    """What stands in the bytes if it is an element."""

    tag: int
    vr: str
    start: int
    length: int
    plausibility: Plausibility

    @property
    def following(self) -> int:
        """Where the element after it begins; its own value where its length is undefined."""
        return self.start if self.length == UNDEFINED else self.start + self.length


def candidate(area: SearchArea, at: int) -> Candidate | None:
    """Return what begins at a position if it can be an element that fits, ``None`` otherwise."""
    data, encoding = area.data, area.encoding
    if at + 8 > len(data):
        return None
    group, number = encoding.tag(data, at)
    tag = group << 16 | number
    known = known_vr(tag)
    encoded = None if known is None else _encoded(data, at, encoding, known)
    if known is None or encoded is None:
        return None
    vr, start, length = encoded
    if length == UNDEFINED:
        items = begins_items(encoding, data[start : start + 4]) and (vr in _MAY_BE_UNDEFINED or not encoding.explicit)
        return Candidate(tag, vr, start, length, Plausibility.STRONG) if items else None
    if start + length > area.end and tag not in PIXEL_TAGS:
        # Of a file that is cut it is the pixel data that is.
        return None
    return Candidate(tag, vr, start, length, _plausibility(data, known, vr, start, length))


def _encoded(data: bytes, at: int, encoding: Encoding, known: str) -> tuple[str, int, int] | None:
    """Return the VR of an element, the position of its value and its length; `known` is its VR by the dictionary."""
    if not encoding.explicit:
        return known[:2], at + 8, int(encoding.length32(data, at + 4)[0])
    if not states_vr(data[at + 4 : at + 6]):
        return None
    vr = data[at + 4 : at + 6].decode("ascii")
    if vr not in LONG_VRS:
        return vr, at + 8, int(encoding.length(data, at + 6)[0])
    if at + 12 > len(data) or data[at + 6 : at + 8] != b"\0\0":
        return None
    return vr, at + 12, int(encoding.length32(data, at + 8)[0])


def is_chain(area: SearchArea, at: int, floor: int, need: int) -> bool:
    """Say whether elements begin at a position: `need` of them in ascending order, or one more with a doubtful first.

    Fewer are enough where the last of them ends where all has to end, or is the pixel data.

    Parameters
    ----------
    area
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
        found = candidate(area, at)
        if found is None:
            return count > 0 and is_delimiter(area, at)
        if found.tag <= floor or (found.plausibility is Plausibility.WEAK and not area.encoding.explicit):
            return False
        if not count and found.plausibility is Plausibility.WEAK:
            # Private elements, say: a longer chain makes up for it.
            need += 1
        count += 1
        if found.length == UNDEFINED or found.tag in PIXEL_TAGS:
            return True
        floor, at = found.tag, found.following
        if at == area.end:
            return True
        if at + 8 > len(area.data):
            return found.plausibility is Plausibility.STRONG and area.end < UNKNOWN_SIZE - len(area.data)
    return True


def is_delimiter(area: SearchArea, at: int) -> bool:
    """Say whether an item or sequence ends at a position: a delimitation item, whole and without a length."""
    data = area.data
    if at + 8 > len(data) or any(data[at + 4 : at + 8]):
        return False
    return area.encoding.tag(data, at) in (ITEM_END, SEQUENCE_END)


def begins_items(encoding: Encoding, head: bytes) -> bool:
    """Say whether what begins so are the items of a sequence."""
    return len(head) >= 4 and encoding.tag(head, 0) in (ITEM, SEQUENCE_END)


def nearest_item_tag(encoding: Encoding, head: bytes) -> tuple[int, int] | None:
    """Return the tag of an item or delimiter that four bytes are, or are but for one of them."""
    if len(head) < 4:
        return None
    tag: tuple[int, int] = encoding.tag(head, 0)
    if tag in ITEM_TAGS:
        return tag
    changed = {item_tag: (tag[0] ^ item_tag[0]) << 16 | tag[1] ^ item_tag[1] for item_tag in ITEM_TAGS}
    near = [
        item_tag for item_tag, bits in changed.items() if any(not bits & ~(0xFF << shift) for shift in (0, 8, 16, 24))
    ]
    return min(near, key=lambda item_tag: changed[item_tag].bit_count(), default=None)


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


def is_plausible_tag(dataset: JsonDataset, tag: str) -> bool:
    """Say whether there is such a tag: one of the dictionary, or a private one whose block has a creator."""
    return is_known(dataset, tag) if is_private(tag) else known_vr(int(tag, 16)) is not None


def _plausibility(data: bytes, known: str, vr: str, start: int, length: int) -> Plausibility:
    if known == "UN" or (vr not in known and not (vr == "UN" and length)):
        return Plausibility.WEAK
    if length % UNITS.get(vr, 1):
        return Plausibility.WEAK
    if vr in TEXT_VRS and not _CONTROLS.isdisjoint(data[start : start + min(length, _SAMPLE)]):
        return Plausibility.WEAK
    return Plausibility.STRONG

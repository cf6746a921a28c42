"""The four encodings of a data set (PS3.5 7.1, A), each as a table from the first bytes of an element to its rule.

The tables fill themselves from the dictionaries as tags are met, so that the walker spends one look-up on what is
the same in every file: the tag as text, the VR, the decoder, and the values of that VR that were decoded before.
"""

import struct
from collections.abc import Callable
from dataclasses import dataclass
from enum import IntEnum, auto

from dicom_assets.dicom.header.binary_values import binary_decoders
from dicom_assets.dicom.header.budget import SHORT
from dicom_assets.dicom.header.model import Element
from dicom_assets.dicom.header.text_values import TEXT_DECODERS, Decoder
from dicom_assets.dicom.header.vr import ALL_VRS, LONG_VRS, public_vr

_MOST_TAGS = 1 << 16
_MOST_VALUES = 1 << 13
_ESCAPE = 0x1B
UNDEFINED = 0xFFFFFFFF

Values = dict[bytes, Element | None]
"""Values of one VR that keep its rules and were met: ``None`` for those met once, then the element they make.

Most values that come twice come often; the others are not worth an element that lives on. The elements are shared by
headers: nobody changes them.
"""


class Kind(IntEnum):
    """What the walker has to do with an element."""

    VALUE = auto()
    """Decode it."""
    SEQUENCE = auto()
    """Walk its items."""
    UNKNOWN = auto()
    """A UN, or a private element in implicit VR: look for its VR in the dictionaries."""
    AMBIGUOUS = auto()
    """A VR that depends on other elements, in implicit VR."""
    CHARSET = auto()
    """Specific Character Set."""
    PIXELS = auto()
    """Pixel data, at which a header ends."""
    GROUP_LENGTH = auto()
    """Pass over it: group lengths are not part of the JSON model (PS3.18 F.2.2)."""
    PADDING = auto()
    """Data Set Trailing Padding: pass over it (PS3.10 7.2)."""
    DELIMITER = auto()
    """An item or delimitation tag."""
    NO_VR = auto()
    """No VR where one is due."""


@dataclass(frozen=True, slots=True)
class Rule:
    """How the elements of one VR are read.

    Attributes
    ----------
    kind
        What to do.
    vr
        The VR; for :attr:`Kind.AMBIGUOUS` the choice as the dictionary words it.
    decode
        From bytes to JSON.
    values
        What was decoded before.
    charset
        Whether non-ASCII bytes depend on Specific Character Set.
    long
        Whether the header of the element takes 12 bytes.

    """

    kind: Kind
    vr: str
    decode: Decoder
    values: Values
    charset: bool
    long: bool

    def remember(self, raw: bytes, element: Element) -> None:
        """Keep a value without issues for the next time, unless it reads otherwise in another character set."""
        if self.charset and not (raw.isascii() and _ESCAPE not in raw):
            return
        values = self.values
        if raw in values:
            values[raw] = element
            return
        if len(values) >= _MOST_VALUES:
            values.clear()
        values[raw] = None


Entry = tuple[str, Values | None, Rule]
"""Tag as eight digits, the values to look into for elements with a short header, and the rule."""

Head = tuple[str, Values | None, Rule, int]
"""The same, with the length of the value; no values to look into where it is not short."""

_KIND_BY_TAG = {
    0x00080005: Kind.CHARSET,
    0x7FE00008: Kind.PIXELS,
    0x7FE00009: Kind.PIXELS,
    0x7FE00010: Kind.PIXELS,
    0xFFFCFFFC: Kind.PADDING,
}
_KIND_BY_VR = {"SQ": Kind.SEQUENCE, "UN": Kind.UNKNOWN}
_CHARSET_VRS = frozenset({"LO", "LT", "PN", "SH", "ST", "UC", "UR", "UT"})


class _Entries(dict[bytes, Entry]):
    """The table of one encoding: made on demand, and emptied before hostile tags make it large."""

    def __init__(self, make: Callable[[bytes], Entry]) -> None:
        super().__init__()
        self._make = make

    def __missing__(self, key: bytes) -> Entry:
        if len(self) >= _MOST_TAGS:
            self.clear()
        entry = self[key] = self._make(key)
        return entry


class _Heads(dict[bytes, Head]):
    """The same for whole headers of eight bytes, of elements whose value is short."""

    def __init__(self, make: Callable[[bytes], Head]) -> None:
        super().__init__()
        self._make = make

    def __missing__(self, key: bytes) -> Head:
        head = self._make(key)
        # Of the others, the length may be any number: kept, they would drive out those that come again.
        if head[1] is not None or head[2].long:
            if len(self) >= _MOST_TAGS:
                self.clear()
            self[key] = head
        return head


_STATED_VRS = frozenset(vr.encode("ascii") for vr in ALL_VRS)


def states_vr(stated: bytes) -> bool:
    """Say whether two bytes are a VR as explicit VR states it."""
    return stated in _STATED_VRS


class Encoding:
    """One encoding of data sets.

    Parameters
    ----------
    explicit
        Whether elements state their VR.
    little_endian
        Byte order of tags, lengths and numbers.

    Attributes
    ----------
    entries
        From the first :attr:`width` bytes of an element to its :data:`Entry`.
    heads
        From the eight bytes of a short header to its :data:`Head`.
    width
        Size of what identifies an element: tag and VR, or the tag. The length follows it.
    length
        Unpacks that length.
    item
        The tag of an item (PS3.5 7.5).
    length32, tag
        Unpack a 32-bit length and the two numbers of a tag.
    long_length
        Unpacks what follows the VR of an element with a 32-bit length: two reserved bytes, and that length.

    """

    def __init__(self, *, explicit: bool, little_endian: bool) -> None:
        order = "<" if little_endian else ">"
        self.explicit = explicit
        self.little_endian = little_endian
        self.width = 6 if explicit else 4
        self.length = struct.Struct(f"{order}H" if explicit else f"{order}I").unpack_from
        self.length32 = struct.Struct(f"{order}I").unpack_from
        self.long_length = struct.Struct(f"{order}HI").unpack_from
        self.tag = struct.Struct(f"{order}HH").unpack_from
        self.item = struct.pack(f"{order}HH", 0xFFFE, 0xE000)
        self._decoders = {**binary_decoders(order), **TEXT_DECODERS}
        self._values: dict[str, Values] = {vr: {} for vr in ALL_VRS}
        self._rules: dict[tuple[Kind, str], Rule] = {}
        self.entries: dict[bytes, Entry] = _Entries(self._entry)
        self.heads: dict[bytes, Head] = _Heads(self._head)

    def rule(self, kind: Kind, vr: str) -> Rule:
        """Return the rule for elements of a kind and a VR."""
        found = self._rules.get((kind, vr))
        if found is None:
            known = vr if vr in ALL_VRS else "UN"
            found = self._rules[kind, vr] = Rule(
                kind=kind,
                vr=vr,
                decode=self._decoders.get(known, self._decoders["UN"]),
                values=self._values[known],
                charset=known in _CHARSET_VRS,
                long=self.explicit and vr in LONG_VRS and kind not in (Kind.DELIMITER, Kind.NO_VR),
            )
        return found

    def value_rule(self, vr: str) -> Rule:
        """Return the rule for a value whose VR was found out otherwise than from the element itself."""
        return self.rule(Kind.SEQUENCE if vr == "SQ" else Kind.VALUE, vr)

    def forget(self) -> None:
        """Drop all values that were decoded before, to measure what they save."""
        for values in self._values.values():
            values.clear()

    def _entry(self, key: bytes) -> Entry:
        group, number = self.tag(key)
        tag = group << 16 | number
        kind, vr = self._classify(tag, group, number, key[4:6])
        rule = self.rule(kind, vr)
        plain = kind is Kind.VALUE and not rule.long
        return f"{tag:08X}", rule.values if plain else None, rule

    def _head(self, key: bytes) -> Head:
        tag, values, rule = self.entries[key[: self.width]]
        (length,) = self.length(key, self.width)
        return tag, values if length <= SHORT else None, rule, length

    def _classify(self, tag: int, group: int, number: int, stated: bytes) -> tuple[Kind, str]:
        if group == 0xFFFE:
            return Kind.DELIMITER, "UN"
        vr = self._stated_vr(stated) if self.explicit else self._implied_vr(tag, group, number)
        if vr is None:
            return Kind.NO_VR, "UN"
        if number == 0:
            return Kind.GROUP_LENGTH, vr
        kind = _KIND_BY_TAG.get(tag) or _KIND_BY_VR.get(vr) or (Kind.VALUE if vr in ALL_VRS else Kind.AMBIGUOUS)
        return kind, vr

    @staticmethod
    def _stated_vr(stated: bytes) -> str | None:
        return stated.decode("ascii") if states_vr(stated) else None

    @staticmethod
    def _implied_vr(tag: int, group: int, number: int) -> str:
        if number == 0:
            return "UL"
        if group & 1:
            return "LO" if 0x10 <= number <= 0xFF else "UN"
        vr = public_vr(tag) or "UN"
        # Whatever Pixel Data, Overlay Data or Waveform Data hold: in implicit VR they are words (PS3.5 A.1).
        return "OW" if vr == "OB or OW" else vr


EXPLICIT_LITTLE = Encoding(explicit=True, little_endian=True)
EXPLICIT_BIG = Encoding(explicit=True, little_endian=False)
IMPLICIT_LITTLE = Encoding(explicit=False, little_endian=True)
IMPLICIT_BIG = Encoding(explicit=False, little_endian=False)

ENCODINGS = {
    (encoding.explicit, encoding.little_endian): encoding
    for encoding in (EXPLICIT_LITTLE, EXPLICIT_BIG, IMPLICIT_LITTLE, IMPLICIT_BIG)
}
"""By whether they are explicit, and whether they are little endian."""

"""The 34 Value Representations (PS3.5 6.2), and which one an element has when the file does not say."""

from functools import lru_cache
from struct import calcsize
from types import MappingProxyType

from pydicom.datadict import dictionary_VR, private_dictionary_VR

NUMBER_FORMATS = MappingProxyType(
    {
        "FD": "d",
        "FL": "f",
        "SL": "i",
        "SS": "h",
        "SV": "q",
        "UL": "I",
        "US": "H",
        "UV": "Q",
    }
)
"""The VRs that hold binary numbers, with the :mod:`struct` code of one number."""

BYTES_UNITS = MappingProxyType({"OB": 1, "OD": 8, "OF": 4, "OL": 4, "OV": 8, "OW": 2, "UN": 1})
"""The VRs that hold bytes, with the size of their units: the length of a value is a multiple of it."""

UNITS = MappingProxyType({**BYTES_UNITS, **{vr: calcsize(f"={code}") for vr, code in NUMBER_FORMATS.items()}, "AT": 4})
"""Of all binary VRs, the size of one value, or of a unit of the bytes."""

TEXT_VRS = frozenset(
    {"AE", "AS", "CS", "DA", "DS", "DT", "IS", "LO", "LT", "PN", "SH", "ST", "TM", "UC", "UI", "UR", "UT"}
)
"""The VRs that hold characters."""

NUMBER_VRS = frozenset({*NUMBER_FORMATS, "AT", "DS", "IS"})
"""The VRs whose values are numbers or tags: long arrays of them are bulk."""

ALL_VRS = TEXT_VRS | NUMBER_VRS | frozenset(BYTES_UNITS) | {"SQ"}

LONG_VRS = frozenset({"OB", "OD", "OF", "OL", "OV", "OW", "SQ", "SV", "UC", "UN", "UR", "UT", "UV"})
"""The VRs whose explicit encoding has a 32-bit length after two reserved bytes (PS3.5 table 7.1-1)."""


@lru_cache(maxsize=1 << 14)
def public_vr(tag: int) -> str | None:
    """Return the VR of a standard element, ``None`` when the dictionary does not know it.

    Where PS3.6 leaves a choice the answer is one of ``US or SS``, ``US or OW``, ``US or SS or OW``, ``OB or OW``.
    """
    try:
        found: str = dictionary_VR(tag)
    except KeyError:
        return None
    return found if found != "NONE" else None


@lru_cache(maxsize=65536)
def private_vr(tag: int, creator: str) -> str | None:
    """Return the VR of a private element of a known creator, ``None`` when the dictionary does not know it."""
    try:
        found: str = private_dictionary_VR(tag, creator)
    except KeyError:
        return None
    return found if found in ALL_VRS else None

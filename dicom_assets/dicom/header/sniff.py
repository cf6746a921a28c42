"""Where the data set of a file begins and how it is encoded: from what the file says, and from what it is.

A file is DICOM when it has the prefix ``DICM``, or when its first elements are such as a data set begins with
(PS3.10 7.1): files of the time before PS3.10, and data sets that were saved without their file meta group.
"""

from dicom_assets.dicom.header.encoding import (
    EXPLICIT_BIG,
    EXPLICIT_LITTLE,
    IMPLICIT_BIG,
    IMPLICIT_LITTLE,
    UNDEFINED,
    Encoding,
    Kind,
    states_vr,
)
from dicom_assets.dicom.header.vr import public_vr
from dicom_assets.dicom.read_ahead import ReadAheadBuffer
from dicom_assets.dicom.uids import (
    DeflatedExplicitVRLittleEndian,
    ExplicitVRBigEndian,
    ImplicitVRLittleEndian,
    JPIPHTJ2KReferencedDeflate,
    JPIPReferencedDeflate,
)

DEFLATED_SYNTAXES = frozenset(
    {DeflatedExplicitVRLittleEndian, JPIPReferencedDeflate, JPIPHTJ2KReferencedDeflate},
)
"""Transfer syntaxes whose data set is deflated as a whole (PS3.5 A.5)."""

PREFIX = b"DICM"
META_GROUP = b"\x02\x00"
_ENCODINGS = (EXPLICIT_LITTLE, IMPLICIT_LITTLE, EXPLICIT_BIG, IMPLICIT_BIG)
_FIRST_GROUPS = frozenset({0x0000, 0x0002, 0x0004, 0x0008})
_PROOF = 3
"""Elements in a row that make something without the prefix a data set."""


def stated_encoding(syntax: str) -> Encoding:
    """Return the encoding of data sets in a transfer syntax: explicit VR little endian for all but two (PS3.5 A)."""
    if syntax == ImplicitVRLittleEndian:
        return IMPLICIT_LITTLE
    return EXPLICIT_BIG if syntax == ExplicitVRBigEndian else EXPLICIT_LITTLE


def encoding_of(buffer: ReadAheadBuffer, position: int, syntax: str | None) -> Encoding:
    """Return the encoding of the data set that begins at a position.

    The transfer syntax decides when the first elements can be read by it, else the encoding that can read most
    of them.
    """
    stated = None if syntax is None else stated_encoding(syntax)
    looks_explicit = states_vr(buffer.read(position, 6)[4:])
    if (
        stated is not None
        and stated.explicit == looks_explicit
        and plausible_elements(buffer, position, stated, most=1)
    ):
        return stated
    counts = {encoding: plausible_elements(buffer, position, encoding) for encoding in _ENCODINGS}
    best = max(_ENCODINGS, key=lambda encoding: (counts[encoding], encoding.explicit == looks_explicit))
    if stated is not None and counts[stated] >= counts[best]:
        return stated
    return best


def encoding_of_unknown(buffer: ReadAheadBuffer, around: Encoding, position: int) -> Encoding:
    """Return how the items of a UN are encoded (PS3.5 6.2.2).

    What was written as UN was implicit VR little endian before, in a big endian data set too; but some writers leave
    its content in explicit VR.

    Parameters
    ----------
    buffer
        The bytes.
    around
        Encoding of the data set that the element is in.
    position
        Where its value begins.

    """
    if not around.explicit:
        return around
    return EXPLICIT_LITTLE if states_vr(buffer.read(position, 14)[12:]) else IMPLICIT_LITTLE


def is_deflated(buffer: ReadAheadBuffer, position: int) -> bool:
    """Say whether a data set that is said to be deflated is: it is not when elements can be seen in it."""
    return not plausible_elements(buffer, position, EXPLICIT_LITTLE, most=2)


def plausible_elements(
    buffer: ReadAheadBuffer, position: int, encoding: Encoding, *, most: int = _PROOF, strict: bool = False
) -> int:
    """Count the elements in a row that can be what an encoding says, up to `most`.

    Each has a tag of the dictionary that is higher than the one before, and ends within the file.

    Parameters
    ----------
    buffer, position
        Where to look; not beyond the bytes at hand.
    encoding
        The encoding.
    most
        When to stop counting.
    strict
        Whether the first element must be of a group that data sets begin with.

    """
    data, at = buffer.data, position - buffer.base
    last = -1
    for count in range(most):
        if at + 8 > len(data):
            return count
        group, number = encoding.tag(data, at)
        tag = group << 16 | number
        if tag <= last or not _is_known(group, number) or (strict and not count and group not in _FIRST_GROUPS):
            return count
        following = behind_element(data, at, encoding)
        if following is None or buffer.base + following > buffer.size:
            return count
        if following > len(data):
            # An element that reaches beyond the bytes at hand: plausible, but what follows cannot be seen.
            return count + 1
        last, at = tag, following
    return most


def _is_known(group: int, number: int) -> bool:
    if group & 1:
        return group > 8 and 0x10 <= number <= 0xFF
    return number == 0 or public_vr(group << 16 | number) is not None


def behind_element(data: bytes, at: int, encoding: Encoding) -> int | None:
    """Return where the element after this one begins, ``None`` when this one cannot be an element."""
    if at + 8 > len(data):
        return None
    rule = encoding.entries[data[at : at + encoding.width]][2]
    if rule.kind in (Kind.NO_VR, Kind.DELIMITER):
        return None
    if not rule.long:
        (length,) = encoding.length(data, at + encoding.width)
        start = at + 8
    elif at + 12 <= len(data):
        (length,) = encoding.length32(data, at + 8)
        start = at + 12
    else:
        return None
    if length == UNDEFINED:
        # A sequence: its first item follows.
        return None if data[start : start + 4] not in _ITEM_TAGS else len(data)
    return start + int(length)


_ITEM_TAGS = (b"\xfe\xff\x00\xe0", b"\xff\xfe\xe0\x00", b"\xfe\xff\xdd\xe0", b"\xff\xfe\xe0\xdd")

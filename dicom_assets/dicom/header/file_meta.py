"""Where a file begins and its file meta group ends (PS3.10 7.1), also where that is damaged or occurs twice.

A file is DICOM when it has the prefix ``DICM``, or when its first elements are such as a data set begins with: files of
the time before PS3.10, and data sets that were saved without their file meta group.
"""

import re
import zlib

from dicom_assets.dicom.header.encoding import (
    EXPLICIT_BIG,
    EXPLICIT_LITTLE,
    IMPLICIT_BIG,
    IMPLICIT_LITTLE,
    Encoding,
    states_vr,
)
from dicom_assets.dicom.header.sniff import META_GROUP, PREFIX, behind_element, plausible_elements
from dicom_assets.dicom.read_ahead import ReadAheadBuffer
from dicom_assets.dicom.uids import DeflatedExplicitVRLittleEndian

_PREAMBLE = 128
_SEARCHED = 4096
"""How far after the beginning of a damaged group the data set is looked for: such groups are short."""
_DEFLATED_WITHIN = 512
"""The same for a data set that is deflated, for which there are fewer signs."""
_PROOF = 3
_IDENTIFYING_GROUPS = (b"\x08\x00", b"\x00\x08")
_DEFLATED = DeflatedExplicitVRLittleEndian.encode("ascii")
_GROUP_LENGTH = b"\x02\x00\x00\x00UL\x04\x00"
_FIRST_GROUPS = re.compile(rb"(?=[\x04\x08]\x00|\x00[\x04\x08])")
_ENCODINGS = (IMPLICIT_LITTLE, EXPLICIT_LITTLE, EXPLICIT_BIG, IMPLICIT_BIG)


def start_of_elements(buffer: ReadAheadBuffer) -> int | None:
    """Return the position of the first element, ``None`` when the content is not DICOM."""
    head = buffer.read(0, 138)
    prefixed = head[128:132] == PREFIX
    if prefixed and head[132:134] == META_GROUP:
        return 132
    # The prefix may also be part of a value of a file that has none.
    if any(plausible_elements(buffer, 0, encoding, strict=True) >= _PROOF for encoding in _ENCODINGS):
        return 0
    start = 132 if prefixed else 4
    if head[start - 4 : start] != PREFIX:
        # The prefix may be damaged.
        in_meta = head[132:134] == META_GROUP and plausible_elements(buffer, 132, EXPLICIT_LITTLE) >= _PROOF
        return 132 if in_meta else None
    noise = (
        len(head) == 138
        and not any(plausible_elements(buffer, start, encoding, most=1) for encoding in _ENCODINGS)
        and find_data_set(buffer, start) is None
    )
    return None if noise else start


def end_of_meta(buffer: ReadAheadBuffer, position: int) -> tuple[int, Encoding]:
    """Return the end of the file meta group and its encoding, the position itself when there is no such group.

    The group length (0002,0000) is often wrong; the group ends where its elements do. Where no data set begins there,
    it is looked for where the group length points to, and then in what follows. The group is explicit VR little endian
    (PS3.10 7.1), but files exist that have it in implicit VR.
    """
    head = buffer.read(position, 14)
    encoding = EXPLICIT_LITTLE
    if not states_vr(head[4:6]) and plausible_elements(buffer, position, IMPLICIT_LITTLE, most=2) == 2:
        encoding = IMPLICIT_LITTLE
    end = _behind_group(buffer, position, encoding)
    if end < buffer.size and (_begins_data_set(buffer, end) or second_meta(buffer, end) is not None):
        return end, encoding
    return _looked_for(buffer, position, min(end, buffer.size)), encoding


def _behind_group(buffer: ReadAheadBuffer, position: int, encoding: Encoding) -> int:
    """Return the position after the elements of the group, as far as they are elements."""
    data, base = buffer.data, buffer.base
    at = position - base
    while data[at : at + 2] == META_GROUP:
        following = behind_element(data, at, encoding)
        if following is None:
            break
        at = following
    end = base + at
    while at > len(data) - 12 and (head := buffer.peek(end, 12))[:2] == META_GROUP:
        length = behind_element(head, 0, encoding)
        if length is None:
            break
        end += length
    return end


def second_meta(buffer: ReadAheadBuffer, position: int) -> int | None:
    """Return where a second file meta group with a preamble of its own begins, where a data set is due."""
    start = position + _PREAMBLE + len(PREFIX)
    at = start - len(PREFIX)
    if start + _PROOF * 8 > buffer.size or buffer.peek(at, 6) != PREFIX + META_GROUP:
        return None
    return None if _begins_data_set(buffer, position) else start


def find_data_set(buffer: ReadAheadBuffer, position: int) -> int | None:
    """Return where a data set begins in the next few kilobytes, ``None`` if none does."""
    content = buffer.read(position, _SEARCHED)
    starts = [position + match.start() for match in _FIRST_GROUPS.finditer(content)]
    # One encoding after the other: those with VRs are mistaken for others less often.
    for encoding in (EXPLICIT_LITTLE, EXPLICIT_BIG, IMPLICIT_LITTLE, IMPLICIT_BIG):
        for start in starts:
            if plausible_elements(buffer, start, encoding, strict=True) >= _PROOF:
                return start
    return None


def _looked_for(buffer: ReadAheadBuffer, position: int, end: int) -> int:
    """Return where a damaged group ends; `end`, where its elements seem to, if nothing better is found."""
    head = buffer.read(position, 12)
    stated = position + 12 + int.from_bytes(head[8:12], "little")
    if len(buffer.read(position, _SEARCHED)) < 12 or _inflates(buffer, end):
        return end
    if head.startswith(_GROUP_LENGTH) and stated < min(buffer.size, position + _SEARCHED):
        in_data_set = any(plausible_elements(buffer, stated, encoding, most=2) == 2 for encoding in _ENCODINGS)
        if buffer.peek(stated, 2) != META_GROUP and (in_data_set or _inflates(buffer, stated)):
            return stated
    found = find_data_set(buffer, position)
    if found is not None:
        return found
    if _DEFLATED not in buffer.read(position, _SEARCHED):
        return end
    reach = min(buffer.size, position + _DEFLATED_WITHIN)
    return next((start for start in range(position, reach) if _inflates(buffer, start)), end)


def _begins_data_set(buffer: ReadAheadBuffer, position: int) -> bool:
    head = buffer.peek(position, 6)
    if head[:2] == META_GROUP or not any(head[:4]):
        return False
    # What most files have comes first: this is asked of all.
    if head[:2] in _IDENTIFYING_GROUPS and states_vr(head[4:]):
        return True
    return any(plausible_elements(buffer, position, encoding, most=1) for encoding in _ENCODINGS)


def _inflates(buffer: ReadAheadBuffer, position: int) -> bool:
    """Say whether a deflated data set begins at a position, with the group 0008."""
    try:
        content = zlib.decompressobj(-zlib.MAX_WBITS).decompress(buffer.peek(position, 512), 64)
    except zlib.error:
        return False
    return content[:2] in (b"\x08\x00", b"\x04\x00")

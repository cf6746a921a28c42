"""Where reading can go on after damage: the next element, item or delimiter that makes sense."""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from dicom_assets.dicom.header.encoding import UNDEFINED, Encoding
from dicom_assets.dicom.header.plausibility import (
    ITEM,
    ITEM_END,
    SEQUENCE_END,
    SearchArea,
    candidate,
    is_chain,
    is_delimiter,
)
from dicom_assets.dicom.header.vr import ALL_VRS

_IN_A_ROW = {True: 2, False: 3}
"""Elements that have to follow each other, by whether they state their VR: without it they prove less."""
_VRS = re.compile(b"(?=" + b"|".join(vr.encode("ascii") for vr in sorted(ALL_VRS)) + b")")
_ITEM_TAG_PATTERNS = {
    True: re.compile(rb"\xfe\xff[\x00\x0d\xdd]\xe0"),
    False: re.compile(rb"\xff\xfe\xe0[\x00\x0d\xdd]"),
}
"""Items and delimiters, by byte order."""
_HEADS = {
    # A group below 8000, and a length below 16 MiB.
    True: re.compile(rb"(?=(?!\x00\x00)[\s\S][\x00-\x7f][\s\S]{5}\x00)"),
    False: re.compile(rb"(?=(?!\x00\x00)[\x00-\x7f][\s\S]{3}\x00)"),
}
"""What elements in implicit VR begin with, by byte order."""


def find_element(area: SearchArea, at: int, stop: int, floor: int, *, delimited: bool, need: int = 0) -> int | None:
    """Return where the next element of a data set begins, or the delimiter that ends it.

    Items on the way belong to sequences whose beginning was lost: they are passed over with all that is in them.

    Parameters
    ----------
    area
        Where to look.
    at, stop
        From which position on, and up to which.
    floor
        Tag that the element is above.
    delimited
        Whether the data set ends at a delimiter; those of others are passed over.
    need
        Elements in a row that prove that there is one; 0 for as many as the encoding asks for.

    """
    tags = _ITEM_TAG_PATTERNS[area.encoding.little_endian]
    need = need or _IN_A_ROW[area.encoding.explicit]
    around = _OpenItems()
    while at < stop:
        match = tags.search(area.data, at, stop)
        if not around.open_items:
            for found in _candidates(area, at, match.start() if match else stop):
                if is_chain(area, found, floor, need):
                    return found
        if match is None:
            return None
        following = around.behind(area, match.start())
        if following is not None:
            at = following
        elif delimited:
            return match.start()
        else:
            at = match.start() + 8
    return None


@dataclass(slots=True)
class _OpenItems:
    """What is open while items are passed over whose sequence was lost."""

    open_items: int = 0
    items_passed: bool = False

    def behind(self, area: SearchArea, at: int) -> int | None:
        """Return where to look on after an item or delimiter, ``None`` if it belongs to nothing that was passed."""
        tag = area.encoding.tag(area.data, at)
        if tag == ITEM:
            self.items_passed = True
            following = _behind_item(area, at)
            self.open_items += following is None
            return following or at + 8
        if not is_delimiter(area, at):
            return at + 1
        if tag == ITEM_END and self.open_items:
            self.open_items -= 1
            return at + 8
        if self.open_items:
            return at + 8
        if self.items_passed:
            self.items_passed = tag == ITEM_END
            return at + 8
        return None


def find_item(area: SearchArea, at: int, stop: int, *, delimited: bool) -> int | None:
    """Return where the next item of a sequence begins, or the delimiter that ends the sequence.

    Parameters
    ----------
    area
        Where to look.
    at, stop
        From which position on, and up to which.
    delimited
        Whether a delimiter ends the sequence.

    """
    for match in _ITEM_TAG_PATTERNS[area.encoding.little_endian].finditer(area.data, at, stop):
        position = match.start()
        tag = area.encoding.tag(area.data, position)
        if tag == ITEM and is_item(area, position):
            return position
        if tag == SEQUENCE_END and delimited and is_delimiter(area, position):
            return position
    return None


def is_item(area: SearchArea, at: int) -> bool:
    """Say whether what has the tag of an item can be one: it fits, and begins with an element or is empty."""
    if at + 8 > len(area.data):
        return False
    (length,) = area.encoding.length32(area.data, at + 4)
    if length != UNDEFINED and at + 8 + length > area.end:
        return False
    return not length or candidate(area, at + 8) is not None or is_delimiter(area, at + 8)


def _behind_item(area: SearchArea, at: int) -> int | None:
    """Return where an item of stated length ends, ``None`` for one that is delimited or cut."""
    if at + 8 > len(area.data):
        return None
    (length,) = area.encoding.length32(area.data, at + 4)
    if length == UNDEFINED:
        return None
    end = at + 8 + int(length)
    return end if end <= area.end else None


def _candidates(area: SearchArea, at: int, stop: int) -> Iterator[int]:
    """Yield where elements might begin."""
    encoding: Encoding = area.encoding
    if encoding.explicit:
        for match in _VRS.finditer(area.data, at + 4, min(stop + 4, len(area.data))):
            yield match.start() - 4
    else:
        for match in _HEADS[encoding.little_endian].finditer(area.data, at, min(stop + 7, len(area.data))):
            if match.start() < stop:
                yield match.start()

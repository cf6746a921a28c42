"""Values of a header in the types that pixels need: numbers where the text allows them, bytes wherever they stand."""

import base64
import math
from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from dicom_assets.dicom.frames import SHARED_GROUPS, frame_groups
from dicom_assets.dicom.header import Element, Header, JsonDataset, first_value, values

_MAX_ELEMENT = 1 << 26
_MAX_TABLE = 1 << 18
"""In bytes: a lookup table has at most 65,536 entries of two."""


def number(value: Any) -> float | None:
    """Return a value of DS, IS or a binary VR as a finite float, ``None`` when it is none.

    Values that break their VR stand in a header as raw text, so anything can come in here.
    """
    try:
        found = float(value)
    except (TypeError, ValueError):
        return None
    return found if math.isfinite(found) else None


def numbers(dataset: Mapping[str, Element], tag: str) -> list[float]:
    """Return the values of an element as floats; an empty list when one of them is no number."""
    found = [number(value) for value in values(dataset, tag)]
    return [] if any(value is None for value in found) else [value for value in found if value is not None]


def integer(dataset: Mapping[str, Element], tag: str, default: int) -> int:
    """Return the first value of an element as an integer, `default` when it has none."""
    found = number(first_value(dataset, tag))
    return default if found is None else int(found)


def text(dataset: Mapping[str, Element], tag: str) -> str:
    """Return the first value of an element as text without surrounding spaces, empty when it has none."""
    found = first_value(dataset, tag)
    return found.strip() if isinstance(found, str) else ""


def items(dataset: Mapping[str, Element], tag: str) -> list[JsonDataset]:
    """Return the items of a sequence, an empty list when there is none."""
    return [item for item in values(dataset, tag) if isinstance(item, dict)]


def element_bytes(header: Header, element: Element, most: int = _MAX_ELEMENT) -> bytes:
    """Return the bytes of a binary element, from the header or from where it is in the file.

    Parameters
    ----------
    header
        The header that `element` belongs to.
    element
        One with inline or bulk data.
    most
        More bytes than that are not read.

    Raises
    ------
    OSError
        When the storage fails.

    """
    inline = element.get("InlineBinary")
    if isinstance(inline, str):
        return base64.b64decode(inline)
    place = element.get("BulkData")
    if isinstance(place, dict) and header.body is not None:
        return header.body.read(int(place["offset"]), min(int(place["length"]), most))
    return b""


def words(header: Header, element: Element, *, bits: int) -> npt.NDArray[np.uint16]:
    """Return the entries of a lookup table, whose VR may be OW, OB, US or SS (PS3.3 C.7.6.3.1.6, C.11.1.1).

    Parameters
    ----------
    header
        The header that `element` belongs to; it knows the byte order of the data set.
    element
        LUT Data, or a table of a palette.
    bits
        8 when entries are single bytes, 16 when they are words.

    """
    found = element.get("Value")
    if found:
        return np.array([int(number(value) or 0) & 0xFFFF for value in found], np.uint16)
    data = element_bytes(header, element, _MAX_TABLE)
    if bits == 8:
        return np.frombuffer(data, np.uint8).astype(np.uint16)
    order = "<u2" if header.little_endian else ">u2"
    return np.frombuffer(data[: len(data) // 2 * 2], order).astype(np.uint16)


def functional_group(header: Header, frame: int, macro: str) -> JsonDataset:
    """Return the item of a functional group macro that holds for one frame (PS3.3 C.7.6.16).

    Parameters
    ----------
    header
        Of an enhanced object; other objects have no functional groups.
    frame
        Index of the frame, from 0.
    macro
        Tag of the macro's sequence, such as ``00289132`` for Frame VOI LUT.

    Returns
    -------
    JsonDataset
        The frame's own item, else the one shared by all frames, else an empty data set.

    """
    return functional_group_item(header, frame_groups(header, frame), macro)


def functional_group_item(header: Header, own: JsonDataset | None, macro: str) -> JsonDataset:
    """Return the item of a functional group macro, where the groups of a frame are at hand.

    Parameters
    ----------
    header
        Of the object.
    own
        Item of Per-Frame Functional Groups Sequence of the frame; ``None`` where it has none.
    macro
        As for :func:`functional_group`.

    """
    shared = items(header.dataset, SHARED_GROUPS)
    for group in (*([own] if own else ()), *shared[:1]):
        found = items(group, macro)
        if found:
            return found[0]
    return {}

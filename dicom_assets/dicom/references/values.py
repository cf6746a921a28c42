"""Values of items in the types that references need; anything can stand in a damaged file, and becomes ``None``."""

from collections.abc import Iterable

import numpy as np

from dicom_assets.dicom.header import Header, JsonDataset, first_value
from dicom_assets.dicom.header.typed_values import to_int32, to_text
from dicom_assets.dicom.pixels.attributes import element_bytes, items
from dicom_assets.dicom.references.model import Code

_LONGEST_TEXT = 1024
"""Characters: the most that any VR of these attributes allows (ST, PS3.5 table 6.2-1)."""
_MOST_BYTES = 1 << 18
"""Of a list of numbers that the header does not inline; more are not read."""
_CODE_VALUES = ("00080100", "00080119", "00080120")


def text(item: JsonDataset, tag: str) -> str | None:
    """Return the first value of an element as text, ``None`` when it has none."""
    found = to_text(first_value(item, tag))
    return None if found is None else found.strip()[:_LONGEST_TEXT] or None


def whole_number(item: JsonDataset, tag: str) -> int | None:
    """Return the first value of an element as an integer of 32 bits, ``None`` when it is none."""
    return to_int32(first_value(item, tag))


def whole_numbers(header: Header, item: JsonDataset, tag: str, most: int) -> list[int]:
    """Return the values of an IS, US or UL as integers, those that are none left out.

    A list that the header does not inline is read from the file.

    Raises
    ------
    OSError
        If the source does.

    """
    element = item.get(tag)
    if element is None:
        return []
    stated: Iterable[object] = element.get("Value", ())
    if "BulkData" in element:
        raw = element_bytes(header, element, _MOST_BYTES)
        if element["vr"] == "IS":
            stated = raw.decode("ascii", "replace").split("\\")
        elif element["vr"] in {"US", "UL"}:
            kind = f"{'<' if header.little_endian else '>'}u{2 if element['vr'] == 'US' else 4}"
            stated = np.frombuffer(raw[: len(raw) & ~3], kind).tolist()
    found = [number for value in stated if (number := to_int32(value)) is not None]
    return found[:most]


def code(item: JsonDataset, tag: str) -> Code | None:
    """Return the first code of a code sequence (PS3.3 8.8), ``None`` when there is none."""
    for entry in items(item, tag):
        value = next(filter(None, (text(entry, place) for place in _CODE_VALUES)), None)
        found = Code(value, text(entry, "00080102"), text(entry, "00080104"))
        if found != _NO_CODE:
            return found
    return None


_NO_CODE = Code(None, None, None)

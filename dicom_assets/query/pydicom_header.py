"""Stored headers as pydicom has them: from the DICOM JSON Model of the tables (PS3.18 Annex F) to data sets.

Not ``pydicom.Dataset.from_json``: it fails on the first value that breaks its Value Representation, quotes values in
warnings, and knows bulk data by URI only. Here the value of such an element is kept as it stands.
"""

import base64
from collections.abc import Mapping
from typing import Any

import orjson
from pydicom import config
from pydicom.dataelem import DataElement
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.sequence import Sequence

from dicom_assets.dicom.header import Element, JsonDataset
from dicom_assets.dicom.header.typed_values import to_name

_BYTES = frozenset({"OB", "OD", "OF", "OL", "OV", "OW", "UN"})
_NUMBERS = frozenset({"FD", "FL", "SL", "SS", "SV", "UL", "US", "UV"})


class StoredDataset(Dataset):  # type: ignore[misc]
    """A data set without pixel data, as the catalog stores it.

    Attributes
    ----------
    file_meta
        The elements of group 0002.
    bulk_data
        Where values are in the file (``offset`` and ``length`` in bytes) that were too long to be stored, by tag, such
        as ``00281201``; of what is in sequences by its path, ``00283010[0].00283006``. Their elements are empty here,
        or sequences of the first items only.

    """

    bulk_data: dict[str, Mapping[str, int]]


def to_pydicom(header: str | bytes) -> StoredDataset:
    """Return the data set of a stored header.

    A value that breaks its Value Representation has the VR ``UN`` and its text as bytes, which pydicom writes as they
    are; ``issues`` of the catalog lists such values.

    Parameters
    ----------
    header
        The column ``header``: JSON with ``fileMeta`` and ``dataset``.

    """
    stored: dict[str, JsonDataset] = orjson.loads(header)
    found = StoredDataset()
    # pydicom keeps what it does not know among the attributes of the object, not of the class.
    found.bulk_data = {}
    _fill(found, stored.get("dataset", {}), found.bulk_data, "")
    found.file_meta = FileMetaDataset()
    _fill(found.file_meta, stored.get("fileMeta", {}), found.bulk_data, "")
    return found


def _fill(dataset: Dataset, elements: JsonDataset, bulk: dict[str, Mapping[str, int]], place: str) -> None:
    for tag, element in elements.items():
        if "BulkData" in element:
            bulk[f"{place}{tag}"] = element["BulkData"]
        dataset.add(_element(int(tag, 16), element, bulk, f"{place}{tag}"))


def _element(tag: int, element: Element, bulk: dict[str, Mapping[str, int]], place: str) -> DataElement:
    vr = str(element["vr"])
    if vr == "SQ":
        items = Sequence()
        for number, item in enumerate(element.get("Value", [])):
            made = Dataset()
            _fill(made, item or {}, bulk, f"{place}[{number}].")
            items.append(made)
        return DataElement(tag, vr, items)
    values = element.get("Value", [])
    binary = base64.b64decode(element["InlineBinary"]) if "InlineBinary" in element else None
    if binary is not None and vr not in _BYTES:
        return _unknown(tag, binary)
    try:
        # Warnings of pydicom quote the value.
        value = _plain(vr, values) if binary is None else binary
        return DataElement(tag, vr, value, validation_mode=config.IGNORE)
    except Exception:  # noqa: BLE001 - whatever pydicom finds wrong with a value, there is no second way to hold it
        return _unknown(tag, _as_stands(values) if binary is None else binary)


def _unknown(tag: int, data: bytes) -> DataElement:
    """Return an element of VR ``UN``; made as one, pydicom would take it for the VR that its dictionary has."""
    element = DataElement(tag, "OB", data)
    element.VR = "UN"
    return element


def _plain(vr: str, values: list[Any]) -> Any:
    """Return values as pydicom takes them: none, one, or a list."""
    if not values:
        return b"" if vr in _BYTES else None
    taken = [_value(vr, value) for value in values]
    return taken[0] if len(taken) == 1 else taken


def _value(vr: str, value: Any) -> Any:
    if vr == "PN" and isinstance(value, dict):
        return to_name(value) or ""
    if vr == "AT" and isinstance(value, str):
        return int(value, 16)
    if vr in _NUMBERS and not isinstance(value, int | float | None):
        raise TypeError("a number is needed")  # pydicom would take a text, and fail when it writes it
    return value


def _as_stands(values: list[Any]) -> bytes:
    """Return the text of values that are no values of their VR."""
    parts = [
        str(value.get("Alphabetic", "") if isinstance(value, dict) else "" if value is None else value)
        for value in values
    ]
    return "\\".join(parts).encode()

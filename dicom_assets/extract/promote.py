"""From a header to typed columns, by the declarations in :mod:`dicom_assets.tables`."""

from collections.abc import Callable
from typing import Any

import pyarrow as pa

from dicom_assets.dicom.header import Header
from dicom_assets.dicom.values import to_date, to_datetime_text, to_float, to_int, to_name, to_time_text
from dicom_assets.tables import PROMOTED, Column

_INT32 = 1 << 31


def _text(value: Any) -> str | None:
    return value if isinstance(value, str) and value else None


def _int32(value: Any) -> int | None:
    number = to_int(value)
    return number if number is not None and -_INT32 <= number < _INT32 else None


_BY_VR: dict[str, Callable[[Any], Any]] = {
    "DA": to_date,
    "TM": to_time_text,
    "DT": to_datetime_text,
    "PN": to_name,
    "DS": to_float,
    "IS": _int32,
    "US": _int32,
}


def _reader(column: Column) -> tuple[str, str, Callable[[Any], Any], bool]:
    assert column.tag is not None
    assert column.vr is not None
    return column.name, column.tag, _BY_VR.get(column.vr, _text), pa.types.is_list(column.type)


_READERS = tuple(_reader(column) for column in PROMOTED)


def promote(header: Header) -> dict[str, Any]:
    """Return the typed columns of a header.

    A value that breaks its Value Representation is null here, and listed in the header's issues. Of an attribute
    with several values a scalar column holds the first; a list column holds all, with null for those that break.
    """
    columns: dict[str, Any] = {}
    for name, tag, convert, many in _READERS:
        element = (header.file_meta if tag.startswith("0002") else header.dataset).get(tag)
        found = element.get("Value") if element else None
        if not found:
            columns[name] = None
        elif many:
            columns[name] = [convert(value) for value in found]
        else:
            columns[name] = convert(found[0])
    return columns

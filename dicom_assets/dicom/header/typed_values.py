"""Values of a header as Python values, for typed columns.

Each function takes one member of a ``Value`` array of the DICOM JSON model and returns ``None`` for what breaks its
Value Representation: the walker has listed that as an issue already.
"""

import datetime as dt
import math
import re
from typing import Any

from dicom_assets.dicom.header.text_values import NAME_GROUPS, is_datetime, is_time, parse_date

_DATETIME_PARTS = re.compile(r"(\d{4})(\d\d)?(\d\d)?(?:(\d\d)(\d\d)?(\d\d)?(\.\d+)?)?(?:([+-]\d\d)(\d\d))?")
_NUMBER = re.compile(r"[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?", re.ASCII)
_INTEGER = re.compile(r"([+-]?\d{1,20})(?:\.0*)?", re.ASCII)


def to_date(value: Any) -> dt.date | None:
    """Return the date of a DA (PS3.5 6.2), also of one in the form ``YYYY.MM.DD`` of ACR-NEMA."""
    return parse_date(value) if isinstance(value, str) else None


def to_time_text(value: Any) -> str | None:
    """Return a TM as ISO 8601 text ``HH:MM:SS[.ffffff]``; components that are not stated are zero.

    It stays text because a TM may be a leap second, which no time type of Python or Arrow can hold.
    """
    if not isinstance(value, str) or not is_time(value):
        return None
    digits, _, fraction = value.replace(":", "").partition(".")
    whole = digits.ljust(6, "0")
    text = f"{whole[:2]}:{whole[2:4]}:{whole[4:6]}"
    return f"{text}.{fraction}" if fraction else text


def to_datetime_text(value: Any) -> str | None:
    """Return a DT as ISO 8601 text, with its offset from UTC where it states one, and no finer than it is stated."""
    if not isinstance(value, str) or not is_datetime(value):
        return None
    found = _DATETIME_PARTS.fullmatch(value)
    assert found is not None
    year, month, day, hour, minute, second, fraction, offset_hours, offset_minutes = found.groups()
    text = "-".join(part for part in (year, month, day) if part)
    if hour:
        text += f"T{hour}:{minute or '00'}"
        if second:
            text += f":{second}{fraction or ''}"
    # ISO 8601 has no offset for a date alone.
    return f"{text}{offset_hours}:{offset_minutes}" if offset_hours and hour else text


def to_float(value: Any) -> float | None:
    """Return a number; one that JSON holds as text because no number is as precise becomes the nearest."""
    if isinstance(value, str):
        value = value.strip()  # also of what float() would not take around a number
        if not _NUMBER.fullmatch(value):
            return None
    if not isinstance(value, (str, int, float)):
        return None
    number = float(value)
    return number if math.isfinite(number) else None


def to_int(value: Any) -> int | None:
    """Return an integer, also of an SV or UV that JSON holds as text, and of text such as ``3.0``."""
    if isinstance(value, str) and (found := _INTEGER.fullmatch(value.strip())):
        return int(found[1])
    if isinstance(value, float) and value.is_integer():
        return int(value)
    return value if isinstance(value, int) else None


def to_int32(value: Any) -> int | None:
    """Return an integer that 32 bits hold."""
    return _within(32, to_int(value))


def to_int64(value: Any) -> int | None:
    """Return an integer that 64 bits hold."""
    return _within(64, to_int(value))


def _within(bits: int, number: int | None) -> int | None:
    bound = 1 << bits - 1
    return number if number is not None and -bound <= number < bound else None


def to_text(value: Any) -> str | None:
    """Return a value as text: a number as the shortest text that means it."""
    if isinstance(value, float):
        return str(int(value)) if value.is_integer() else repr(value)
    if isinstance(value, int):
        return str(value)
    return value if isinstance(value, str) and value else None


def to_name(value: Any) -> str | None:
    """Return a PN as text, its component groups separated by ``=`` as in PS3.5 6.2.1."""
    if not isinstance(value, dict):
        return None
    return "=".join(str(value.get(group) or "") for group in NAME_GROUPS).rstrip("=") or None

"""Elements of the DICOM JSON Model (PS3.18 F.2) made of the typed columns of the tables."""

import datetime as dt
from collections.abc import Callable, Mapping
from typing import Any

from dicom_assets.dicom.header import Element
from dicom_assets.dicom.header.text_values import NAME_GROUPS


def element(vr: str, value: Any) -> Element:
    """Return an element of a value, or of a list of values; an empty one where there is none.

    Parameters
    ----------
    vr
        Value Representation.
    value
        As a column holds it: dates as such, times as ISO 8601 text, numbers as numbers, all else as text.

    """
    values = value if isinstance(value, list) else [value]
    if all(one is None for one in values):
        return {"vr": vr}
    convert = _TO_JSON.get(vr, _as_it_is)
    return {"vr": vr, "Value": [None if one is None else convert(one) for one in values]}


def _as_it_is(value: Any) -> Any:
    return value


def _date(value: Any) -> str:
    return f"{value:%Y%m%d}" if isinstance(value, dt.date) else str(value)


def _time(value: Any) -> str:
    return str(value).replace(":", "")


def _moment(value: Any) -> str:
    """Return a DT of ISO 8601 text: what is in the date loses its hyphens, an offset keeps its sign."""
    day, separator, time = str(value).partition("T")
    return day.replace("-", "") + (time.replace(":", "") if separator else "")


def _name(value: Any) -> dict[str, str]:
    groups = str(value).split("=")[: len(NAME_GROUPS)]
    return {name: group for name, group in zip(NAME_GROUPS, groups, strict=False) if group}


_TO_JSON: Mapping[str, Callable[[Any], Any]] = {"DA": _date, "TM": _time, "DT": _moment, "PN": _name}

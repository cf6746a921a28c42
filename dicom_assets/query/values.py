"""Values of a result as text: for CSV, for JSON, and shortened for a terminal."""

import base64
from datetime import datetime
from decimal import Decimal
from typing import Any

import orjson
import pyarrow as pa
import pyarrow.compute as pc

from dicom_assets.query.visible import visible

_INT64 = 1 << 63
_ONE_LINE = str.maketrans("\t\r\n", "   ")


def json_default(value: Any) -> Any:
    """Return a value of a type that ``orjson`` does not serialize as one that it does."""
    if isinstance(value, bytes):
        return base64.b64encode(value).decode()
    if isinstance(value, Decimal) and value == value.to_integral_value() and abs(value) < _INT64:
        return int(value)
    if isinstance(value, Decimal):
        return float(value)
    if isinstance(value, pa.MonthDayNano):
        return f"P{value.months}M{value.days}DT{value.nanoseconds / 1e9:g}S"
    return str(value)


def csv_column(column: pa.Array) -> pa.Array:
    """Return a column in a type that CSV can hold: nested values as JSON, binary as Base64, times in ISO 8601."""
    type_ = column.type
    if isinstance(column, pa.ExtensionArray):
        return csv_column(column.storage)
    if pa.types.is_timestamp(type_):
        return pc.strftime(column, "%Y-%m-%dT%H:%M:%SZ" if type_.tz else "%Y-%m-%dT%H:%M:%S")
    if pa.types.is_string(type_) or pa.types.is_boolean(type_) or pa.types.is_date(type_):
        return column
    if pa.types.is_integer(type_) or pa.types.is_floating(type_):
        return column
    return pa.array([None if value is None else _text(value) for value in column.to_pylist()], pa.string())


def _text(value: Any) -> str:
    if isinstance(value, list | dict):
        return orjson.dumps(value, default=json_default, option=orjson.OPT_UTC_Z | orjson.OPT_NON_STR_KEYS).decode()
    return value if isinstance(value, str) else str(json_default(value))


def cell(value: Any, width: int) -> str:
    """Return a value in one line of at most ``width`` characters, with what does not print made visible."""
    match value:
        case None:
            return "NULL"
        case bytes():
            return f"<{len(value):,} bytes>"
        case datetime():
            text = value.isoformat(sep=" ", timespec="seconds").removesuffix("+00:00")
        case float():
            text = f"{value:.6g}"
        case list() | dict() | pa.MonthDayNano():
            text = _text(value)
        case _:
            text = str(value)
    text = visible(text[: width + 1].translate(_ONE_LINE))
    return text if len(text) <= width else text[: width - 1] + "…"

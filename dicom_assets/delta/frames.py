"""Data frames to Arrow and back without loss: what pandas alone would drop, widen or leave without a type.

Knows nothing of Dagster nor of where a table is.
"""

from collections.abc import Mapping
from typing import Any

import pandas as pd
import pyarrow as pa

from dicom_assets.errors import UserError

_UTC = pa.timestamp("us", tz="UTC")

_NULLABLE = {
    pa.int8(): pd.Int8Dtype(),
    pa.int16(): pd.Int16Dtype(),
    pa.int32(): pd.Int32Dtype(),
    pa.int64(): pd.Int64Dtype(),
    pa.bool_(): pd.BooleanDtype(),
}
"""Types that pandas would turn into floats and objects where a value is missing."""


class FrameError(UserError, ValueError):
    """A data frame holds what its table cannot."""


def to_pandas(rows: pa.Table) -> pd.DataFrame:
    """Return rows as a data frame.

    Integers and booleans are pandas' nullable types, times are in UTC, dates are ``datetime.date``, binary is
    ``bytes`` and lists are arrays.
    """
    frame: pd.DataFrame = rows.to_pandas(types_mapper=_NULLABLE.get, ignore_metadata=True)
    return frame


def from_pandas(
    frame: pd.DataFrame, stored: Mapping[str, pa.DataType], usual: Mapping[str, pa.DataType] | None = None
) -> pa.Table:
    """Return a data frame as rows of its table.

    An index with a name is a column; one without is left out. Times without a zone are taken as UTC. A column without
    any value gets the type that it has in its table, else its usual one; when neither is known, it is left out, and
    joins the table with its first value.

    Parameters
    ----------
    frame
        What an asset returned.
    stored
        Types of the columns that the table has; values are brought to them where that loses nothing.
    usual
        Types that columns of some names have in other tables, such as ``object_catalog``.

    Raises
    ------
    FrameError
        Values of a column are of several kinds, of a kind that Delta has not, or do not fit the stored type.

    """
    named = [name for name in frame.index.names if name is not None]
    if named:
        frame = frame.reset_index(named)
    frame = frame.rename(columns=str)
    columns = {name: _column(frame[name], stored.get(name), (usual or {}).get(name)) for name in _distinct(frame)}
    return pa.table({name: column for name, column in columns.items() if column is not None})


def _distinct(frame: pd.DataFrame) -> list[str]:
    names = list(frame.columns)
    if twice := sorted({name for name in names if names.count(name) > 1}):
        raise FrameError(f"several columns have the same name: {', '.join(twice)}")
    return names


def _column(values: "pd.Series[Any]", stored: pa.DataType | None, usual: pa.DataType | None) -> pa.ChunkedArray | None:
    """Return one column in the type to write, ``None`` when no type is known."""
    try:
        column = _storable(pa.chunked_array(pa.Array.from_pandas(values)))
        is_empty = column.null_count == len(column)
        if not len(column) and pa.types.is_floating(column.type):
            column = pa.chunked_array([pa.nulls(0)])  # what pandas makes of an empty list
        known = stored
        if known is None and _is_untyped(column.type):
            known = usual
        if known is None:
            return None if _is_untyped(column.type) else column
        if is_empty:
            return pa.chunked_array([pa.nulls(len(column), known)])
        if _kind(column.type) not in (_kind(known), "null"):
            raise FrameError(f"column {values.name}: the table holds {known}, the data frame {column.type}")
        return column.cast(known)
    except pa.ArrowException as error:
        raise FrameError(f"column {values.name}: {str(error).splitlines()[0]}") from error


def _storable(column: pa.ChunkedArray) -> pa.ChunkedArray:
    """Return a column in the nearest type that Delta has."""
    type_ = column.type
    if pa.types.is_dictionary(type_):
        return _storable(column.cast(type_.value_type))
    if pa.types.is_timestamp(type_):
        return column.cast(_UTC, safe=False)  # Delta counts microseconds
    if pa.types.is_large_string(type_) or pa.types.is_string_view(type_):
        return column.cast(pa.string())
    if pa.types.is_time(type_) or pa.types.is_duration(type_) or pa.types.is_interval(type_):
        raise FrameError(f"Delta has no type for {type_}: convert it to a number or a string")
    return column


def _is_untyped(type_: pa.DataType) -> bool:
    """Return whether a type was inferred from nothing but nulls and empty lists."""
    if pa.types.is_list(type_):
        return _is_untyped(type_.value_type)
    return bool(pa.types.is_null(type_))


def _kind(type_: pa.DataType) -> str:
    """Return what values may stand for each other as long as a cast loses nothing."""
    if _is_untyped(type_):
        return "null"
    if pa.types.is_integer(type_) or pa.types.is_floating(type_) or pa.types.is_decimal(type_):
        return "number"
    if pa.types.is_list(type_):
        return f"list of {_kind(type_.value_type)}"
    return "struct" if pa.types.is_struct(type_) else str(type_)

"""Small operations on Arrow columns."""

import pyarrow as pa
import pyarrow.compute as pc


def join_text(*columns: pa.ChunkedArray | str, separator: str = "") -> pa.Array:
    """Return text columns joined row by row, null where one of them is; constants are repeated.

    The columns are made contiguous first: pyarrow joins chunked arrays of unequal chunks to a result that is too short.

    Parameters
    ----------
    *columns
        Of one length; a string stands for a column of it.
    separator
        Between the parts.

    """
    parts = [pa.scalar(column) if isinstance(column, str) else _contiguous(column) for column in columns]
    return pc.binary_join_element_wise(*parts, separator)


def _contiguous(column: pa.ChunkedArray | pa.Array) -> pa.Array:
    return column.combine_chunks() if isinstance(column, pa.ChunkedArray) else column

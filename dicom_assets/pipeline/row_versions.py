"""Row versions: the text by which a comparison tells whether a row is the one that is due."""

import pyarrow as pa

from dicom_assets.pipeline.columns import join_text

ROW_VERSION = "_row_version"
"""Name of the column that tells versions of a row apart; null never equals anything."""

_SEPARATOR = " "


def with_row_version(rows: pa.Table, *columns: str) -> pa.Table:
    """Return rows with a version made of some text columns; null where one of them is."""
    return rows.append_column(ROW_VERSION, join_text(*(rows[name] for name in columns), separator=_SEPARATOR))


def without_row_version(rows: pa.Table) -> pa.Table:
    """Return rows with a version that equals none, so that all of them are due anew."""
    return rows.append_column(ROW_VERSION, pa.nulls(rows.num_rows, pa.string()))

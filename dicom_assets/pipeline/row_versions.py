"""Tokens: the text by which reconciliation tells whether a row is the one that is due."""

import pyarrow as pa

from dicom_assets.pipeline.columns import join_text
from dicom_assets.pipeline.reconcile import TOKEN

_SEPARATOR = " "


def with_token(rows: pa.Table, *columns: str) -> pa.Table:
    """Return rows with a token made of some text columns; null where one of them is."""
    return rows.append_column(TOKEN, join_text(*(rows[name] for name in columns), separator=_SEPARATOR))


def with_null_token(rows: pa.Table) -> pa.Table:
    """Return rows with a token that equals none, so that all of them are due anew."""
    return rows.append_column(TOKEN, pa.nulls(rows.num_rows, pa.string()))

"""Operations on Arrow columns."""

import pyarrow as pa

from dicom_assets.pipeline.columns import join_text

LEFT = pa.chunked_array([["a", None], ["c"]])
RIGHT = pa.chunked_array([["x"], ["y", "z"]])


def test_unequal_chunks_join_row_by_row():
    assert join_text(LEFT, RIGHT, separator=" ").to_pylist() == ["a x", None, "c z"]


def test_constants_are_repeated():
    assert join_text("n: ", LEFT).to_pylist() == ["n: a", None, "n: c"]

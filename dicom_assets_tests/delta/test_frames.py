import datetime as dt
from zoneinfo import ZoneInfo

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from dicom_assets.delta.frames import FrameError, from_pandas, to_pandas
from dicom_assets.extract.model import OBJECT_CATALOG

UTC = pa.timestamp("us", tz="UTC")

CATALOG_TYPES = {field.name: field.type for field in OBJECT_CATALOG.schema}


@pytest.mark.parametrize(
    ("values", "type_"),
    [
        (pa.array([1, None], pa.int32()), pa.int32()),
        (pa.array([2**53 + 1, None]), pa.int64()),
        (pa.array([True, None]), pa.bool_()),
        (pa.array([0.5, None]), pa.float64()),
        (pa.array(["a", None]), pa.string()),
        (pa.array([b"\xff\x00", None]), pa.binary()),
        (pa.array([dt.date(1890, 1, 1), None]), pa.date32()),
        (pa.array([dt.datetime(2024, 1, 31, 12, 0, 0, 1, tzinfo=dt.UTC), None], UTC), UTC),
        (pa.array([[0.5], [], None]), pa.list_(pa.float64())),
        (pa.array([["a", None], []]), pa.list_(pa.string())),
        (pa.array([[{"vr": "DA", "raw": None}], []]), pa.list_(pa.struct([("vr", pa.string()), ("raw", pa.null())]))),
    ],
)
def test_values_and_types_survive_the_round_trip(values, type_):
    back = from_pandas(to_pandas(pa.table({"a": values})), {"a": values.type})
    assert back.column("a").type == values.type
    assert back.column("a").to_pylist() == values.to_pylist()


def test_the_index_is_a_column_when_it_has_a_name():
    counts = pd.DataFrame({"m": ["CT", "CT"]}).groupby("m").size().to_frame("files")
    assert from_pandas(counts, {}).to_pylist() == [{"m": "CT", "files": 2}]
    filtered = pd.DataFrame({"a": [1, 2]}).query("a > 1")
    assert from_pandas(filtered, {}).to_pylist() == [{"a": 2}]


def test_times_are_in_utc_and_without_a_zone_taken_as_such():
    berlin = dt.datetime(2024, 1, 31, 12, tzinfo=ZoneInfo("Europe/Berlin"))
    frame = pd.DataFrame({"naive": [pd.Timestamp("2024-01-31 12:00:00.000001")], "berlin": [berlin]})
    rows = from_pandas(frame, {})
    assert rows.schema.types == [UTC, UTC]
    assert rows.to_pylist() == [
        {
            "naive": dt.datetime(2024, 1, 31, 12, 0, 0, 1, tzinfo=dt.UTC),
            "berlin": dt.datetime(2024, 1, 31, 11, tzinfo=dt.UTC),
        }
    ]


def test_a_column_without_values_has_the_type_of_its_table_or_of_the_catalog_or_is_left_out():
    frame = pd.DataFrame({"StudyDate": [None], "PixelSpacing": [[]], "score": [None], "unknown": [None]}, dtype=object)
    rows = from_pandas(frame, {"score": pa.float64()}, CATALOG_TYPES)
    assert dict(zip(rows.column_names, rows.schema.types, strict=True)) == {
        "StudyDate": pa.date32(),
        "PixelSpacing": pa.list_(pa.float64()),
        "score": pa.float64(),
    }


def test_missing_values_of_any_kind_fit_a_column():
    frame = pd.DataFrame({"day": [np.nan], "words": [pd.NaT], "numbers": pd.array([pd.NA], "string")})
    rows = from_pandas(frame, {"day": pa.date32(), "words": pa.string(), "numbers": pa.int32()})
    assert rows.schema.types == [pa.date32(), pa.string(), pa.int32()]
    assert rows.to_pylist() == [{"day": None, "words": None, "numbers": None}]


def test_a_frame_without_rows_does_not_settle_the_types_of_its_columns():
    frame = pd.DataFrame({"path": [], "score": [], "n": pd.array([], "Int32")})
    assert from_pandas(frame, {}, CATALOG_TYPES).schema == pa.schema([("path", pa.string()), ("n", pa.int32())])


def test_a_column_of_the_users_own_may_have_the_name_of_one_of_the_catalog():
    assert from_pandas(pd.DataFrame({"status": [1]}), {}, CATALOG_TYPES).schema.types == [pa.int64()]


def test_categories_are_their_values():
    assert from_pandas(pd.DataFrame({"a": pd.Categorical(["x", "y"])}), {}).schema.types == [pa.string()]


def test_missing_whole_numbers_fit_a_column_of_whole_numbers():
    assert from_pandas(pd.DataFrame({"a": [1.0, np.nan]}), {"a": pa.int64()}).to_pylist() == [{"a": 1}, {"a": None}]


@pytest.mark.parametrize(
    ("frame", "stored", "message"),
    [
        ({"a": ["1"]}, {"a": pa.int64()}, "column a: the table holds int64, the data frame string"),
        ({"a": [2**40]}, {"a": pa.int32()}, "column a: .*not in range"),
        ({"a": [1, "x"]}, {}, "column a"),
        ({"a": [dt.timedelta(1)]}, {}, "Delta has no type for duration"),
        ({"a": [["x"]]}, {"a": pa.list_(pa.float64())}, "column a: the table holds list"),
    ],
)
def test_what_does_not_fit_is_refused(frame, stored, message):
    with pytest.raises(FrameError, match=message):
        from_pandas(pd.DataFrame(frame), stored)


def test_columns_of_one_name_are_refused():
    with pytest.raises(FrameError, match="same name: a"):
        from_pandas(pd.DataFrame([[1, 2]], columns=["a", "a"]), {})

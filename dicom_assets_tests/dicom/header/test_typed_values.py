"""Typed columns: what becomes of a JSON value."""

import datetime as dt

import pytest

from dicom_assets.dicom.header.typed_values import to_date, to_datetime_text, to_float, to_int, to_name, to_time_text


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("20240229", dt.date(2024, 2, 29)),
        ("2024.02.29", dt.date(2024, 2, 29)),
        ("20230229", None),
        ("20240101-20240131", None),
        ("2024-02-29", None),
        ("202402", None),
        ("", None),
        (None, None),
        (20240229, None),
    ],
)
def test_date(value, expected):
    assert to_date(value) == expected


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("07", "07:00:00"),
        ("0709", "07:09:00"),
        ("070907", "07:09:07"),
        ("070907.5", "07:09:07.5"),
        ("235960", "23:59:60"),
        ("07:09:07.123456", "07:09:07.123456"),
        ("07:09", "07:09:00"),
        ("240000", None),
        ("0760", None),
        ("070907.", None),
        ("0700-0800", None),
        (None, None),
    ],
)
def test_time(value, expected):
    assert to_time_text(value) == expected


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("2024", "2024"),
        ("202402", "2024-02"),
        ("20240229", "2024-02-29"),
        ("2024022913", "2024-02-29T13:00"),
        ("202402291301", "2024-02-29T13:01"),
        ("20240229130107.25+0130", "2024-02-29T13:01:07.25+01:30"),
        ("20240229130107-0500", "2024-02-29T13:01:07-05:00"),
        ("20240229+0100", "2024-02-29"),
        ("20230229130107", None),
        ("20241329", None),
        ("20240229130107+1500", None),
        ("yesterday", None),
        (None, None),
    ],
)
def test_datetime(value, expected):
    assert to_datetime_text(value) == expected


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (1.5, 1.5),
        (2, 2.0),
        ("0.12345678901234567", float("0.12345678901234567")),
        (" 2.5 ", 2.5),
        ("\x1c7.5", 7.5),
        ("abc", None),
        ("1_0", None),
        ("NaN", None),
        ("1e400", None),
    ],
)
def test_float(value, expected):
    assert to_float(value) == expected


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (7, 7),
        ("9007199254740993", 9007199254740993),
        (7.0, 7),
        (7.5, None),
        ("7.5", None),
        ("seven", None),
        ("1_0", None),
        (None, None),
    ],
)
def test_int(value, expected):
    assert to_int(value) == expected


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ({"Alphabetic": "Doe^Jane"}, "Doe^Jane"),
        ({"Alphabetic": "Doe^Jane", "Phonetic": "do"}, "Doe^Jane==do"),
        ({"Ideographic": "x"}, "=x"),
        ({}, None),
        ("Doe^Jane", None),
        (None, None),
    ],
)
def test_name(value, expected):
    assert to_name(value) == expected

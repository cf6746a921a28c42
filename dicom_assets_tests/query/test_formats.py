import base64
import csv
import datetime as dt
import io
import json
import re
from pathlib import Path

import pandas as pd
import pyarrow.parquet as pq
import pytest

from dicom_assets.query import Catalog, Format, OutputError, QueryError, terminal, write
from dicom_assets.query.formats import choose_format
from dicom_assets.query.terminal import CELL, SHOWN_ROWS, write_table
from dicom_assets.query.values import cell

EVERY_KIND = """
SELECT 1::BIGINT AS number, sum(2) AS huge, 1.5::DECIMAL(9, 2) AS exact, 'NaN'::DOUBLE AS nan, NULL AS missing,
       'a "b"' || chr(10) || 'ü' AS words, '' AS blank, TRUE AS flag, 'xy'::BLOB AS bytes,
       DATE '2024-01-31' AS day, TIMESTAMPTZ '2024-01-31 12:00:00.5+02' AS moment, [0.5, NULL] AS list,
       [{'at': DATE '2024-01-31', 'raw': 'xy'::BLOB}] AS issues, INTERVAL 36 HOUR AS span
"""


@pytest.fixture
def catalog(lake):
    return Catalog(lake)


def test_csv_holds_every_kind_of_value(catalog, tmp_path):
    file = tmp_path / "out.csv"
    assert write(catalog.sql(EVERY_KIND), Format.CSV, file) == 1
    (row,) = csv.DictReader(file.read_text(encoding="utf-8").splitlines(keepends=True))
    assert row == {
        "number": "1",
        "huge": "2",
        "exact": "1.5",
        "nan": "nan",
        "missing": "",
        "words": 'a "b"\nü',
        "blank": "",
        "flag": "true",
        "bytes": base64.b64encode(b"xy").decode(),
        "day": "2024-01-31",
        "moment": "2024-01-31T10:00:00.500000Z",
        "list": "[0.5,null]",
        "issues": '[{"at":"2024-01-31","raw":"eHk="}]',
        "span": "P0M0DT129600S",
    }


def test_json_is_one_array_with_a_row_on_each_line(catalog, tmp_path):
    file = tmp_path / "out.json"
    write(catalog.sql(f"{EVERY_KIND} UNION ALL {EVERY_KIND}"), Format.JSON, file)
    text = file.read_text(encoding="utf-8")
    assert len(text.splitlines()) == 4
    row, same = json.loads(text)
    assert (
        row
        == same
        == {
            "number": 1,
            "huge": 2,
            "exact": 1.5,
            "nan": None,
            "missing": None,
            "words": 'a "b"\nü',
            "blank": "",
            "flag": True,
            "bytes": "eHk=",
            "day": "2024-01-31",
            "moment": "2024-01-31T10:00:00.500000Z",
            "list": [0.5, None],
            "issues": [{"at": "2024-01-31", "raw": "eHk="}],
            "span": "P0M0DT129600S",
        }
    )


def test_parquet_keeps_every_type_of_the_catalog(catalog, tmp_path):
    file = tmp_path / "out.parquet"
    result = catalog.sql("FROM object_catalog ORDER BY path")
    assert write(result, Format.PARQUET, file) == 4
    assert pq.read_table(file).drop(["SliceThickness"]).equals(result.to_arrow_table().drop(["SliceThickness"]))


@pytest.mark.parametrize("form", Format)
def test_no_rows_make_a_complete_file_too(catalog, tmp_path, form):
    file = tmp_path / "out"
    assert (
        write(catalog.sql("SELECT path, PixelSpacing FROM file_index JOIN object_catalog USING (path)"), form, file)
        == 0
    )
    read = {
        Format.CSV: lambda: file.read_text() == '"path","PixelSpacing"\n',
        Format.JSON: lambda: json.loads(file.read_text()) == [],
        Format.PARQUET: lambda: pq.read_table(file).column_names == ["path", "PixelSpacing"],
        Format.TABLE: lambda: "path" in file.read_text() and "(0 rows)" in file.read_text(),
    }
    assert read[form]()


@pytest.mark.parametrize("form", Format)
def test_columns_of_one_name_are_told_apart(catalog, tmp_path, form):
    file = tmp_path / "out"
    write(catalog.sql("SELECT 1 AS a, 2 AS A, 3 AS a_1, 4 AS a"), form, file)
    text = file.read_bytes()
    assert all(name in text for name in (b"a", b"A_1", b"a_1_1", b"a_2"))
    if form is Format.JSON:
        assert json.loads(text) == [{"a": 1, "A_1": 2, "a_1_1": 3, "a_2": 4}]


@pytest.mark.parametrize("form", [Format.CSV, Format.JSON, Format.PARQUET])
def test_results_of_many_batches_are_complete(catalog, tmp_path, form):
    file = tmp_path / "out"
    assert write(catalog.sql("SELECT range AS n FROM range(10000)"), form, file) == 10_000
    readers = {Format.CSV: pd.read_csv, Format.JSON: pd.read_json, Format.PARQUET: pd.read_parquet}
    assert readers[form](file)["n"].tolist() == list(range(10_000))


def test_a_table_in_a_file_or_a_pipe_has_values_whole_and_says_what_binary_is(catalog, tmp_path):
    file = tmp_path / "out"
    long = "SELECT repeat('x', {}) || 'end' AS long, thumbnail FROM object_catalog LIMIT 1"
    for length in (500, 50_000):
        write(catalog.sql(long.format(length)), Format.TABLE, file)
        text = file.read_text()
        assert f"{'x' * length}end" in text
        assert "bytes>" in text


def test_a_table_for_people_cuts_long_values(catalog):
    sink = io.BytesIO()
    write_table(catalog.sql("SELECT repeat('x', 500) AS long").to_arrow_reader(), sink, CELL)
    assert f"{'x' * (CELL - 1)}…\n" in sink.getvalue().decode()


@pytest.mark.parametrize(
    ("rows", "last"),
    [
        (0, "(0 rows)"),
        (1, "(1 row)"),
        (100, "(100 rows)"),
        (101, "(100 of 101 rows; csv, json and parquet hold all)"),
        (270, "(100 of 270 rows; csv, json and parquet hold all)"),
        (100_000, "(100 of 100,000 rows; csv, json and parquet hold all)"),
    ],
)
def test_the_table_ends_with_the_number_of_rows_shown_and_of_all(catalog, capfdbinary, rows, last):
    assert write(catalog.sql(f"SELECT * FROM range({rows})"), Format.TABLE) == min(rows, SHOWN_ROWS)
    lines = capfdbinary.readouterr().out.decode().splitlines()
    assert lines[-1] == last
    assert len(lines) == min(rows, SHOWN_ROWS) + 3


def test_rows_are_not_counted_for_ever(catalog, monkeypatch, capfdbinary):
    monkeypatch.setattr(terminal, "COUNTING_SECONDS", 0.0)
    assert write(catalog.sql("SELECT * FROM range(10000000000)"), Format.TABLE) == SHOWN_ROWS
    assert re.search(rb"\(100 of more than [1-9][\d,]+ rows; .*\)\n$", capfdbinary.readouterr().out)


@pytest.fixture
def screen(monkeypatch, capfdbinary):
    """Show a result on a terminal of some width, and return what it shows."""

    def show(result, width):
        monkeypatch.setattr("sys.stdout.isatty", lambda: True)
        monkeypatch.setenv("COLUMNS", str(width))
        write(result, Format.TABLE)
        return re.sub(r"\x1b\[\d*m", "", capfdbinary.readouterr().out.decode())

    return show


def test_columns_that_do_not_fit_become_a_line_each(catalog, screen):
    out = screen(catalog.sql("FROM object_catalog ORDER BY path LIMIT 2"), 80)
    assert "row 2" in out
    assert any("TransferSyntaxUID" in line and "1.2.840" in line for line in out.splitlines())


@pytest.mark.parametrize("width", [1, 10, 40, 79, 80, 81, 100, 200])
def test_no_column_and_no_uid_is_lost_on_a_terminal_of_any_width(catalog, screen, width):
    uid = f"1.2.840.{'9' * 56}"
    names = [f"column_{number}" for number in range(3)]
    columns = ", ".join(f"'{uid}' AS {name}" for name in names)
    out = screen(catalog.sql(f"SELECT {columns}, '山' AS last"), width)
    assert out.count(uid) == len(names)
    assert all(name in out for name in [*names, "last", "山"])
    assert ("row 1" in out) == (width < 3 * (len(uid) + 2) + 4)


def test_a_value_that_is_null_is_not_an_empty_text(catalog, screen):
    lines = screen(catalog.sql("SELECT NULL AS nothing, '' AS empty"), 80).splitlines()
    assert "NULL" in lines[2]
    assert screen(catalog.sql("SELECT NULL AS nothing, '' AS empty"), 10).splitlines()[:3] == [
        "row 1",
        "nothing = NULL",
        "  empty =",
    ]


@pytest.mark.parametrize(
    ("form", "file", "chosen"),
    [
        (None, None, Format.TABLE),
        (Format.PARQUET, None, Format.PARQUET),
        (None, "cohort.csv", Format.CSV),
        (None, "COHORT.JSON", Format.JSON),
        (None, "a.csv.parquet", Format.PARQUET),
        (Format.CSV, "cohort.csv", Format.CSV),
        (Format.CSV, "cohort.txt", Format.CSV),
        (Format.TABLE, "report", Format.TABLE),
    ],
)
def test_the_format_is_that_of_the_suffix_unless_it_says_nothing(form, file, chosen):
    assert choose_format(form, None if file is None else Path(file)) is chosen


@pytest.mark.parametrize(
    ("form", "file", "message"),
    [
        (None, "cohort", r"cohort is in no known format: let it end in \.csv, \.json, \.parquet, or give --format"),
        (None, "cohort.xlsx", r"cohort\.xlsx is in no known format"),
        (None, "cohort.csv.gz", r"in no known format"),
        (None, "report.table", r"in no known format"),
        (None, ".csv", r"in no known format"),
        (Format.JSON, "cohort.csv", r"cohort\.csv is the name of a csv file, and --format asks for json"),
        (Format.TABLE, "cohort.parquet", r"is the name of a parquet file, and --format asks for table"),
    ],
)
def test_a_file_that_does_not_fit_its_format_is_refused(form, file, message):
    with pytest.raises(OutputError, match=message):
        choose_format(form, Path(file))


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, "NULL"),
        (b"123", "<3 bytes>"),
        ("a\nb\x1b[31m", "a b\\u001b[31m"),
        (0.1 + 0.2, "0.3"),
        (dt.datetime(2024, 1, 31, 12, tzinfo=dt.UTC), "2024-01-31 12:00:00"),
        ([1, None, "x"], '[1,null,"x"]'),
        ("abcdefghijklm", "abcdefghi…"),
        (True, "True"),
    ],
)
def test_cells_are_one_short_line(value, text):
    assert cell(value, max(10, len(text))) == text


@pytest.mark.parametrize("form", Format)
def test_a_query_that_fails_on_a_value_is_told_and_leaves_no_file(catalog, tmp_path, form):
    file = tmp_path / "out"
    with pytest.raises(QueryError, match=r"Could not convert string '(CT|US)'") as caught:
        write(catalog.sql("SELECT Modality::INT FROM object_catalog"), form, file)
    assert "\n" not in str(caught.value)
    assert list(tmp_path.iterdir()) == []


def test_an_older_result_stays_when_the_new_one_fails(catalog, tmp_path):
    file = tmp_path / "out.csv"
    write(catalog.sql("SELECT 1 AS a"), Format.CSV, file)
    with pytest.raises(QueryError):
        write(catalog.sql("SELECT Modality::INT FROM object_catalog"), Format.CSV, file)
    assert file.read_text() == '"a"\n1\n'


def test_a_file_that_cannot_be_written_is_told(catalog, tmp_path):
    with pytest.raises(OutputError, match=r"none/out\.csv cannot be written: No such file"):
        write(catalog.sql("SELECT 1"), Format.CSV, tmp_path / "none" / "out.csv")
    (tmp_path / "folder").mkdir()
    with pytest.raises(OutputError, match="folder cannot be written"):
        write(catalog.sql("SELECT 1"), Format.CSV, tmp_path / "folder")
    assert [path.name for path in tmp_path.iterdir()] == ["folder"]


def test_parquet_does_not_go_to_a_terminal(catalog, monkeypatch):
    monkeypatch.setattr("sys.stdout.isatty", lambda: True)
    with pytest.raises(OutputError, match="-o"):
        write(catalog.sql("SELECT 1"), Format.PARQUET)

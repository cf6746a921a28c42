"""``dicom-assets sql``: closed by default, opened by the options that say so."""

from pathlib import Path

import pandas as pd
import pytest
from typer.testing import CliRunner

from dicom_assets.cli.main import app
from dicom_assets.delta.lake import Lake
from dicom_assets.tables import FILE_INDEX


@pytest.fixture
def sql(tmp_path):
    Lake(str(tmp_path / "lake")).ensure([FILE_INDEX])

    def call(query, *options):
        return CliRunner().invoke(app, ["sql", query, "--lake", str(tmp_path / "lake"), "--format", "csv", *options])

    return call


def test_files_are_read_where_they_are_allowed_and_written_only_where_all_is(sql, tmp_path):
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "ids.csv").write_text("id\n7\n")
    read = f"SELECT count(*) AS n FROM read_csv(['{tmp_path}/one/ids.csv', '{tmp_path}/two/ids.csv'])"
    write = f"COPY (SELECT 7 AS id) TO '{tmp_path}/one/copy.csv'"
    allowed = ("--allow-files", str(tmp_path / "one"), "--allow-files", str(tmp_path / "two"))

    for query, options in ((read, ()), (read, allowed[:2]), (write, ()), (write, allowed)):
        refused = sql(query, *options)
        assert (refused.exit_code, refused.output.count("\n")) == (2, 1), refused.output
        assert "--unsafe" in refused.output
        assert not (tmp_path / "one" / "copy.csv").exists()
    assert sql(read, *allowed).output == '"n"\n2\n'
    assert sql(read, "--unsafe").output == '"n"\n2\n'
    assert sql(write, "--unsafe").exit_code == 0
    assert (tmp_path / "one" / "copy.csv").read_text() == "id\n7\n"


def test_the_output_is_written_by_us(sql, tmp_path):
    assert sql("SELECT 7 AS id", "-o", str(tmp_path / "out.csv")).exit_code == 0
    assert (tmp_path / "out.csv").read_text() == '"id"\n7\n'


def test_a_folder_that_is_not_there_is_one_line(sql, tmp_path):
    refused = sql("FROM file_index", "--allow-files", str(tmp_path / "none"))
    assert (refused.exit_code, refused.output.count("\n")) == (2, 1)
    assert "does not exist" in refused.output


@pytest.fixture
def numbers(tmp_path):
    Lake(str(tmp_path / "lake")).ensure([FILE_INDEX])

    def call(*options):
        query = "SELECT range AS n, NULL AS nothing FROM range(270)"
        return CliRunner().invoke(app, ["sql", query, "--lake", str(tmp_path / "lake"), *options])

    return call


@pytest.mark.parametrize("name", ["cohort.csv", "cohort.json", "cohort.parquet", "COHORT.CSV"])
def test_a_file_is_written_in_the_format_of_its_name_and_complete(numbers, tmp_path, name):
    assert numbers("-o", str(tmp_path / name)).exit_code == 0
    readers = {".csv": pd.read_csv, ".json": pd.read_json, ".parquet": pd.read_parquet}
    assert readers[Path(name).suffix.lower()](tmp_path / name)["n"].tolist() == list(range(270))


@pytest.mark.parametrize(
    ("name", "options"), [("cohort", ()), ("cohort.xlsx", ()), ("cohort.csv", ("--format", "parquet"))]
)
def test_a_file_that_does_not_fit_is_one_line_and_nothing_is_written(numbers, tmp_path, name, options):
    refused = numbers("-o", str(tmp_path / name), *options)
    assert (refused.exit_code, refused.output.count("\n")) == (2, 1), refused.output
    assert "format" in refused.output
    assert not (tmp_path / name).exists()


def test_a_table_says_how_many_rows_it_leaves_out(numbers):
    lines = numbers().output.splitlines()
    assert lines[-1] == "(100 of 270 rows; csv, json and parquet hold all)"
    assert lines[2].split() == ["0", "NULL"]

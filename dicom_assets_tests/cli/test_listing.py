"""``series``, ``studies``, ``issues``, ``export``, ``changes`` and ``sql -f``: rows without a word of SQL."""

import json
import os
import sys
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pytest
from deltalake import write_deltalake
from typer.testing import CliRunner

from dicom_assets.cli.main import app
from dicom_assets.pipeline.update import update_catalog
from dicom_assets.spark.work import InProcess
from dicom_assets_tests.support.terminal import Terminal
from dicom_assets_tests.support.whole import put

PROJECT = Path(__file__).parents[2]
LONG = "a description of a series that is longer than a terminal has room for, whatever it says"


@pytest.fixture
def grouped(made, tmp_path):
    """A lake with groups of files that tests know."""
    lake = made.copied(tmp_path).lake
    day = pd.Timestamp("2024-01-31").date()
    common = {"PatientID": ["P1", "P2"], "StudyDate": [day, None], "StudyInstanceUID": ["1.1", "1.2"]}
    series = {
        **common,
        "SeriesInstanceUID": ["1.1.1", "1.2.1"],
        "Modality": ["CT", "MR"],
        "SeriesNumber": pa.array([1, 2], pa.int32()),
        "SeriesDescription": ["chest", LONG],
        "instances": [100, 7],
        "slices": pa.array([100, None], pa.int32()),
        "slice_spacing": [1.25, None],
        "is_volume": [True, False],
    }
    studies = {
        **common,
        "StudyDescription": ["chest", None],
        "modalities": [["CT"], ["MR", "SR"]],
        "series": [1, 2],
        "instances": [100, 9],
        "bytes": [52_000_000, 900],
    }
    write_deltalake(str(lake / "dicom" / "all_series"), pa.table(series))
    write_deltalake(str(lake / "dicom" / "all_studies"), pa.table(studies))
    return lake


def test_series_are_listed_and_chosen(call, grouped, tmp_path):
    rows = json.loads(call("series", "--json", lake=grouped))
    assert [row["SeriesInstanceUID"] for row in rows] == ["1.1.1", "1.2.1"]
    (row,) = json.loads(call("series", "--where", "is_volume -- sound", "--json", lake=grouped))
    assert row["slices"] == 100
    told = call("series", "--columns", "SeriesInstanceUID, Modality", "--limit", "1", lake=grouped)
    assert told.splitlines()[2].split() == ["1.1.1", "CT"]
    call("series", "-o", tmp_path / "series.parquet", lake=grouped)
    assert len(pd.read_parquet(tmp_path / "series.parquet")) == 2
    assert [line.split()[-1] for line in call("series", lake=grouped).splitlines()[2:4]] == ["1.25", "no"]


def test_studies_are_listed(call, grouped):
    rows = json.loads(call("studies", "--json", lake=grouped))
    assert [row["modalities"] for row in rows] == [["CT"], ["MR", "SR"]]
    assert "2024-01-31" in call("studies", "--where", "list_contains(modalities, 'CT')", lake=grouped)


def test_a_condition_that_is_none_is_one_line(call, grouped):
    for command in ("series", "studies", "issues"):
        told = call(command, "--where", "nothing_there > 1", code=2, lake=grouped)
        assert told.startswith("Error: ")
        assert told.count("\n") == 1


def test_issues_by_kind_and_one_by_one(call):
    kinds = json.loads(call("issues", "--json"))
    every = json.loads(call("issues", "--list", "--json"))
    assert sum(kind["values"] for kind in kinds) == len(every) > 0
    assert {kind["code"] for kind in kinds} == {row["code"] for row in every}
    code = kinds[0]["code"]
    some = json.loads(call("issues", "--where", f"code = '{code}'", "--json"))
    assert {kind["code"] for kind in some} == {code}
    assert len(json.loads(call("issues", "--list", "--limit", "1", "--json"))) == 1


def test_rows_are_exported(call, tmp_path):
    file = tmp_path / "ct.csv"
    told = call("export", file, "--where", "Modality = 'CT'", "--columns", "path, PatientID")
    assert told == f"1 row: {file}\n"
    assert list(pd.read_csv(file).columns) == ["path", "PatientID"]
    told = json.loads(call("export", tmp_path / "all.parquet", "--table", "file_index", "--json"))
    assert told == {"rows": 6, "file": str(tmp_path / "all.parquet")}
    assert len(pd.read_parquet(tmp_path / "all.parquet")) == 6
    for bad in (("x.xlsx",), ("x.csv", "--table", "none"), ("x.csv", "--where", "'")):
        refused = call("export", tmp_path / bad[0], *bad[1:], code=2)
        assert refused.count("\n") == 1
        assert not (tmp_path / bad[0]).exists()


def test_a_page_tells_programs_what_is_on_it(call, tmp_path):
    told = json.loads(call("gallery", tmp_path / "page.html", "--limit", "2", "--json"))
    assert told == {"shown": 2, "files": 6, "page": str(tmp_path / "page.html")}


def test_catalog_tells_programs_what_it_did(call, made, tmp_path, monkeypatch):
    monkeypatch.setenv("DAGSTER_HOME", "")
    monkeypatch.setenv("DICOM_ASSETS_SOURCE", str(made.source))
    lake = made.copied(tmp_path).lake
    told = CliRunner().invoke(app, ["catalog", "--json"], env={"DICOM_ASSETS_LAKE": str(lake)})
    assert told.exit_code == 0, told.output
    done = json.loads(told.stdout)
    assert (done["cataloged"], done["removed"], done["files"]) == (0, 0, 6)
    assert done["header_status"]["ok"] > 0


def test_changes_of_a_real_archive(call, tmp_path):
    source, lake = tmp_path / "archive", tmp_path / "lake"
    for number in range(3):
        put(source / "a" / f"{number}.dcm", number)
    update_catalog(str(source), str(lake), engine=InProcess())
    tables = json.loads(call("status", "--json", lake=lake))["tables"]
    (version,) = (table["version"] for table in tables if table["name"] == "object_catalog")
    assert json.loads(call("changes", "--since", version, "--json", lake=lake).partition("\n")[2]) == []
    put(source / "a" / "0.dcm", 10)
    (source / "a" / "1.dcm").unlink()
    put(source / "b" / "3.dcm", 3)
    update_catalog(str(source), str(lake), engine=InProcess())
    told = call("changes", "--since", version, "--json", lake=lake)
    rows = {row["relative_path"]: row for row in json.loads(told.partition("\n")[2])}
    assert {path: row["change"] for path, row in rows.items()} == {
        "a/0.dcm": "changed",
        "a/1.dcm": "removed",
        "b/3.dcm": "added",
    }
    assert rows["a/1.dcm"]["SOPInstanceUID"] == "1.2.3.1"
    assert rows["b/3.dcm"]["SOPClassUID"] == "1.2.840.10008.5.1.4.1.1.7"
    assert f"from version {version} to version" in told
    lines = [line.split() for line in call("changes", "--since", version, lake=lake).splitlines()]
    assert ["added", "Secondary", "Capture", "Image", "b/3.dcm"] in lines
    refused = call("changes", "--since", "2001-01-01T00:00", "--until", "2001-01-02", code=2, lake=lake)
    assert refused.count("\n") == 1


def test_queries_from_a_file(call, tmp_path):
    script = tmp_path / "queries.sql"
    script.write_text("-- two\nSELECT 1 AS a;\nSELECT ';' AS b\n")
    assert call("sql", "-f", script, "--format", "csv") == '"a"\n1\n"b"\n";"\n'
    assert call("sql", "-f", "-", "--format", "csv", input="SELECT 1 AS a;") == '"a"\n1\n'
    assert json.loads(call("sql", "SELECT 1 AS a", "--json")) == [{"a": 1}]
    for arguments, content, message in (
        (("-f", script, "-o", tmp_path / "x.csv"), "SELECT 1; SELECT 2;", "2 queries"),
        (("-f", script), "-- none", "holds no query"),
        (("-f", tmp_path / "none"), "", "No such file"),
        (("SELECT 1", "-f", script), "SELECT 1", "either"),
        ((), "", "either"),
        (("SELECT 1", "--json", "--format", "csv"), "", "different formats"),
    ):
        script.write_text(content)
        told = call("sql", *arguments, code=2)
        assert message in told
        assert told.count("\n") == 1
    script.write_text("SELECT 1 AS a; SELECT x; SELECT 2;")
    told = call("sql", "-f", script, "--format", "csv", code=1)
    assert "Error in query 2 of 3" in told
    script.write_bytes(b"\xff\xfe")
    assert "no text in UTF-8" in call("sql", "-f", script, code=2)


@pytest.mark.parametrize("command", [("series",), ("studies",), ("issues",), ("status",)])
def test_an_overview_fits_on_a_terminal(grouped, command):
    environment = os.environ | {"TERM": "xterm", "DICOM_ASSETS_LAKE": str(grouped), "PYTHONPATH": str(PROJECT)}
    environment.pop("COLUMNS", None)
    program = [sys.executable, "-W", "ignore", "-c", "from dicom_assets.cli import main; main()"]
    with Terminal([*program, *command], environment) as terminal:
        assert terminal.wait() == 0
    lines = terminal.seen.splitlines()
    assert not any(line.startswith("row 1") for line in lines), "one line a column: it did not fit"
    assert max(len(line) for line in lines if not line.startswith(("Tables: ", "Source: ", "20"))) <= 80

"""``dicom-assets status``: what is in the lake, and how far it lags behind."""

import json
import shutil

import pyarrow as pa
import pytest
from deltalake import write_deltalake

from dicom_assets.extract.model import DEFAULT_MODEL
from dicom_assets.pipeline.update import update_catalog
from dicom_assets.spark.work import InProcess
from dicom_assets_tests.support.corpus import PYDICOM_FILES
from dicom_assets_tests.support.whole import TABLES_OF_FILES

NAMES = [table.name for table in DEFAULT_MODEL.tables]


def test_tables_runs_and_problems(call, made):
    told = json.loads(call("status", "--json"))
    tables = {table["name"]: table for table in told["tables"]}
    assert list(tables) == NAMES
    assert told["source"] == str(made.source)
    rows = dict.fromkeys(TABLES_OF_FILES, 6) | {"series": 4, "studies": 4}
    assert {name: table["rows"] for name, table in tables.items()} == rows
    for table in tables.values():
        assert 0 < table["bytes"] < table["stored_bytes"]
        assert table["of_catalog"]
    assert tables["object_catalog"]["statuses"]["not_dicom"] == 1
    assert sum(tables["dicom_headers"]["statuses"].values()) == 6
    (run,) = told["runs"]
    assert run["rows_made"] == rows
    assert {problem["status"] for problem in told["problems"]} >= {"damaged"}
    assert told["lag"] is None


def test_it_fits_on_a_terminal(call):
    told = call("status")
    assert told.splitlines()[0].startswith("Tables: ")
    assert "Rows by status" in told
    assert "Last runs" in told
    assert any(line.split()[:2] == ["object_catalog", "ok"] for line in told.splitlines())


def test_series_and_studies_over_several_prefixes_are_counted_once(call, made, tmp_path):
    source, lake = tmp_path / "archive", tmp_path / "lake"
    shutil.copytree(made.source, source)
    shutil.copy(source / "ct" / "CT_small.dcm", source / "mr")
    update_catalog(str(source), str(lake), engine=InProcess())
    told = json.loads(call("status", "--json", lake=lake))
    tables = {table["name"]: (table["rows"], table["entities"]) for table in told["tables"]}
    assert tables["series"] == tables["studies"] == (5, 4)
    assert tables["object_catalog"] == (7, None)
    assert "series: 4 in 5 rows, one for each prefix that has files of it" in call("status", lake=lake)
    assert "one for each prefix" not in call("status")


def test_the_lag_behind_the_archive(call, made, tmp_path):
    source, lake = tmp_path / "archive", tmp_path / "lake"
    shutil.copytree(made.source, source)
    update_catalog(str(source), str(lake), engine=InProcess())
    assert "Nothing: all 3 prefixes" in call("status", "--source", source, lake=lake)
    shutil.copy(PYDICOM_FILES / "CT_small.dcm", source / "ct" / "new.dcm")
    (source / "mr" / "MR_small.dcm").write_bytes(b"other")
    (source / "rt" / "README.txt").unlink()
    lag = json.loads(call("status", "--source", source, "--json", lake=lake))["lag"]
    assert (lag["prefixes"], lag["new"], lag["changed"], lag["gone"]) == (3, 1, 1, 1)
    assert {one["prefix"] for one in lag["behind"]} == {"ct", "mr", "rt"}
    told = call("status", "--source", source, lake=lake)
    assert "3 of 3 prefixes, with files 1 new, 1 changed, 1 gone" in told


def test_another_source_and_a_lost_one_are_one_line(call, made, tmp_path):
    (tmp_path / "other").mkdir()
    assert "belongs to the source" in call("status", "--source", tmp_path / "other", code=2)
    copied = made.copied(tmp_path)
    told = call("status", "--source", tmp_path / "none", lake=copied.lake, code=2)
    assert told.count("\n") == 1


def test_tables_of_users_and_broken_ones(call, made, tmp_path):
    lake = made.copied(tmp_path).lake
    write_deltalake(str(lake / "dicom" / "mine"), pa.table({"n": [1, 2]}))
    shutil.rmtree(lake / "dicom" / "series")  # of a release that had no series, and left the name to users
    write_deltalake(str(lake / "dicom" / "series"), pa.table({"n": [1]}))
    broken = lake / "dicom" / "thumbnails" / "_delta_log" / f"{0:020d}.json"
    broken.write_text("{")
    told = json.loads(call("status", "--json", lake=lake))
    tables = {table["name"]: table for table in told["tables"]}
    assert (tables["mine"]["rows"], tables["mine"]["of_catalog"]) == (2, False)
    assert (tables["series"]["rows"], tables["series"]["entities"]) == (1, None)
    assert tables["thumbnails"]["error"]
    assert tables["object_catalog"]["rows"] == 6
    assert "thumbnails: " in call("status", lake=lake)


def test_no_catalog_is_one_line(call, tmp_path):
    told = call("status", lake=tmp_path, code=2)
    assert told.startswith("Error: there is no catalog")
    assert told.count("\n") == 1


@pytest.mark.parametrize("command", ["show x", "series", "studies", "issues", "changes --since 0", "export x.csv"])
def test_so_it_is_for_the_other_commands(call, tmp_path, monkeypatch, command):
    monkeypatch.chdir(tmp_path)
    told = call(*command.split(), lake=tmp_path / "none", code=2)
    assert told.startswith("Error: there is no ")
    assert told.count("\n") == 1

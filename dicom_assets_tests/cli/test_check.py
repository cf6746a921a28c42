"""``dicom-assets check``: the report, its exit codes, and what reaches a terminal."""

import json

import pytest
from typer.testing import CliRunner

from dicom_assets.cli.main import app
from dicom_assets.delta.lake import Lake
from dicom_assets.pipeline.update import update_catalog
from dicom_assets.query import Catalog
from dicom_assets.tables import FILE_INDEX
from dicom_assets_tests.support.rows import append, index_rows
from dicom_assets_tests.support.whole import put


@pytest.fixture
def lake(tmp_path):
    for number in range(4):
        put(tmp_path / "source" / "ab"[number % 2] / f"{number}.dcm", number)
    update_catalog(str(tmp_path / "source"), str(tmp_path / "lake"))
    return tmp_path / "lake"


def run(*arguments):
    return CliRunner().invoke(app, ["check", *map(str, arguments)])


def test_a_sound_catalog_is_exit_0(lake):
    result = run("--lake", lake, "--prefix", "a", "--newest-hours", 1)
    assert result.exit_code == 0, result.output
    assert "36 passed, 0 warnings, 0 errors" in result.output


def test_what_failed_is_told_with_its_sql_and_exit_1(lake):
    append(Lake(str(lake)), index_rows("a", ["new"]))
    result = run("--lake", lake)
    assert result.exit_code == 1
    assert "warning: one_row_per_indexed_file of thumbnails" in result.output
    assert "files without a row: 1" in result.output
    assert "ANTI JOIN" in result.output
    assert run("--lake", lake, "--tolerate-warnings").exit_code == 0
    assert run("--lake", lake, "--prefix", "b").exit_code == 0
    for _ in range(2):
        append(Lake(str(lake)), index_rows("a", ["twice"]))
    assert run("--lake", lake, "--tolerate-warnings").exit_code == 1, "that is an error"


def test_json_for_programs(lake):
    append(Lake(str(lake)), index_rows("a", ["new"]))
    result = run("--lake", lake, "--json")
    assert result.exit_code == 1
    failed = [check for check in json.loads(result.stdout) if not check["passed"]]
    assert {check["table"] for check in failed} >= {"file_metadata", "dicom_headers", "thumbnails"}
    for check in failed:
        assert len(Catalog(Lake(str(lake))).sql(check["sql"]).fetchall()) == check["found"]


def test_nothing_to_check_is_exit_2(lake, tmp_path):
    assert run("--lake", tmp_path / "nothing").exit_code == 2
    assert run("--lake", lake, "--prefix", "c").exit_code == 2
    assert run("--lake", lake, "--newest-hours", 0).exit_code == 2


def test_control_characters_of_a_prefix_do_not_reach_a_terminal(lake):
    for _ in range(2):
        append(Lake(str(lake)), index_rows("\u202e\x9b2J", ["1"]))
    assert len(Lake(str(lake)).snapshot(FILE_INDEX).files) == 4
    output = run("--lake", lake).output
    assert "\\u202e\\u009b2J" in output
    assert not [c for c in output if not c.isprintable() and c != "\n"]

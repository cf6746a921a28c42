"""What strangers wrote into headers and names does nothing to a terminal, and nothing in a spreadsheet."""

import csv
import io
import json
import os
import pty
import subprocess
import sys
from pathlib import Path

import pyarrow as pa
import pytest
from rich.console import Console

from dicom_assets.cli import errors
from dicom_assets.delta.lake import Lake
from dicom_assets.extract.model import OBJECT_CATALOG
from dicom_assets.query import Catalog
from dicom_assets.query.gallery import write_gallery
from dicom_assets.query.spreadsheet import Spreadsheet
from dicom_assets.query.visible import TerminalSink, visible
from dicom_assets.tables import FILE_INDEX
from dicom_assets_tests.query.conftest import append, catalog_row

PROJECT = Path(__file__).parents[2]
HOSTILE = {
    "ESC": "\x1b]0;owned\x07",
    "C0": "\x08\x0c\x7f",
    "C1": "\x9b31m\x90",
    "bidi": "\u202efdp.exe\u2066\u200f",
    "lines": "\u2028\u0085",
    "tag": "\U000e0041",
}
TEXT = "".join(HOSTILE.values()) + "Müller 山田　太郎"
SHOWN = (
    "\\u001b]0;owned\\u0007\\u0008\\u000c\\u007f\\u009b31m\\u0090\\u202efdp.exe\\u2066\\u200f\\u2028\\u0085\\udb40\\udc41"
    "Müller 山田　太郎"
)


@pytest.fixture(scope="module")
def lake(tmp_path_factory):
    lake = Lake(str(tmp_path_factory.mktemp("lake")))
    lake.ensure([FILE_INDEX, OBJECT_CATALOG])
    row = catalog_row("a", "x.dcm", PatientName=TEXT, Modality="\x1b[2J", InstitutionName="=cmd|' /C calc'!A0")
    append(lake, OBJECT_CATALOG, [row])
    return lake


def _sql(lake, query, *options):
    code = "from dicom_assets.cli import main; main()"
    return [sys.executable, "-W", "ignore", "-c", code, "sql", query, "--lake", lake.root, *options]


def _on_terminal(command):
    """Run a command on a pseudo terminal and return all that it would have to show."""
    ours, theirs = pty.openpty()
    environment = os.environ | {"COLUMNS": "400", "TERM": "xterm", "PYTHONPATH": str(PROJECT)}
    process = subprocess.Popen(command, stdout=theirs, stderr=theirs, env=environment)
    os.close(theirs)
    seen = b""
    while True:
        try:
            part = os.read(ours, 65536)
        except OSError:
            break
        if not part:
            break
        seen += part
    process.wait(60)
    os.close(ours)
    return seen.decode()


def _hostile(text):
    """Return what is left of a screen when colours and lines are taken away, and should not be there."""
    for colour in ("\x1b[0m", "\x1b[1m", "\x1b[2m", "\x1b[31m", "\x1b[33m"):
        text = text.replace(colour, "")
    return [c for c in text if not c.isprintable() and c not in "\r\n　"]


@pytest.mark.parametrize("form", ["table", "csv", "json"])
def test_no_control_character_of_a_value_or_a_name_reaches_a_terminal(lake, form):
    column = TEXT.replace('"', "").replace("\x0c", "")
    query = f'SELECT PatientName AS "{column}", [PatientName] AS list FROM object_catalog'
    screen = _on_terminal(_sql(lake, query, "--format", form))
    assert "owned" in screen
    assert "\\u001b]0;" in screen, "it is shown, not swallowed"
    assert _hostile(screen) == []


def test_json_on_a_terminal_is_the_same_json(lake):
    screen = _on_terminal(_sql(lake, "SELECT PatientName FROM object_catalog", "--format", "json"))
    assert json.loads(screen) == [{"PatientName": TEXT}]


def test_an_error_that_quotes_a_value_or_a_column_shows_it_on_one_line(lake):
    screen = _on_terminal(_sql(lake, "SELECT PatientName::INT FROM object_catalog"))
    assert "Error" in screen
    assert "owned" in screen
    assert _hostile(screen) == []
    assert screen.count("\n") == 1


@pytest.mark.parametrize("form", ["csv", "json"])
def test_files_and_pipes_get_values_as_they_are(lake, tmp_path, form):
    file = tmp_path / "out"
    query = "SELECT PatientName FROM object_catalog"
    environment = os.environ | {"PYTHONPATH": str(PROJECT)}
    piped = subprocess.run(_sql(lake, query, "--format", form), env=environment, capture_output=True, check=True).stdout
    subprocess.run(_sql(lake, query, "--format", form, "-o", str(file)), env=environment, check=True)
    for content in (piped.decode(), file.read_bytes().decode()):
        if form == "json":
            assert json.loads(content) == [{"PatientName": TEXT}]
        else:
            assert list(csv.reader(io.StringIO(content, newline="")))[1] == [TEXT]


@pytest.mark.parametrize("text", [*HOSTILE.values(), TEXT])
def test_what_does_not_print_becomes_visible(text):
    assert [c for c in visible(text) if not c.isprintable() and c != "　"] == []
    assert json.loads(f'"{visible(text)}"') == text


def test_the_whole_of_it():
    assert visible(TEXT) == SHOWN


def test_a_character_that_is_cut_between_two_writes_is_one_character():
    screen = io.BytesIO()
    sink = TerminalSink(screen)
    for byte in "a\x9b山\n".encode():
        sink.write(bytes([byte]))
    assert screen.getvalue().decode() == "a\\u009b山\n"


def test_names_of_files_in_errors_and_notes_are_visible(monkeypatch):
    screen = io.StringIO()
    monkeypatch.setattr(errors, "stderr", Console(file=screen, force_terminal=False))
    errors.tell(f"Run failed in {TEXT} [bold]")
    assert screen.getvalue() == f"Run failed in {SHOWN} [bold]\n"


def test_the_gallery_shows_names_as_they_are_stored(lake, tmp_path):
    page = tmp_path / "page.html"
    write_gallery(Catalog(lake), page)
    text = page.read_text()
    assert "\\u001b[2J" in text
    assert _hostile(text.replace("\t", "")) == []


FORMULAS = [
    "=1+1",
    "+1+1",
    "-1+1",
    "@SUM(A1)",
    "\tx",
    "\rx",
    "\n=x",
    "\uff1d1+1",
    "=cmd|' /C calc'!A0",
    "-",
    "+x",
    "-1.2.3",
]
PLAIN = ["", "x=1", "-5", "+3.5", "-1e-5", "1.2.840", "'=1", " =1", "2024-01-01", None]


@pytest.mark.parametrize("text", FORMULAS)
def test_a_formula_is_defused_where_that_is_asked_for(text):
    safe, plain = Spreadsheet(safe=True), Spreadsheet()
    assert safe.column(pa.array([text, "x"])).to_pylist() == [f"'{text}", "x"]
    assert plain.column(pa.array([text, "x"])).to_pylist() == [text, "x"]
    assert (safe.formulas, plain.formulas) == (1, 1)


@pytest.mark.parametrize("text", PLAIN)
def test_what_is_no_formula_stays(text):
    spreadsheet = Spreadsheet(safe=True)
    assert spreadsheet.column(pa.array([text], pa.string())).to_pylist() == [text]
    assert spreadsheet.formulas == 0


def test_csv_for_spreadsheets_and_the_note_where_it_is_not_asked_for(lake, tmp_path):
    file = tmp_path / "out.csv"
    query = "SELECT InstitutionName AS \"=name\", '-7' AS text, -7 AS number, ['=x'] AS list FROM object_catalog"
    environment = os.environ | {"PYTHONPATH": str(PROJECT), "COLUMNS": "200"}

    def run(*options):
        command = _sql(lake, query, "--format", "csv", "-o", str(file), *options)
        done = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
        return done.stderr, list(csv.reader(file.open(newline="")))

    formula = "=cmd|' /C calc'!A0"
    note, rows = run()
    assert note == "Note: spreadsheets take 2 of these cells for formulas; --spreadsheet-safe prevents that.\n"
    assert rows == [["=name", "text", "number", "list"], [formula, "-7", "-7", '["=x"]']]
    note, rows = run("--spreadsheet-safe")
    assert note == ""
    assert rows == [["'=name", "text", "number", "list"], [f"'{formula}", "-7", "-7", '["=x"]']]

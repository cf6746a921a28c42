"""``dicom-assets shell``: from a pipe, from files, and in a terminal."""

import json
import os
import stat
import sys
from pathlib import Path

import pytest
from prompt_toolkit.completion import CompleteEvent
from prompt_toolkit.document import Document
from prompt_toolkit.history import InMemoryHistory

from dicom_assets.cli.shell.commands import COMMANDS
from dicom_assets.cli.shell.completer import QueryCompleter
from dicom_assets.cli.shell.prompt import QueryHistory, open_history
from dicom_assets.cli.shell.session import is_whole, split_input
from dicom_assets.query.opening import open_catalog
from dicom_assets.query.vocabulary import Vocabulary
from dicom_assets_tests.support.terminal import Terminal

PROJECT = Path(__file__).parents[2]


def test_queries_come_through_a_pipe(call):
    told = call("shell", input=".mode json\nSELECT 1 AS n;\nSELECT count(*) AS n\nFROM object_catalog;\n")
    assert json.loads(told.replace("]\n[", ",")) == [{"n": 1}, {"n": 6}]


def test_a_pipe_ends_at_the_first_error_and_says_what_was_done(call):
    assert call("shell", code=2, input="SELECT x FROM object_catalog; SELECT 1;").count("\n") == 1
    told = call("shell", code=1, input=".mode csv\nSELECT 1 AS n; SELECT FlipAngle FROM object_catalog; SELECT 2 AS m;")
    assert told.startswith('"n"\n1\n')
    assert "dicom(header, 'FlipAngle')" in told
    assert '"m"' not in told


def test_files_are_read_and_those_that_read_themselves_end(call, tmp_path):
    (tmp_path / "inner.sql").write_text("SELECT 2 AS b;")
    outer = tmp_path / "outer.sql"
    outer.write_text(f".mode csv\nSELECT 1 AS a;\n.read {tmp_path}/inner.sql\n")
    assert call("shell", "-f", outer) == '"a"\n1\n"b"\n2\n'
    outer.write_text(f".read {outer}\n")
    assert "deep already" in call("shell", "-f", outer, code=2)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (".nothing", "no command .nothing"),
        (".mode xml", "table, csv, json"),
        (".timer", "on, off"),
        (".read", "name a file"),
        (".read /none/such", "No such file"),
        (".schema none", "none does not exist"),
    ],
)
def test_a_dot_command_that_cannot_be_carried_out_is_one_line(call, text, message):
    told = call("shell", code=2, input=text)
    assert message in told
    assert told.count("\n") == 1


def test_dot_commands_tell_of_the_catalog(call):
    told = call("shell", input=".tables\n.schema object_catalog\n.help\n.timer on\nSELECT 1;\n.quit\nSELECT nothing;\n")
    assert "object_catalog\n" in told
    assert "issues\n" in told, "views too"
    assert any(line.split() == ["PatientID", "VARCHAR"] for line in told.splitlines())
    assert all(name in told for name in COMMANDS)
    assert "Time: " in told


def test_there_is_no_shell_without_a_lake(call, tmp_path):
    told = call("shell", lake=tmp_path / "none", code=2, input="SELECT 1;")
    assert told.startswith("Error: there is no catalog")


def test_commands_are_lines_of_their_own_where_no_statement_is_open():
    text = ".mode csv\nSELECT '\n.tables\n';\n.tables\nSELECT 2"
    assert list(split_input(text)) == [".mode csv", "SELECT '\n.tables\n'", ".tables", "SELECT 2"]
    assert is_whole(".tables")
    assert is_whole("SELECT 1;")
    assert is_whole("")
    assert not is_whole("SELECT 1")
    assert not is_whole("SELECT ';")


@pytest.fixture(scope="module")
def completer(made):
    return QueryCompleter(Vocabulary(open_catalog(str(made.lake))))


@pytest.mark.parametrize(
    ("text", "offered"),
    [
        ("SELECT Patient", "PatientID"),
        ("SELECT patient", "PatientID"),
        ("SELECT * FROM obj", "object_catalog"),
        ("SELECT * FROM iss", "issues"),
        ("SELECT FlipA", "dicom(header, 'FlipAngle')"),
        ("SELECT dicom(header, 'PatientW", "PatientWeight"),
        ("SELECT dicom(header, 'SharedFunctionalGroupsSequence[0].PixelMeasuresS", "PixelMeasuresSequence"),
        ("SELECT fingerprint FROM file_index WHERE mod", "modified_at"),
        ("SELECT 1 GRO", "GROUP"),
        (".ta", ".tables"),
        (".mode j", "json"),
        (".schema file_i", "file_index"),
    ],
)
def test_tab_offers_what_fits(completer, text, offered):
    found = [one.text for one in completer.get_completions(Document(text), CompleteEvent())]
    assert offered in found
    if "FROM file_index" in text:
        assert "Modality" not in found, "a column of another table"


def test_tab_offers_nothing_where_there_is_no_catalog(tmp_path):
    completer = QueryCompleter(Vocabulary(open_catalog(str(tmp_path))))
    assert list(completer.get_completions(Document("SELECT * FROM obj"), CompleteEvent())) == []


def test_the_history_is_a_file_of_this_user_and_a_folder_that_cannot_be_made_costs_only_it(tmp_path):
    file = tmp_path / "state" / "dicom-assets" / "history"
    history = open_history(file)
    history.store_string("SELECT 'Müller'")
    assert "Müller" in file.read_text()
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    file.write_bytes(b"\n# x\n+SELECT \xff\xfe\n")
    assert list(open_history(file).load_history_strings()), "bytes that are no text"
    (tmp_path / "plain").write_text("")
    assert isinstance(open_history(tmp_path / "plain" / "history"), InMemoryHistory)
    QueryHistory(str(tmp_path / "gone" / "history")).store_string("a disk that is full")


@pytest.fixture
def terminal(made, tmp_path):
    environment = os.environ | {
        "TERM": "xterm",
        "HOME": str(tmp_path),
        "XDG_STATE_HOME": str(tmp_path / "state"),
        "PYTHONPATH": str(PROJECT),
        "PROMPT_TOOLKIT_NO_CPR": "1",
        "DICOM_ASSETS_LAKE": str(made.lake),
    }
    environment.pop("COLUMNS", None)
    command = [sys.executable, "-W", "ignore", "-c", "from dicom_assets.cli import main; main()", "shell"]
    return lambda: Terminal(command, environment)


@pytest.mark.skipif(sys.platform == "win32", reason="there are no pseudo terminals")
def test_a_conversation_in_a_terminal(terminal, tmp_path):
    with terminal() as shell:
        shell.expect("dicom>")
        shell.send("SELECT count(*) AS files\r")
        shell.expect(r"\.\.\.>")
        shell.send("FROM object_catalog;\r")
        shell.expect(r"files\s+─+\s+6\s+\(1 row\)")
        shell.expect("dicom>")
        shell.send("SELECT FlipAngle FROM object_catalog;\r")
        shell.expect(r"Error: there is no column FlipAngle")
        shell.expect("dicom>")
        shell.send("SELECT Patie\t")
        shell.expect("PatientBirthDate")
        shell.send("\x03")
        shell.expect("dicom>")
        shell.type_and_press("SELECT count(*) FROM range(10000000000) a, range(1000) b;\r", "\x03", "Interrupted")
        shell.expect("dicom>")
        shell.send("SELECT 41 + 1 AS answer;\r")
        shell.expect(r"answer\s+─+\s+42")
        shell.expect("dicom>")
        shell.send("\x04")
        assert shell.wait() == 0
    history = (tmp_path / "state" / "dicom-assets" / "history").read_text()
    assert "41 + 1" in history
    with terminal() as shell:
        shell.expect("dicom>")
        shell.send("\x1b[A\r")
        shell.expect(r"answer\s+─+\s+42")
        shell.send(".quit\r")
        assert shell.wait() == 0

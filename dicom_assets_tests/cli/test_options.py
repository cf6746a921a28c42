"""What the environment stands for, and completion for shells."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner

from dicom_assets.cli import options
from dicom_assets.cli.main import app
from dicom_assets.orchestration import definitions

PROJECT = Path(__file__).parents[2]


def test_the_variables_are_those_of_the_code_location():
    ours = {value for name, value in vars(options).items() if name.startswith("_") and str(value).startswith("DICOM_")}
    theirs = {value for value in vars(definitions).values() if isinstance(value, str) and value.startswith("DICOM_")}
    assert len(ours) == 7
    assert ours <= theirs


def test_an_option_wins_over_the_environment(call, made, tmp_path):
    assert "6" in call("sql", "SELECT count(*) FROM file_index")
    assert "6" in call("sql", "SELECT count(*) FROM file_index", "--lake", made.lake, lake=tmp_path / "none")
    assert call("sql", "SELECT 1", lake=tmp_path / "none", code=2).startswith("Error: there is no catalog")


def test_without_either_the_option_is_asked_for(monkeypatch):
    monkeypatch.delenv("DICOM_ASSETS_LAKE", raising=False)
    result = CliRunner().invoke(app, ["status"])
    assert result.exit_code == 2
    assert "--lake" in result.output


def test_help_tells_of_no_more_than_the_commands():
    told = CliRunner().invoke(app, ["--help"], env={"COLUMNS": "80"}).output
    assert "-completion" not in told
    for name in ("catalog", "sql", "shell", "show", "status", "series", "studies", "issues", "export", "changes"):
        assert name in told


def _complete(line: str) -> str:
    environment = os.environ | {
        "_DICOM_ASSETS_COMPLETE": "complete_bash",
        "COMP_WORDS": line,
        "COMP_CWORD": str(len(line.split(" ")) - 1),
        "PYTHONPATH": str(PROJECT),
    }
    code = "import sys; sys.argv = ['dicom-assets']; from dicom_assets.cli import main; main()"
    command = [sys.executable, "-W", "ignore", "-c", code]
    return subprocess.run(command, env=environment, capture_output=True, text=True, check=False).stdout


def test_a_shell_completes_commands_and_options():
    assert _complete("dicom-assets st").split() == ["studies", "status"]
    assert "--where" in _complete("dicom-assets series --w").split()


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_the_script_for_a_shell_is_shown(shell, monkeypatch):
    monkeypatch.setenv("_TYPER_COMPLETE_TEST_DISABLE_SHELL_DETECTION", "1")
    result = CliRunner().invoke(app, ["--show-completion", shell])
    assert result.exit_code == 0, result.output
    assert "_COMPLETE" in result.output


def _loaded(*arguments: str) -> set[str]:
    """Return the packages that a command loads."""
    code = (
        "import sys\nfrom typer.testing import CliRunner\nfrom dicom_assets.cli.main import app\n"
        f"assert CliRunner().invoke(app, {list(arguments)!r}).exit_code == 0\n"
        "print(' '.join(sorted({name.partition('.')[0] for name in sys.modules})))"
    )
    return set(subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.split())


def test_a_command_loads_no_more_than_it_needs():
    heavy = {"dagster", "pyspark", "duckdb", "pyarrow", "pydicom", "pandas"}
    assert not heavy & _loaded("--version")
    assert not {"dagster", "pyspark"} & _loaded("--help")


def test_a_name_that_is_no_command_is_refused():
    result = CliRunner().invoke(app, ["catalogue"])
    assert result.exit_code == 2
    assert "No such command 'catalogue'" in result.output

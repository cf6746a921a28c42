"""Which Spark a command takes, and the commands of the engine, without one."""

import json
import zipfile

import pytest
from typer.testing import CliRunner

from dicom_assets.cli.main import app
from dicom_assets.cli.spark import chosen_spark
from dicom_assets.orchestration.definitions import build_definitions
from dicom_assets.orchestration.resources.secrets import revealed
from dicom_assets.spark import server
from dicom_assets.spark.server import LocalServer, server_folder


@pytest.fixture(autouse=True)
def nothing_named(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    monkeypatch.setenv(server.TOKEN, "none")
    for name in ("MASTER", "REMOTE", "CONFIG"):
        monkeypatch.delenv(f"DICOM_ASSETS_SPARK_{name}", raising=False)
    monkeypatch.delenv("SPARK_REMOTE", raising=False)


def _config(*arguments):
    return revealed(chosen_spark(*arguments).spark_config)


@pytest.fixture
def engine(monkeypatch):
    """An engine that is believed to run."""
    made = LocalServer.started_here(1, 9, "secret")
    monkeypatch.setattr("dicom_assets.cli.spark.running_server", lambda: made)
    return made


def test_without_a_word_it_is_this_machine():
    assert _config() == {}


def test_options_win_over_the_environment_and_settings_add_up(monkeypatch):
    monkeypatch.setenv("DICOM_ASSETS_SPARK_REMOTE", "sc://host")
    monkeypatch.setenv("DICOM_ASSETS_SPARK_CONFIG", "spark.executor.cores=4;spark.executor.memory=1g")
    assert _config()["spark.remote"] == "sc://host"
    assert _config("yarn", None, ["spark.executor.memory=8g"]) == {
        "spark.master": "yarn",
        "spark.executor.cores": "4",
        "spark.executor.memory": "8g",
    }


def test_an_engine_that_runs_is_used_where_nothing_is_named(engine, monkeypatch):
    assert _config() == {"spark.remote": engine.url}
    assert server.os.environ[server.TOKEN] == "secret"
    assert "secret" not in engine.url
    assert _config("local[*]") == {"spark.master": "local[*]"}
    assert _config(None, None, ["spark.executor.cores=1"]) == {"spark.executor.cores": "1"}


def test_an_engine_that_does_not_fit_is_told_of_and_passed_over(engine, monkeypatch, capsys):
    monkeypatch.setenv("AWS_PROFILE", "another")
    assert _config() == {}
    assert "The engine is not used: it was started with other variables" in capsys.readouterr().err


def test_two_engines_end_the_command_in_one_line(call, made):
    said = call("catalog", made.source, "--master", "yarn", "--remote", "sc://host", code=2)
    assert said.startswith("Error: a master and a Spark Connect server are given")
    assert said.count("\n") <= 2


def test_what_is_no_setting_ends_the_command_in_one_line(call, made):
    assert "spark.<name>=<value>" in call("catalog", made.source, "--spark-config", "memory=1g", code=2)


def test_the_code_location_reads_the_environment(monkeypatch):
    monkeypatch.setenv("DICOM_ASSETS_SPARK_MASTER", "spark://head:7077")
    assert revealed(build_definitions().resources["spark"].spark_config) == {"spark.master": "spark://head:7077"}


def test_where_no_engine_runs_the_commands_say_so(call):
    assert call("engine", "status", code=1) == "No engine runs.\n"
    assert json.loads(call("engine", "status", "--json", code=1)) == {"running": False}
    assert call("engine", "stop") == "There was no engine.\n"
    assert not server_folder().exists()


def test_a_server_that_is_not_there_ends_the_run_in_one_line(made, tmp_path):
    pytest.importorskip("grpc_status", reason="Spark Connect needs the extra `connect`")
    from dicom_assets.spark.remote import SparkServerError
    from dicom_assets.spark.session import start_session

    with pytest.raises(
        SparkServerError, match=r"^there is no Spark Connect server at localhost:9: connection refused$"
    ):
        start_session({"spark.remote": "sc://localhost:9/;token=secret"})


def test_settings_of_the_server_are_refused_and_a_url_is_not_repeated():
    pytest.importorskip("grpc_status", reason="Spark Connect needs the extra `connect`")
    from dicom_assets.spark.remote import RemoteSettingsError
    from dicom_assets.spark.session import start_session

    with pytest.raises(RemoteSettingsError, match=r"spark\.executor\.memory is a setting of the Spark Connect server"):
        start_session({"spark.remote": "sc://localhost:9", "spark.executor.memory": "8g"})
    with pytest.raises(RemoteSettingsError) as raised:
        start_session({"spark.remote": "sc://localhost:port/;token=secret"})
    assert "secret" not in str(raised.value)


def test_the_package_is_packed_for_workers(tmp_path, call):
    told = call("engine", "pack", tmp_path / "dicom_assets.zip")
    assert "dicom_assets.zip" in told.replace("\n", "")
    names = zipfile.ZipFile(tmp_path / "dicom_assets.zip").namelist()
    assert "dicom_assets/spark/workers.py" in names
    assert not [name for name in names if "__pycache__" in name]
    assert "does not end with .zip" in call("engine", "pack", tmp_path / "a.tar", code=2)
    assert "cannot be written" in call("engine", "pack", tmp_path / "none" / "a.zip", code=2)


def test_help_names_the_commands():
    told = CliRunner().invoke(app, ["engine", "--help"], env={"COLUMNS": "80"}).output
    for name in ("start", "stop", "status", "prepare", "pack"):
        assert name in told


def test_prepare_says_what_it_wrote(monkeypatch, tmp_path):
    made = tmp_path / "classes.jsa"
    made.write_bytes(bytes(3 << 20))
    monkeypatch.setattr("dicom_assets.spark.prepare.prepare", lambda: made)
    done = CliRunner().invoke(app, ["engine", "prepare"])
    assert done.exit_code == 0
    assert f"Written: {made} (3 MiB)" in done.stdout.replace("\n", " ")


def test_prepare_says_in_a_line_why_it_cannot(monkeypatch, tmp_path):
    (tmp_path / "cache").write_text("no folder")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    done = CliRunner().invoke(app, ["engine", "prepare"])
    assert done.exit_code == 2
    assert "cannot be written: Not a directory" in done.stderr.replace("\n", " ")

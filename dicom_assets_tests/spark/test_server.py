"""The state of an engine: what is believed of it, and what a dead one leaves."""

import os
import stat
import subprocess
import sys
from dataclasses import replace
from itertools import chain, repeat

import pytest

from dicom_assets.spark import server
from dicom_assets.spark.server import (
    LocalServer,
    ServerStartError,
    running_server,
    server_folder,
    start_server,
    stop_server,
)


@pytest.fixture(autouse=True)
def own_state(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))


def _state(pid, port=9, token="secret", **changes):
    return replace(LocalServer.started_here(pid, port, token), **changes)


def _leave(state):
    folder = server_folder()
    folder.mkdir(parents=True)
    (folder / "java" / "temporary").mkdir(parents=True)
    server._write_private(folder / "engine.json", state if isinstance(state, str) else state.to_json())
    return folder


def _process(folder, at_once=True):
    """Start a process whose command line is that of a server of a folder."""
    slow = "signal.signal(signal.SIGTERM, lambda *_: time.sleep(0.5) or sys.exit())"
    code = f"import signal, sys, time; {'pass' if at_once else slow}; print(flush=True); time.sleep(60)"
    process = subprocess.Popen([sys.executable, "-c", code, f"-D{folder / 'java'}"], stdout=subprocess.PIPE)
    process.stdout.readline()
    return process


def test_where_none_was_started_there_is_none_and_nothing_is_made():
    assert running_server() is None
    assert stop_server() is False
    assert not server_folder().exists()


def test_what_a_dead_server_left_is_removed():
    gone = subprocess.Popen([sys.executable, "-c", ""])
    gone.wait()
    folder = _leave(_state(gone.pid))
    assert running_server() is None
    assert not (folder / "engine.json").exists()
    assert not (folder / "java").exists()


def test_a_process_that_got_the_id_of_a_dead_server_is_left_alone():
    other = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"])
    try:
        _leave(_state(other.pid))
        assert running_server() is None
        server._write_private(server_folder() / "engine.json", _state(other.pid).to_json())
        assert stop_server() is False
        assert other.poll() is None
    finally:
        other.kill()
        other.wait()


@pytest.mark.parametrize("text", ["", "{}", "no json", '{"pid": 1}', "[1]"])
def test_a_state_that_cannot_be_read_is_none(text):
    _leave(text)
    assert running_server() is None


def test_only_the_user_can_read_the_token():
    folder = _leave(_state(1))
    assert stat.S_IMODE((folder / "engine.json").stat().st_mode) == 0o600
    assert "secret" not in repr(_state(1))


def test_a_server_that_hangs_is_ended_so_that_another_can_start():
    folder = _leave(_state(0))
    process = _process(folder)
    try:
        server._write_private(folder / "engine.json", _state(process.pid).to_json())
        assert running_server() is None
        assert process.wait(10) is not None
    finally:
        process.kill()
        process.wait()


def test_a_server_that_was_ended_is_gone(monkeypatch):
    """While a process ends, its command line is empty already."""
    folder = _leave(_state(0))
    process = _process(folder, at_once=False)
    server._write_private(folder / "engine.json", _state(process.pid).to_json())
    lines = chain([os.fsencode(folder / "java")], repeat(b""))
    monkeypatch.setattr(server, "_command_line", lambda _: next(lines))
    try:
        assert running_server() is None
        with pytest.raises(ProcessLookupError):
            os.kill(process.pid, 0)
    finally:
        process.kill()
        process.wait()


def test_a_server_that_does_not_start_leaves_its_log_and_no_settings(tmp_path, monkeypatch):
    program = tmp_path / "bin" / "spark-submit"
    program.parent.mkdir()
    program.write_text("#!/bin/sh\necho out of luck\nexit 1\n")
    program.chmod(0o700)
    monkeypatch.setenv("SPARK_HOME", str(tmp_path))
    with pytest.raises(ServerStartError, match=r"its log is .*engine\.log"):
        start_server({"spark.hadoop.fs.s3a.secret.key": "secret"})
    assert (server_folder() / "engine.log").read_text() == "out of luck\n"
    assert {path.name for path in server_folder().iterdir()} <= {"engine.log", "engine.lock"}


def test_a_server_with_other_code_or_other_credentials_is_not_used(monkeypatch):
    assert _state(1).misfit() is None
    assert "other code" in _state(1, code="0").misfit()
    assert "other code" in _state(1, spark="4.2.0").misfit()
    held = _state(1)
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "another")
    assert "object stores" in held.misfit()
    assert "another" not in _state(1).to_json()


def test_a_server_takes_settings_but_stays_on_this_machine():
    written = server._properties({"spark.connect.grpc.binding.address": "0.0.0.0", "spark.x": "a\nb"})
    lines = dict(line.split(" ", 1) for line in written.splitlines())
    assert lines["spark.connect.grpc.binding.address"] == "127.0.0.1"
    assert lines["spark.driver.bindAddress"] == "127.0.0.1"
    assert lines["spark.x"] == r"a\nb"


def test_the_environment_of_a_server_names_no_other_spark(monkeypatch, tmp_path):
    monkeypatch.setenv("SPARK_REMOTE", "sc://elsewhere")
    monkeypatch.setenv("DICOM_ASSETS_SPARK_MASTER", "yarn")
    made = server._environment(tmp_path, "secret")
    assert not {"SPARK_REMOTE", "DICOM_ASSETS_SPARK_MASTER"} & made.keys()
    assert made[server.TOKEN] == "secret"
    assert os.environ.get(server.TOKEN) != "secret"

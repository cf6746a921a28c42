"""``dicom-assets serve``: where it listens, whom it lets in, and what it refuses before it does."""

import json
import os
import re
import signal
import subprocess
import sys
import urllib.error
import urllib.request
from pathlib import Path

import pytest

from dicom_assets.serve.viewer import install
from dicom_assets_tests.serve.viewer import packing
from dicom_assets_tests.support.ports import free_ports

PROJECT = Path(__file__).parents[2]


def start(*arguments, **environment):
    command = [sys.executable, "-W", "ignore", "-c", "from dicom_assets.cli import main; main()", "serve", *arguments]
    return subprocess.Popen(
        command,
        env=os.environ | {"PYTHONPATH": os.pathsep.join([str(PROJECT), *sys.path])} | environment,
        stderr=subprocess.PIPE,
        text=True,
    )


@pytest.fixture
def build(tmp_path):
    """A build of a viewer."""
    (tmp_path / "index.html").write_bytes(packing.PAGE)
    (tmp_path / "app.js").write_bytes(packing.SCRIPT)
    return tmp_path


def test_it_says_where_it_is_answers_and_ends_with_ctrl_c(made, build):
    options = ("--lake", str(made.lake), "--port", "0", "--viewer-dir", str(build))
    server = start(*options, DICOM_ASSETS_TOKEN="of-sixteen-letters")
    try:
        said = server.stderr.readline()
        address = re.search(r"http://127.0.0.1:\d+/", said)[0]
        assert f"viewer: {address}viewer/" in said
        with pytest.raises(urllib.error.HTTPError, match="401"):
            urllib.request.urlopen(f"{address}dicom-web/studies")
        asked = urllib.request.Request(
            f"{address}dicom-web/studies?PatientID=1CT1", headers={"Authorization": "Bearer of-sixteen-letters"}
        )
        with urllib.request.urlopen(asked) as answer:
            assert json.load(answer)[0]["00100020"]["Value"] == ["1CT1"]
            assert answer.headers["Server"] is None
    finally:
        server.send_signal(signal.SIGINT)
        told = server.communicate(timeout=60)[1]
    assert "Traceback" not in told
    assert "of-sixteen-letters" not in told


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.168.1.7", "imaging.example"])
def test_to_let_everyone_in_has_to_be_meant(call, made, host):
    told = call("serve", "--lake", made.lake, "--host", host, code=2)
    assert "--token" in told
    assert "--no-token" in told


@pytest.mark.parametrize("token", ["short", "with\nlines-in-it", "ümläuts-and-more"])
def test_a_weak_token_is_refused(call, made, token):
    told = call("serve", "--lake", made.lake, "--token", token, code=2)
    assert "at least 8 characters" in told
    assert token not in told


def test_both_are_a_contradiction(call, made):
    assert "either" in call("serve", "--lake", made.lake, "--token", "12345678", "--no-token", code=2)


def test_a_viewer_that_is_none(call, made, tmp_path):
    options = ("serve", "--lake", made.lake, "--viewer-dir", tmp_path)
    assert "either --viewer or --viewer-dir" in call(*options, "--viewer", code=2)
    assert "holds no viewer" in call(*options, code=2)


def test_a_viewer_is_installed_from_the_very_file(call, tmp_path, monkeypatch):
    monkeypatch.setattr(install, "user_cache_path", lambda name: tmp_path / "cache" / name)
    content = packing.packed()  # once: it holds the time
    (tmp_path / "other.tgz").write_bytes(content)
    assert "its hash is another" in call("viewer", "install", "--from", tmp_path / "other.tgz", code=2)
    package = packing.package_of(content)
    monkeypatch.setattr("dicom_assets.serve.viewer.package.OHIF", package)
    for _ in range(2):
        told = call("viewer", "install", "--from", tmp_path / "other.tgz")
        assert str(tmp_path / "cache" / "dicom-assets" / "viewer" / "made-up-1.2.3") in told.replace("\n", "")
    assert "once" not in told, "it was there"
    (tmp_path / "cache" / "dicom-assets" / "viewer" / "made-up-1.2.3" / "app.css").write_text("")
    assert "not as it was installed" in call("viewer", "install", code=2)


def test_a_lake_that_is_not_there(call, tmp_path):
    assert call("serve", "--lake", tmp_path / "none", code=2).startswith("Error: there is no catalog")


def test_a_port_that_is_taken(call, made):
    import socket

    (port,) = free_ports(1)
    with socket.create_server(("127.0.0.1", port)):
        told = call("serve", "--lake", made.lake, "--port", str(port), code=2)
    assert f"127.0.0.1:{port} cannot be listened at" in told

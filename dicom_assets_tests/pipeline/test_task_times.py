"""The times of tasks are told apart from the data files that tasks wrote."""

from deltalake.transaction import AddAction

from dicom_assets.archive.local import LocalArchive
from dicom_assets.pipeline.engine import StagedFile
from dicom_assets.pipeline.task_times import TaskTime, TaskTimes, task_times
from dicom_assets_tests.support.scratch import build_here
from dicom_assets_tests.support.whole import put


def _file():
    return StagedFile("thumbnails", AddAction("prefix=a/1.parquet", 10, {"prefix": "a"}, 0, True, "{}"), 0, 5)


def test_a_time_is_no_data_file_and_a_data_file_is_no_time():
    assert TaskTime.is_in(TaskTime(1.5).to_bytes())
    assert not TaskTime.is_in(_file().to_bytes())
    assert TaskTime.from_bytes(TaskTime(1.5).to_bytes()) == TaskTime(1.5)


def test_the_longest_of_all_tasks_is_found_among_what_else_they_returned():
    results = [_file().to_bytes(), TaskTime(1).to_bytes(), TaskTime(4.5).to_bytes(), _file().to_bytes()]
    assert task_times(results) == TaskTimes(2, 4.5)
    assert task_times([_file().to_bytes()]) == TaskTimes()


def test_an_update_says_how_long_its_tasks_took(lake, tmp_path):
    put(tmp_path / "source" / "a" / "1.dcm", 1)
    outcomes = build_here(lake, LocalArchive(str(tmp_path / "source"), 1), ["a"])
    effort = outcomes["thumbnails"].effort
    assert effort.tasks.count == 1
    assert 0 < effort.tasks.longest <= effort.seconds.stage
    assert outcomes["object_catalog"].effort.tasks == TaskTimes()

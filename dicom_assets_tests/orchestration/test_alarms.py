"""A lost archive, and prefixes in trouble, raise an alarm once, and it is cleared when they are over."""

import shutil

import dagster as dg
import pytest
from dagster._core.test_utils import create_run_for_test

from dicom_assets.archive.local import LocalArchive
from dicom_assets.orchestration import alarms
from dicom_assets.orchestration.alarms import ArchiveNotFollowedError
from dicom_assets.orchestration.definitions import build_definitions
from dicom_assets.orchestration.naming import ALONE
from dicom_assets.orchestration.resources.archive import ArchiveResource
from dicom_assets.orchestration.resources.lake import LakeResource
from dicom_assets.orchestration.sensors import SensorOptions
from dicom_assets.pipeline.changes import ChangeDetector, detect_change
from dicom_assets_tests.support.denied import deny
from dicom_assets_tests.support.made_up import follow, write
from dicom_assets_tests.support.ticking import Ticker, ranges


@pytest.fixture
def ticker(instance, source, lake):
    archive = ArchiveResource(source=str(source), prefix_depth=1)
    ticker = Ticker(instance, archive, LakeResource(root_uri=lake.root), SensorOptions())
    ticker.tick()
    follow(lake, LocalArchive(str(source), 1), list("abcd"))
    return ticker


def told(instance):
    """Return all evaluations of the check, oldest first: whether it passed, and what it says."""
    history = instance.event_log_storage.get_asset_check_execution_history(alarms.check_key(), 100)
    found = [record.event.dagster_event.event_specific_data for record in reversed(history)]
    return [(one.passed, one.description) for one in found]


def fail(instance, request):
    tags = {**request.tags, "dagster/sensor_name": ALONE.archive_sensor, "dagster/run_key": request.run_key}
    run = create_run_for_test(instance, tags=tags, status=dg.DagsterRunStatus.STARTED)
    instance.report_run_failed(run)


def test_a_healthy_archive_is_told_once(ticker, instance):
    for _ in range(3):
        ticker.tick()
    assert told(instance) == [(True, "All prefixes are followed.")]


def test_a_lost_archive_fails_the_tick_and_the_check_and_both_recover_by_themselves(ticker, instance, source):
    ticker.tick()
    before = ticker.cursor
    source.rename(source.with_name("away"))
    for _ in range(3):
        with pytest.raises(ArchiveNotFollowedError, match=r"^Nothing was changed: .*No such file"):
            ticker.tick()
    assert ticker.cursor == before
    assert [passed for passed, _ in told(instance)] == [True, False], "told once, not with every tick"
    assert "No such file" in told(instance)[-1][1]
    source.with_name("away").rename(source)
    assert ticker.tick().run_requests == []
    assert [passed for passed, _ in told(instance)] == [True, False, True]


def test_a_prefix_that_cannot_be_listed_is_told_and_stops_no_other(ticker, instance, source, lake, monkeypatch):
    ticker.tick()
    with monkeypatch.context() as patch:
        deny(patch, source / "a")
        write(source / "b" / "2")
        result = ticker.tick()
        assert ranges(result) == [("b", "b")]
        follow(lake, LocalArchive(str(source), 1), ["b"])
        assert "1 cannot be listed" in ticker.tick().skip_reason.skip_message
    assert told(instance)[-1] == (False, "1 cannot be listed")
    ticker.tick()
    assert [passed for passed, _ in told(instance)] == [True, False, True]


def test_a_refused_deletion_is_told_with_its_reason_until_it_is_over(ticker, instance, source):
    ticker.tick()
    shutil.copytree(source / "a", source.with_name("kept"))
    (source / "a" / "1").unlink()
    for _ in range(2):
        assert "1 deletion refused" in ticker.tick().skip_reason.skip_message
    assert told(instance)[-1] == (False, "1 deletion refused")
    (record,) = instance.event_log_storage.get_asset_check_execution_history(alarms.check_key(), 1)
    metadata = record.event.dagster_event.event_specific_data.metadata
    assert metadata["prefixes"].value == "a"
    assert metadata["reasons"].value.startswith("prefix a: the folder is there and empty")
    shutil.copytree(source.with_name("kept"), source / "a", dirs_exist_ok=True)
    ticker.tick()
    assert [passed for passed, _ in told(instance)][:2] == [True, False]


def test_a_prefix_that_keeps_failing_is_named_while_it_waits_and_while_it_is_tried(ticker, instance, source, lake):
    ticker.tick()
    write(source / "c" / "2")
    (request,) = ticker.tick().run_requests
    fail(instance, request)
    waiting = ticker.tick()
    assert waiting.run_requests == []
    assert "1 failed once (next try " in waiting.skip_reason.skip_message
    assert told(instance) == [(True, "All prefixes are followed.")], "one failure is no alarm yet"
    fail(instance, request)
    assert "1 failed 2 times (next try " in ticker.tick().skip_reason.skip_message
    assert told(instance)[-1] == (False, "1 keeps failing")
    run = create_run_for_test(instance, tags=request.tags, status=dg.DagsterRunStatus.STARTED)
    assert "1 held by a run" in ticker.tick().skip_reason.skip_message
    assert told(instance)[-1] == (False, "1 keeps failing"), "until an attempt succeeds"
    follow(lake, LocalArchive(str(source), 1), ["c"])
    instance.report_run_canceled(run)
    assert ticker.tick().skip_reason.skip_message == "Looked at 4 prefixes: all up to date."
    assert [passed for passed, _ in told(instance)] == [True, False, True]


def test_a_sweep_of_many_ticks_tells_trouble_at_once_and_its_end_at_the_end(ticker, instance, source, monkeypatch):
    ticker.tick()
    looked = []

    def slowly(self, archive, state, prefixes, guard, deadline):
        looked.append(prefixes[0])
        yield detect_change(archive, state, prefixes[0], guard)

    monkeypatch.setattr(ChangeDetector, "sweep", slowly)
    (source / "b" / "1").unlink()
    passed = []
    for _ in range(8):
        line = ticker.tick().skip_reason.skip_message
        assert line.startswith("Looked at 1 of 4 prefixes: ")
        passed.append([one for one, _ in told(instance)])
    assert looked == list("abcdabcd")
    assert passed == [[True], *[[True, False]] * 7]


def test_the_check_says_the_same_by_hand_and_in_runs(ticker, instance, source, lake):
    definitions = build_definitions(ticker.archive, ticker.lake)

    def execute():
        job = definitions.resolve_implicit_global_asset_job_def().get_subset(asset_check_selection={alarms.check_key()})
        (found,) = job.execute_in_process(instance=instance).get_asset_check_evaluations()
        return found.passed, found.description

    assert execute() == (True, "All prefixes are followed.")
    (source / "a" / "1").unlink()
    ticker.tick()
    assert execute() == (False, "1 deletion refused"), "as the sensor told it"
    source.rename(source.with_name("away"))
    assert execute()[0] is False
    with pytest.raises(ArchiveNotFollowedError):
        ticker.tick()
    source.with_name("away").rename(source)
    assert execute()[0] is True
    ticker.tick()
    assert told(instance)[-1] == (False, "1 deletion refused")


def test_the_job_of_the_sensor_has_all_tables_and_leaves_the_check_to_it(ticker, source):
    job = build_definitions(ticker.archive, ticker.lake).resolve_job_def("update_catalog")
    assert "file_index_archive_is_followed" not in {node.name for node in job.nodes}
    assert {"file_index", "extraction", "object_catalog", "file_index_checks"} <= {node.name for node in job.nodes}

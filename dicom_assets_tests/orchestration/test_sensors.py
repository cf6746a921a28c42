"""The archive sensor: partitions, runs, and what it leaves alone."""

import json
import shutil
import time
from datetime import timedelta

import dagster as dg
import pytest
from dagster._core.test_utils import create_run_for_test

from dicom_assets.archive.local import LocalArchive
from dicom_assets.orchestration.alarms import ArchiveNotFollowedError
from dicom_assets.orchestration.assets.specs import UpdateConfig
from dicom_assets.orchestration.definitions import build_definitions
from dicom_assets.orchestration.resources.archive import ArchiveResource
from dicom_assets.orchestration.resources.lake import LakeResource
from dicom_assets.orchestration.runs import STATES_TAG
from dicom_assets.orchestration.sensors import NAME, SensorOptions
from dicom_assets.pipeline.difference import UpdateMode
from dicom_assets_tests.support.denied import deny
from dicom_assets_tests.support.made_up import follow, write
from dicom_assets_tests.support.ticking import Ticker, ranges


@pytest.fixture
def make(instance, source, lake):
    def build(**options):
        archive = ArchiveResource(source=str(source), prefix_depth=1)
        return Ticker(instance, archive, LakeResource(root_uri=lake.root), SensorOptions(**options))

    return build


@pytest.fixture
def ticker(make):
    return make()


def settle(source, lake, prefixes):
    follow(lake, LocalArchive(str(source), 1), list(prefixes))


def test_new_prefixes_are_registered_sorted_and_asked_for_as_one_range(ticker):
    result = ticker.tick()
    assert ticker.keys == list("abcd")
    assert ranges(result) == [("a", "d")]


def test_only_what_changed_is_asked_for(ticker, source, lake):
    ticker.tick()
    settle(source, lake, "abcd")
    assert ticker.tick().run_requests == []
    write(source / "b" / "2")
    write(source / "c" / "1", "other")
    write(source / "e" / "1")
    assert ranges(ticker.tick()) == [("b", "c"), ("e", "e")]


def test_a_prefix_that_changes_twice_is_asked_for_twice(ticker, source, lake):
    settle(source, lake, "abcd")
    keys = []
    for content in ("first", "other"):
        write(source / "a" / "1", content)
        (request,) = ticker.tick().run_requests
        keys.append(request.run_key)
        (again,) = ticker.tick().run_requests
        assert again.run_key == request.run_key, "the daemon drops what it has started already"
        settle(source, lake, "a")
    assert len(set(keys)) == 2


def test_a_prefix_that_a_run_holds_is_not_asked_for(ticker, instance):
    ticker.tick()
    tags = {"dagster/asset_partition_range_start": "a", "dagster/asset_partition_range_end": "b"}
    create_run_for_test(instance, tags=tags, status=dg.DagsterRunStatus.STARTING)
    create_run_for_test(instance, tags={"dagster/partition": "d"}, status=dg.DagsterRunStatus.STARTED)
    assert ranges(ticker.tick()) == [("c", "c")]


def test_a_failed_range_is_asked_for_prefix_by_prefix_after_a_pause(ticker, instance, monkeypatch):
    (request,) = ticker.tick().run_requests
    tags = {**request.tags, "dagster/sensor_name": NAME, "dagster/run_key": request.run_key}
    assert len(tags[STATES_TAG].split()) == 4
    run = create_run_for_test(instance, tags=tags, status=dg.DagsterRunStatus.STARTED)
    instance.report_run_failed(run)
    assert ticker.tick().run_requests == []
    monkeypatch.setattr("dicom_assets.orchestration.due_runs._FIRST_PAUSE", timedelta(0))
    assert ranges(ticker.tick()) == [(key, key) for key in "abcd"]


def test_a_vanished_prefix_is_dropped_first_and_its_key_deleted_when_nothing_holds_it(ticker, instance, source, lake):
    ticker.tick()
    settle(source, lake, "abcd")
    shutil.rmtree(source / "b")
    assert ranges(ticker.tick()) == [("b", "b")], "a run drops the rows"
    assert "b" in ticker.keys
    settle(source, lake, "b")
    run = create_run_for_test(instance, tags={"dagster/partition": "b"}, status=dg.DagsterRunStatus.STARTED)
    ticker.tick()
    assert "b" in ticker.keys, "while a run holds it"
    instance.report_run_canceled(run)
    ticker.tick()
    assert ticker.keys == list("acd")


def test_rows_whose_key_is_not_registered_are_dropped_too(ticker, source, lake):
    settle(source, lake, "abcd")
    shutil.rmtree(source / "b")
    assert ranges(ticker.tick()) == [("b", "b")]


@pytest.mark.parametrize("fault", ["gone", "empty", "a file"])
def test_a_root_that_is_gone_or_empty_changes_nothing_and_says_so(ticker, source, lake, fault):
    ticker.tick()
    settle(source, lake, "abcd")
    shutil.rmtree(source)
    if fault == "empty":
        source.mkdir()
    elif fault == "a file":
        source.write_text("")
    with pytest.raises(ArchiveNotFollowedError, match=r"^Nothing was changed: .*archive"):
        ticker.tick()
    assert ticker.keys == list("abcd")


def test_a_prefix_that_cannot_be_listed_says_so_and_does_not_stop_the_others(ticker, source, lake, monkeypatch):
    settle(source, lake, "abcd")
    for prefix in "ab":
        write(source / prefix / "2")

    def listing(self, prefix, original=LocalArchive.list):
        if prefix == "a":
            raise PermissionError("cannot list a: Permission denied")
        return original(self, prefix)

    monkeypatch.setattr(LocalArchive, "list", listing)
    assert ranges(ticker.tick()) == [("b", "b")]
    settle(source, lake, "b")
    assert "cannot list a" in ticker.tick().skip_reason.skip_message


def test_a_folder_above_the_prefixes_that_cannot_be_listed_stops_no_other_and_loses_no_partition(
    instance, source, lake, monkeypatch
):
    for prefix in "abcd":
        write(source / prefix / "x" / "1")
    archive = ArchiveResource(source=str(source), prefix_depth=2)
    ticker = Ticker(instance, archive, LakeResource(root_uri=lake.root), SensorOptions())
    instance.add_dynamic_partitions("prefix", ["a/x", "a/y"])
    deny(monkeypatch, source / "a", source / "a" / "x")
    assert ranges(ticker.tick()) == [(".", "d/x")]
    assert {"a/x", "a/y"} <= set(ticker.keys)
    follow(lake, archive.open(), [key for key in ticker.keys if key != "a/x"])
    skipped = ticker.tick().skip_reason.skip_message
    assert f"cannot list {source}/a: Permission denied" in skipped


def test_mass_deletion_is_refused_until_allowed(make, source, lake):
    for number in range(101):
        write(source / "a" / str(number))
    settle(source, lake, "abcd")
    shutil.rmtree(source / "a")
    refused = make().tick()
    assert refused.run_requests == []
    assert "allow_mass_deletion" in refused.skip_reason.skip_message


def test_another_source_changes_nothing_and_the_tick_says_so(make, ticker, source, lake):
    ticker.tick()
    settle(source, lake, "abcd")
    other = source.with_name("other")
    write(other / "z" / "1")
    stranger = make()
    stranger.archive = ArchiveResource(source=str(other), prefix_depth=1)
    with pytest.raises(ArchiveNotFollowedError) as caught:
        stranger.tick()
    for words in ("Nothing was changed", f"{source}, not to {other}", "--schema", "--move-source"):
        assert words in str(caught.value)
    assert stranger.keys == list("abcd")


def test_prefixes_that_are_all_there_and_all_empty_are_refused(ticker, source, lake):
    ticker.tick()
    settle(source, lake, "abcd")
    for prefix in "abcd":
        (source / prefix / "1").unlink()
    result = ticker.tick()
    assert result.run_requests == []
    assert "the folder is there and empty" in result.skip_reason.skip_message
    assert "allow_mass_deletion: true" in result.skip_reason.skip_message


def test_most_prefixes_of_a_small_catalog_that_vanish_are_refused(ticker, source, lake):
    ticker.tick()
    settle(source, lake, "abcd")
    for prefix in "abc":
        shutil.rmtree(source / prefix)
    result = ticker.tick()
    assert result.run_requests == []
    assert "3 of 4 files of the catalog" in result.skip_reason.skip_message


def test_kept_rows_ask_for_runs_in_their_mode(make, source, lake):
    settle(source, lake, "abcd")
    shutil.rmtree(source / "a")
    ticker = make(mode=UpdateMode.APPEND)
    (request,) = ticker.tick().run_requests
    assert request.run_config["ops"]["file_index"]["config"] == {"mode": "append"}
    definitions = build_definitions(ticker.archive, ticker.lake)
    job = definitions.resolve_implicit_global_asset_job_def()
    assert dg.validate_run_config(job, request.run_config)["ops"]["extraction"]["config"]["mode"] == "append"


@pytest.mark.parametrize("word", ["overwrite", "OVERWRITE"])
def test_run_config_takes_the_words_of_the_command_line_and_those_of_before(make, word):
    job = build_definitions(make().archive, make().lake).resolve_implicit_global_asset_job_def()
    config = dg.validate_run_config(job, {"ops": {"extraction": {"config": {"mode": word}}}})
    assert UpdateConfig(**config["ops"]["extraction"]["config"]).update_mode is UpdateMode.OVERWRITE


def test_run_config_refuses_other_words(make):
    job = build_definitions(make().archive, make().lake).resolve_implicit_global_asset_job_def()
    with pytest.raises(dg.DagsterInvalidConfigError, match="not in enum type RunMode got anew"):
        dg.validate_run_config(job, {"ops": {"extraction": {"config": {"mode": "anew"}}}})


def reached(cursor):
    return json.loads(cursor)["after"]


def test_a_sweep_takes_several_ticks_and_its_cursor_stays_small(make, source, lake, monkeypatch):
    def slow(self, prefix, original=LocalArchive.list):
        time.sleep(0.3)
        return original(self, prefix)

    monkeypatch.setattr(LocalArchive, "list", slow)
    for number in range(60):
        write(source / f"p{number:02d}" / "1")
    ticker = make(tick_seconds=0.5)
    asked, cursors = [], []
    # On a busy machine a tick may end before the first prefix is looked at.
    while not any(map(reached, cursors)) or reached(cursors[-1]):
        started = time.monotonic()
        asked += ranges(ticker.tick())
        cursors.append(ticker.cursor)
        assert time.monotonic() - started < 3
    assert 2 <= len(cursors) < 20
    assert max(map(len, cursors)) < 60
    place = {key: index for index, key in enumerate(ticker.keys)}
    covered = [key for first, last in asked for key in ticker.keys[place[first] : place[last] + 1]]
    assert sorted(covered) == ticker.keys


def test_a_slow_look_at_the_root_does_not_starve_the_sweep(make, monkeypatch):
    def slow(self, original=LocalArchive.prefixes):
        time.sleep(0.6)
        return original(self)

    monkeypatch.setattr(LocalArchive, "prefixes", slow)
    assert ranges(make(tick_seconds=0.5).tick()) == [("a", "d")]


@pytest.mark.parametrize("text", [None, "", "no json", "[]", '{"after": 1}', '{"other": "x"}'])
def test_a_cursor_that_cannot_be_read_begins_a_new_sweep(ticker, text):
    ticker.cursor = text
    assert ranges(ticker.tick()) == [("a", "d")]

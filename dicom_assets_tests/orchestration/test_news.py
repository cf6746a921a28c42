"""News instead of sweeps: what is told is looked at in the next tick, and sweeps keep their own pace."""

import dagster as dg
import pytest
from dagster._core.test_utils import create_run_for_test

from dicom_assets.archive.local import LocalArchive
from dicom_assets.orchestration.cursor import Cursor
from dicom_assets.orchestration.news import NAMES, tell_news
from dicom_assets.orchestration.resources.archive import ArchiveResource
from dicom_assets.orchestration.resources.lake import LakeResource
from dicom_assets.orchestration.sensors import SensorOptions
from dicom_assets_tests.support.made_up import follow, write
from dicom_assets_tests.support.ticking import Ticker, ranges

RARELY = SensorOptions(sweep_minutes=24 * 60)


@pytest.fixture
def ticker(instance, source, lake):
    """A sensor that has just swept over a catalog that is up to date."""
    follow(lake, LocalArchive(str(source), 1), list("abcd"))
    ticker = Ticker(instance, ArchiveResource(source=str(source)), LakeResource(root_uri=lake.root), RARELY)
    assert ticker.tick().run_requests == []
    return ticker


def report(instance, **what):
    instance.report_runless_asset_event(dg.AssetObservation("archive", **what))


def test_between_sweeps_only_what_is_told_is_looked_at(ticker, source, instance, monkeypatch):
    write(source / "b" / "2")
    write(source / "c" / "2")
    listed = []
    original = LocalArchive.list
    monkeypatch.setattr(LocalArchive, "list", lambda self, prefix: listed.append(prefix) or original(self, prefix))
    monkeypatch.setattr(LocalArchive, "prefixes", lambda _: pytest.fail("no sweep is due"))
    assert ticker.tick().run_requests == []
    assert listed == []
    tell_news(instance, ["b"])
    result = ticker.tick()
    assert ranges(result) == [("b", "b")]
    assert set(listed) == {"b"}


@pytest.mark.parametrize(
    "told",
    [
        {"partition": "e"},
        {"metadata": {NAMES: ["e/1", "/elsewhere/x"]}},
        {"metadata": {NAMES: "e/1\ne/2"}},
    ],
)
def test_a_prefix_that_is_new_is_registered_and_asked_for(ticker, source, instance, told):
    write(source / "e" / "1")
    report(instance, **told)
    assert ranges(ticker.tick()) == [("e", "e")]
    assert "e" in ticker.keys


@pytest.mark.parametrize("odd", ["nothing", "../up", "a/b", "", "x,y", "*"])
def test_what_is_told_of_and_is_not_there_leaves_no_partition_and_no_run(ticker, instance, odd):
    report(instance, partition=odd)
    report(instance, metadata={NAMES: [odd, "../../etc/passwd"]})
    assert ticker.tick().run_requests == []
    assert ticker.keys == list("abcd")


def test_what_changed_is_looked_at_until_a_run_has_done_it(ticker, source, lake, instance):
    write(source / "b" / "2")
    tell_news(instance, ["b", "a"])
    ticker.tick()
    assert Cursor.read(ticker.cursor).told == ("b",)
    held = dg.DagsterRunStatus.STARTED
    run = create_run_for_test(instance, tags={"dagster/partition": "b"}, status=held)
    assert ticker.tick().run_requests == []
    assert Cursor.read(ticker.cursor).told == ("b",), "a run holds it, and may be too early for the change"
    instance.report_run_failed(run)
    assert ranges(ticker.tick()) == [("b", "b")]
    follow(lake, LocalArchive(str(source), 1), ["b"])
    assert ticker.tick().run_requests == []
    assert Cursor.read(ticker.cursor).told == ()


def test_a_sweep_at_its_time_finds_what_nobody_told_and_what_it_finds_is_followed(ticker, source, instance):
    write(source / "c" / "2")
    cursor = Cursor.read(ticker.cursor)
    ticker.cursor = Cursor(began=cursor.began - 24 * 3600, news=cursor.news).write()
    assert ranges(ticker.tick()) == [("c", "c")]
    assert Cursor.read(ticker.cursor).told == ("c",)


def test_old_news_are_not_heard_by_a_sensor_that_begins_with_a_sweep(instance, source, lake):
    tell_news(instance, list("abcd"))
    ticker = Ticker(instance, ArchiveResource(source=str(source)), LakeResource(root_uri=lake.root), RARELY)
    ticker.tick()
    assert Cursor.read(ticker.cursor).news > 0


def test_more_than_a_cursor_holds_waits_where_it_was_told(ticker, source, instance, monkeypatch):
    monkeypatch.setattr("dicom_assets.orchestration.listening.MOST_TOLD", 2)
    for prefix in "abc":
        write(source / prefix / "2")
    tell_news(instance, list("abc"))
    assert ranges(ticker.tick()) == [("a", "b")]
    assert ranges(ticker.tick()) == [("a", "b")], "the same two, until they are done"
    follow(ticker.lake.open(), LocalArchive(str(source), 1), ["a", "b"])
    ticker.tick()
    assert ranges(ticker.tick()) == [("c", "c")]


@pytest.mark.parametrize("text", [None, "", "{}", "[]", "7", '{"after": "a", "told": 3}', '{"began": "x"}', '{"after"'])
def test_a_cursor_of_an_older_release_or_of_nobody_begins_anew(text):
    assert Cursor.read(text).sweeps(1e9, 60)


def test_a_cursor_comes_back():
    cursor = Cursor("a", began=7.5, news=3, told=("x", "y"))
    assert Cursor.read(cursor.write()) == cursor

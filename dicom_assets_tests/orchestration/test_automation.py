"""The catalog follows its upstream tables by itself, series and studies follow it, and all stop when they have."""

import dagster as dg
import pytest
from dagster._core.definitions.data_version import CachingStaleStatusResolver, StaleCauseCategory
from dagster._core.loader import LoadingContextForTest

from dicom_assets.dicom.render.options import ThumbnailOptions
from dicom_assets.extract.headers import DICOM_HEADERS
from dicom_assets.extract.metadata import FILE_METADATA
from dicom_assets.extract.model import DEFAULT_EXTRACTORS, DEFAULT_MODEL, OBJECT_CATALOG
from dicom_assets.extract.thumbnails import THUMBNAILS, ThumbnailExtractor
from dicom_assets.orchestration.definitions import build_definitions
from dicom_assets.tables import FILE_INDEX
from dicom_assets_tests.support.whole import Deployment, put

ROLLUPS = [table.name for table in DEFAULT_MODEL.rollups]


@pytest.fixture
def deployment(tmp_path, spark):
    for number, prefix in enumerate("abcd"):
        put(tmp_path / "source" / prefix / "1.dcm", number)
    with dg.DagsterInstance.ephemeral() as instance:
        yield Deployment(instance, tmp_path / "source", str(tmp_path / "lake"), checked=False)


class Automation:
    """Evaluates the conditions again and again.

    Attributes
    ----------
    rollups
        Which partitions of series and studies the last tick asked for.

    """

    def __init__(self, deployment):
        self.deployment = deployment
        self.cursor = None
        self.rollups = set()
        self.tick()

    def requested(self):
        """Return which partitions of the catalog are due: a tick sees the news, the next one asks."""
        assert (self.tick(), self.rollups) == (set(), set())
        return self.tick()

    def tick(self):
        """Return which partitions of the catalog one tick asks for."""
        result = dg.evaluate_automation_conditions(
            self.deployment.definitions, self.deployment.instance, cursor=self.cursor
        )
        self.cursor = result.cursor
        names = [OBJECT_CATALOG.name, *ROLLUPS]
        asked = [result.get_requested_partitions(dg.AssetKey(name)) for name in names]
        assert result.total_requested == sum(map(len, asked)), "nothing else is automatic"
        catalog, self.rollups, studies = asked
        assert self.rollups == studies, "one reading of the catalog serves both"
        return catalog


def test_headers_alone_end_with_a_fresh_catalog(deployment):
    deployment.register()
    automation = Automation(deployment)
    deployment.run("a", "d")
    assert automation.requested() == set(), "the run made the catalog itself"
    put(deployment.source / "b" / "2.dcm", 7)
    put(deployment.source / "c" / "1.dcm", 8)
    deployment.run("b", "c", [FILE_INDEX.name])
    deployment.run("b", "c", [DICOM_HEADERS.name])
    assert automation.requested() == {"b", "c"}
    assert automation.requested() == set(), "asked once"
    deployment.run("b", "c", [OBJECT_CATALOG.name])
    assert automation.requested() == set(), "the catalog itself asks for nothing"
    assert automation.rollups == {"b", "c"}, "what is made of it follows it"
    deployment.run("b", "c", ROLLUPS)
    assert (automation.requested(), automation.rollups) == (set(), set()), "and asks for nothing"
    rows = deployment.lake.snapshot(OBJECT_CATALOG).keys(["InstanceNumber", "header_status", "thumbnail_status"])
    found = {
        row["path"].rpartition("/source/")[2]: (row["InstanceNumber"], row["header_status"], row["thumbnail_status"])
        for row in rows.to_pylist()
    }
    assert found == {
        "a/1.dcm": (0, "ok", "ok"),
        "b/1.dcm": (1, "ok", "ok"),
        "b/2.dcm": (7, "ok", None),
        "c/1.dcm": (8, "ok", None),
        "d/1.dcm": (3, "ok", "ok"),
    }
    for table in DEFAULT_MODEL.rollups:
        entities = deployment.lake.snapshot(table).keys([]).to_pylist()
        numbers = sorted((row["prefix"], row[table.key].rpartition(".")[2]) for row in entities)
        assert numbers == [("a", "0"), ("b", "1"), ("b", "7"), ("c", "8"), ("d", "3")], table.name


def test_a_tick_amid_a_run_over_all_tables_asks_for_nothing(deployment):
    deployment.register()
    automation = Automation(deployment)
    deployment.run("a", "b", [table.name for table in (FILE_INDEX, *DEFAULT_MODEL.extracted)])
    assert automation.tick() == set(), "events of the catalog may be on their way"
    deployment.run("a", "a", [OBJECT_CATALOG.name])
    assert (automation.tick(), automation.rollups) == ({"b"}, set())
    assert (automation.tick(), automation.rollups) == (set(), {"a"}), "of the catalog that was made"
    assert (automation.tick(), automation.rollups) == (set(), set())


def test_a_prefix_without_thumbnails_is_cataloged_too(deployment):
    deployment.register()
    automation = Automation(deployment)
    deployment.run("a", "a", [FILE_INDEX.name, DICOM_HEADERS.name])
    assert automation.requested() == {"a"}


def test_an_update_right_after_the_catalog_is_not_forgotten(deployment):
    deployment.register()
    automation = Automation(deployment)
    deployment.run("a", "b")
    deployment.run("a", "a", [DICOM_HEADERS.name])
    assert automation.requested() == {"a"}, "both fell into one tick"


def test_a_request_that_came_to_nothing_is_not_repeated_until_there_is_news(deployment):
    deployment.register()
    automation = Automation(deployment)
    deployment.run("a", "a", [FILE_INDEX.name])
    assert automation.requested() == {"a"}
    assert automation.requested() == set()
    deployment.run("a", "a", [DICOM_HEADERS.name])
    assert automation.requested() == {"a"}


def test_a_stale_extractor_version_shows(deployment):
    deployment.register()
    deployment.run("a", "a")
    smaller = ThumbnailExtractor(ThumbnailOptions(longest_side=64))
    newer = build_definitions(
        deployment.archive, deployment.lake_resource, extractors=[*DEFAULT_EXTRACTORS[:2], smaller]
    )
    assert _stale(deployment, deployment.definitions, "a") == set()
    assert _stale(deployment, newer, "a") == {"thumbnails"}


def _stale(deployment, definitions, prefix):
    """Return the assets that the UI marks as made by an older version of the code."""
    graph = definitions.resolve_asset_graph()
    resolver = CachingStaleStatusResolver(deployment.instance, graph, LoadingContextForTest(deployment.instance))
    causes = [cause for key in graph.get_all_asset_keys() for cause in resolver.get_stale_causes(key, prefix)]
    return {cause.key.asset_key.path[-1] for cause in causes if cause.category is StaleCauseCategory.CODE}


def test_the_catalog_waits_while_an_upstream_fails_and_follows_when_it_succeeds(deployment, monkeypatch):
    deployment.register()
    automation = Automation(deployment)
    deployment.run("a", "d")
    assert automation.requested() == set()
    put(deployment.source / "b" / "2.dcm", 7)
    with monkeypatch.context() as patch:
        patch.setattr("dicom_assets.pipeline.extraction.ExtractionStep.plan", _made_to_fail)
        assert not deployment.run("b", "b", raise_on_error=False).success
    assert automation.requested() == set(), "the index is newer, but the tables between have failed"
    deployment.run("c", "c", [DICOM_HEADERS.name])
    assert automation.requested() == {"c"}, "other prefixes go on"
    deployment.run("b", "b", [DICOM_HEADERS.name])
    assert automation.requested() == set(), "thumbnails are still failing"
    deployment.run("b", "b", [THUMBNAILS.name, FILE_METADATA.name])
    assert automation.requested() == {"b"}


def _made_to_fail(*_):
    raise ValueError("made to fail")

"""The pass follows the index as it was when the plan was made, whatever becomes of it meanwhile."""

import json

import pytest

from dicom_assets.archive.local import LocalArchive
from dicom_assets.delta.snapshot import live_files
from dicom_assets.extract.headers import DICOM_HEADERS
from dicom_assets.extract.model import DEFAULT_EXTRACTORS, DEFAULT_MODEL
from dicom_assets.pipeline.converge import converge
from dicom_assets.pipeline.extraction import ExtractionStep
from dicom_assets.spark.work import InProcess
from dicom_assets_tests.support.made_up import index
from dicom_assets_tests.support.scratch import IN_PROCESS, ON_SPARK, clean
from dicom_assets_tests.support.whole import contents, paths_of, put

NAMES = [extractor.table.name for extractor in DEFAULT_EXTRACTORS]
PREFIXES = ["a", "b"]


@pytest.fixture
def source(tmp_path):
    for number, name in enumerate(("a/1", "a/2", "a/3", "b/1", "b/2")):
        put(tmp_path / "source" / name, number)
    return tmp_path / "source"


@pytest.fixture
def archive(source):
    return LocalArchive(str(source), 1)


@pytest.mark.parametrize("engine", [IN_PROCESS, ON_SPARK], ids=["in process", "Spark"])
def test_one_pass_stages_the_files_of_all_tables_and_commits_none(spark, archive, lake, engine):
    index(lake, archive, PREFIXES)
    lake.ensure(DEFAULT_MODEL.tables)
    step = ExtractionStep(lake, archive, DEFAULT_EXTRACTORS, PREFIXES)
    staged = step.stage(step.plan(), NAMES[:2], engine)
    counts = {name: sum(json.loads(add.stats)["numRecords"] for add in adds) for name, adds in staged.adds.items()}
    assert counts == {"file_metadata": 5, "dicom_headers": 5}
    assert staged.engine.startswith("Spark") is (engine is ON_SPARK)
    for name in NAMES:
        assert live_files(lake.location(DEFAULT_MODEL.table(name)).open()) == (), "nothing is visible before the commit"


def extracted(lake, archive, move):
    """Run the pass while the index moves, and return what it says and the plans that it made."""

    class Moving(ExtractionStep):
        moved = False

        def stage(self, plan, names, engine):
            if not Moving.moved:
                Moving.moved = True
                move()
            return ExtractionStep.stage(self, plan, names, engine)

    return converge(Moving(lake, archive, DEFAULT_EXTRACTORS, PREFIXES), InProcess(), {})


@pytest.mark.parametrize("change", ["added", "removed", "changed"])
def test_an_index_that_moves_between_planning_and_staging_loses_and_counts_no_file_twice(
    archive, source, lake, tmp_path, change
):
    lake.ensure(DEFAULT_MODEL.tables)
    index(lake, archive, PREFIXES)

    def move():
        if change == "added":
            put(source / "a" / "4", 4)
        elif change == "removed":
            (source / "a" / "2").unlink()
        else:
            put(source / "a" / "2", 22)
        index(lake, archive, PREFIXES)

    done = extracted(lake, archive, move)
    for name in NAMES:
        outcome = done.outcomes[name]
        assert outcome.added == {"a": 3, "b": 2}, "what the plan names, once"
        assert sum(outcome.rows(prefix) for prefix in PREFIXES) == len(paths_of(lake)[name]), (
            "as many rows as it counts"
        )
    again = converge(ExtractionStep(lake, archive, DEFAULT_EXTRACTORS, PREFIXES), InProcess(), {})
    for name in NAMES:
        outcome = again.outcomes[name]
        moved = {
            "added": (outcome.added == {"a": 1}, not outcome.changed, not outcome.removed),
            "removed": (not outcome.added, not outcome.changed, outcome.removed == {"a": 1}),
            "changed": (not outcome.added, outcome.changed == {"a": 1}, not outcome.removed),
        }[change]
        assert all(moved), f"{name}: the next run finds exactly what moved"
    expected = contents(clean(archive, tmp_path / "clean"))
    assert {name: contents(lake)[name] for name in NAMES} == {name: expected[name] for name in NAMES}


def test_all_tables_are_planned_by_one_reading_of_the_index(archive, lake, monkeypatch):
    lake.ensure(DEFAULT_MODEL.tables)
    index(lake, archive, PREFIXES)
    read = []
    real = type(lake).snapshot

    def counted(self, table, prefixes=None):
        read.append(table.name)
        return real(self, table, prefixes)

    monkeypatch.setattr(type(lake), "snapshot", counted)
    plan = ExtractionStep(lake, archive, DEFAULT_EXTRACTORS, PREFIXES).plan()
    assert read.count("file_index") == 1
    assert [table.difference.work.num_rows for table in plan.tables.values()] == [5, 5, 5]


def test_a_plan_cannot_be_changed(archive, lake):
    lake.ensure(DEFAULT_MODEL.tables)
    index(lake, archive, PREFIXES)
    plan = ExtractionStep(lake, archive, DEFAULT_EXTRACTORS, PREFIXES).plan()
    with pytest.raises(AttributeError):
        plan.index = plan.index.slice(0, 0)
    assert set(plan.tables) == set(NAMES)
    assert plan.tables[DICOM_HEADERS.name].difference.work.num_rows == 5

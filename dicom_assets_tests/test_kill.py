"""A run that is killed leaves whole commits only, and the next one ends where a clean build does."""

import random
import time
from datetime import timedelta
from pathlib import Path

import pytest

from dicom_assets.archive.local import LocalArchive
from dicom_assets.delta.maintenance import vacuum
from dicom_assets.delta.snapshot import live_files
from dicom_assets.extract.model import DEFAULT_MODEL, OBJECT_CATALOG
from dicom_assets.extract.thumbnails import THUMBNAILS
from dicom_assets.tables import FILE_INDEX
from dicom_assets_tests.support.instances import instance_below
from dicom_assets_tests.support.runner import spawn, wait_until_running
from dicom_assets_tests.support.scratch import build, clean
from dicom_assets_tests.support.storage import data_files, grow_old
from dicom_assets_tests.support.whole import Deployment, contents, put

PREFIXES = "abcde"
MOMENTS = 30
WEEK = timedelta(days=7)


def begun(_):
    return True


def indexed(lake):
    return committed(lake, FILE_INDEX)


def extracting(lake):
    return any(data_files(lake.location(THUMBNAILS)))


def committing(lake):
    return any(committed(lake, table) for table in DEFAULT_MODEL.extracted)


def extracted(lake):
    return all(committed(lake, table) for table in DEFAULT_MODEL.extracted)


def joining(lake):
    return any(data_files(lake.location(OBJECT_CATALOG)))


def cataloged(lake):
    return committed(lake, OBJECT_CATALOG)


def committed(lake, table):
    return lake.location(table).open().version() > 0


STAGES = (
    (begun, 0.1),
    (indexed, 6.0),
    (extracting, 0.5),
    (committing, 0.02),
    (committing, 0.1),
    (extracted, 0.4),
    (joining, 0.1),
    (cataloged, 0.2),
)
"""What a run has reached before it is killed, and how many seconds later at most: its commits follow each other within
a second, after several that Spark takes to start."""


def fill(source: Path, files: int) -> Path:
    for number in range(files):
        put(source / PREFIXES[number % len(PREFIXES)] / f"{number}.dcm", number)
    return source


class Victim:
    """A run over all prefixes into an empty lake, in a process of its own."""

    def __init__(self, source, folder):
        folder.mkdir()
        self.instance = instance_below(folder)
        self.deployment = Deployment(self.instance.__enter__(), source, str(folder / "lake"))
        self.lake = self.deployment.lake
        self.deployment.register()
        self.process = spawn(self.deployment, PREFIXES[0], PREFIXES[-1])
        self.began = wait_until_running(self.process)

    def wait_for(self, stage):
        while not (self.lake.location(DEFAULT_MODEL.tables[-1]).exists() and stage(self.lake)):
            assert self.process.poll() is None, "the run ended before that"
            time.sleep(0.002)

    def kill(self):
        self.process.kill()
        self.process.communicate()
        self.instance.__exit__(None, None, None)

    def check(self, expected):
        """Compare with a clean build: at once whole commits or nothing, and equal after the next run."""
        self.lake.ensure(DEFAULT_MODEL.tables)
        found = contents(self.lake)
        for name, rows in found.items():
            assert rows in ([], expected[name]), f"{name} holds a part of a commit"
        build(self.lake, self.deployment.archive.open())
        assert contents(self.lake) == expected
        return [name for name, rows in found.items() if rows]

    def orphans(self):
        """Return the data files that no version of any table holds."""
        found = {}
        for table in DEFAULT_MODEL.tables:
            location = self.lake.location(table)
            found[table.name] = data_files(location) - {file.path for file in live_files(location.open())}
        return found


def test_killed_between_writing_and_commit(spark, tmp_path):
    source = fill(tmp_path / "source", 20)
    expected = contents(clean(LocalArchive(str(source), 1), tmp_path / "clean"))
    victim = Victim(source, tmp_path / "victim")
    victim.wait_for(extracting)
    victim.kill()
    assert "object_catalog" not in victim.check(expected)
    orphans = victim.orphans()
    for name, files in orphans.items():
        location = next(victim.lake.location(table) for table in DEFAULT_MODEL.tables if table.name == name)
        assert vacuum(location, WEEK) == [], "they may belong to a run under way"
        grow_old(location, files)
        vacuum(location, WEEK)
    assert not any(victim.orphans().values())
    assert contents(victim.lake) == expected


@pytest.mark.slow
@pytest.mark.timeout(7200)
def test_killed_at_random_moments(spark, tmp_path):
    source = fill(tmp_path / "source", 500)
    expected = contents(clean(LocalArchive(str(source), 1), tmp_path / "clean"))
    luck, reached = random.Random(0), []
    for moment in range(MOMENTS):
        stage, longest = STAGES[moment % len(STAGES)]
        victim = Victim(source, tmp_path / str(moment))
        victim.wait_for(stage)
        time.sleep(luck.uniform(0, longest))
        victim.kill()
        reached.append(len(victim.check(expected)))
    print(f"\ntables committed at the kill, of {MOMENTS} kills: {sorted(reached)}")
    assert len(set(reached)) > 2, "the moments were spread over the run"

"""A Spark task that is lost is computed again; what it had written is never seen."""

import os
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from dicom_assets.archive.base import ArchiveError
from dicom_assets.archive.local import LocalArchive
from dicom_assets.extract.headers import DICOM_HEADERS
from dicom_assets_tests.support.scratch import build, clean
from dicom_assets_tests.support.whole import contents, put


@dataclass(frozen=True)
class DeadlyArchive(LocalArchive):
    """Reading the last file kills the worker process, as often as there are lives."""

    grave: str = ""
    lives: int = 1

    @contextmanager
    def open(self, path, listed=None):
        died = len(list(Path(self.grave).iterdir()))
        if path.endswith("last.dcm") and died < self.lives:
            (Path(self.grave) / str(died)).touch()
            os._exit(1)
        with super().open(path, listed) as source:
            yield source


@pytest.fixture
def source(tmp_path):
    for number in range(3):
        put(tmp_path / "source" / "a" / f"{number}.dcm", number)
    put(tmp_path / "source" / "a" / "last.dcm", 9)
    (tmp_path / "grave").mkdir()
    return tmp_path / "source"


def test_a_task_whose_worker_dies_is_computed_again(spark, lake, source, tmp_path):
    archive = DeadlyArchive(str(source), 1, grave=str(tmp_path / "grave"))
    build(lake, archive)
    assert len(list((tmp_path / "grave").iterdir())) == 1, "a worker died"
    assert contents(lake) == contents(clean(LocalArchive(str(source), 1), tmp_path / "clean"))


def test_a_run_whose_task_dies_every_time_commits_nothing_and_the_next_ends_well(spark, lake, source, tmp_path):
    archive = DeadlyArchive(str(source), 1, grave=str(tmp_path / "grave"), lives=100)
    with pytest.raises(Exception, match=r"(?i)worker|python"):
        build(lake, archive)
    assert contents(lake)[DICOM_HEADERS.name] == []
    healthy = LocalArchive(str(source), 1)
    build(lake, healthy)
    assert contents(lake) == contents(clean(healthy, tmp_path / "clean"))


@dataclass(frozen=True)
class LostArchive(LocalArchive):
    """Every read fails, and so does the root: the share is gone."""

    def open(self, path, listed=None):
        raise OSError(116, "Stale file handle")

    def check(self):
        raise ArchiveError("cannot list the archive root: Stale file handle")


def test_an_archive_out_of_reach_fails_the_run_and_writes_no_row(spark, lake, source, tmp_path):
    with pytest.raises(Exception, match="Stale file handle"):
        build(lake, LostArchive(str(source), 1), ["a"])
    assert contents(lake)[DICOM_HEADERS.name] == []

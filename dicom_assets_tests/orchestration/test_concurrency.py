"""Many runs at once, over the same prefixes and others, with maintenance beside them."""

import random
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from dicom_assets.archive.local import LocalArchive
from dicom_assets.delta.commit import CommitConflictError
from dicom_assets.delta.maintenance import MaintenanceOptions, maintain
from dicom_assets.extract.model import DEFAULT_MODEL
from dicom_assets_tests.support.instances import instance_below
from dicom_assets_tests.support.runner import spawn
from dicom_assets_tests.support.scratch import build, clean
from dicom_assets_tests.support.whole import Deployment, contents, put

RUNS = (["a"], ["b"], ["a", "b"], ["b", "c"], ["a", "b", "c"], ["a", "b", "c"])
"""What each of six runs is for."""


@pytest.fixture
def source(tmp_path):
    for number in range(18):
        put(tmp_path / "source" / "abc"[number % 3] / f"{number}.dcm", number)
    return tmp_path / "source"


def change(source, seed):
    """Add, replace and remove some files of every prefix."""
    luck = random.Random(seed)
    for folder in sorted(source.iterdir()):
        files = sorted(folder.iterdir())
        luck.choice(files).unlink()
        put(luck.choice(files), luck.randrange(100, 200), when=1e9 + seed)
        for number in range(3):
            put(folder / f"new-{seed}-{number}.dcm", luck.randrange(200, 300))


class Maintenance:
    """Maintains all tables again and again, in a thread, while the body runs."""

    def __init__(self, lake):
        self.lake, self.rounds = lake, 0
        self.stopped = threading.Event()
        self.pool = ThreadPoolExecutor(1)

    def __enter__(self):
        self.work = self.pool.submit(self.run)
        return self

    def run(self):
        while not self.stopped.is_set():
            for table in self.lake.existing(DEFAULT_MODEL.tables):
                maintain(self.lake.location(table), MaintenanceOptions(small_files=2))
            self.rounds += 1

    def __exit__(self, *_):
        self.stopped.set()
        self.work.result()


@pytest.mark.slow
def test_six_runs_and_maintenance_end_in_the_catalog_of_a_clean_build(spark, lake, source, tmp_path):
    archive = LocalArchive(str(source), 1)
    build(lake, archive)
    change(source, 0)
    with Maintenance(lake) as maintenance, ThreadPoolExecutor(len(RUNS)) as pool:
        running = [pool.submit(build, lake, archive, prefixes) for prefixes in RUNS]
        failed = [run.exception() for run in running if run.exception() is not None]
    assert all(isinstance(error, CommitConflictError) for error in failed), failed
    assert maintenance.rounds
    assert contents(lake) == contents(clean(archive, tmp_path / "clean"))
    assert not any(outcome.committed for outcome in build(lake, archive).values()), "nothing is left to do"


@pytest.mark.slow
@pytest.mark.timeout(1800)
def test_six_processes_and_maintenance_end_in_the_catalog_of_a_clean_build(spark, source, tmp_path):
    with instance_below(tmp_path) as instance:
        deployment = Deployment(instance, source, str(tmp_path / "lake"))
        deployment.register()
        for seed in range(2):
            with Maintenance(deployment.lake):
                processes = [spawn(deployment, prefixes[0], prefixes[-1]) for prefixes in RUNS]
                for process in processes:
                    process.communicate(timeout=900)
                assert [process.returncode for process in processes] == [0] * len(RUNS)
            archive = deployment.archive.open()
            assert contents(deployment.lake) == contents(clean(archive, tmp_path / f"clean-{seed}"))
            change(source, seed)

"""Whatever happens to the archive, the sensor and its runs lead to the catalog that a build from scratch gives."""

import shutil
import tempfile
from pathlib import Path

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, rule

from dicom_assets.delta.maintenance import MaintenanceOptions, maintain
from dicom_assets.extract.headers import DICOM_HEADERS
from dicom_assets.extract.model import DEFAULT_MODEL
from dicom_assets.orchestration.naming import ALONE
from dicom_assets.orchestration.sensors import SensorOptions
from dicom_assets.tables import FILE_INDEX, KEY
from dicom_assets_tests.support.instances import temporary_instance
from dicom_assets_tests.support.scratch import IN_PROCESS, ON_SPARK, clean
from dicom_assets_tests.support.ticking import Ticker, ranges
from dicom_assets_tests.support.whole import Deployment, contents, put

FOLDERS = ["", "a", "b", "b/deep", "2024 05", "ü"]
"""Where files come and go: above the prefix depth, in prefixes, below them."""
PATHS = [f"{folder}/{name}".lstrip("/") for folder in FOLDERS for name in ("1.dcm", "2.dcm", "notes.txt")]
PATIENCE = 6
ALLOWED = {"ops": {"file_index": {"config": {"allow_mass_deletion": True}}}}
"""Run config of those who mean it: here, most files come and go."""

paths = st.sampled_from(PATHS)
numbers = st.integers(0, 9)
ages = st.integers(1, 10**9)
changes = st.one_of(
    st.tuples(st.just("put"), paths, numbers),
    st.tuples(st.just("put old"), paths, numbers, ages),
    st.tuples(st.just("junk"), paths, numbers),
    st.tuples(st.just("touch"), paths, ages),
    st.tuples(st.just("rename"), paths, paths),
    st.tuples(st.just("remove"), paths),
    st.tuples(st.just("remove prefix"), st.sampled_from(["a", "b", "2024 05", "ü"])),
    st.tuples(st.just("rename prefix"), st.sampled_from(["a", "b"]), st.sampled_from(["a", "ü", "new"])),
)


def of_entities(number: int) -> dict[str, str]:
    """Return the study and series of a numbered image: a few, which stand in several prefixes."""
    return {"StudyInstanceUID": f"1.2.4.{number % 2}", "SeriesInstanceUID": f"1.2.5.{number % 3}"}


class Archive(RuleBasedStateMachine):
    """An archive under change, with its catalog."""

    @initialize()
    def begin(self):
        self.folder = Path(tempfile.mkdtemp(prefix="dicom-assets-model-"))
        self.instance = temporary_instance()
        self.source = self.folder / "source"
        put(self.source / "always" / "1.dcm", 0)
        self.deployment = Deployment(self.instance.__enter__(), self.source, str(self.folder / "lake"), checked=False)
        archive, lake = self.deployment.archive, self.deployment.lake_resource
        self.ticker = Ticker(self.deployment.instance, archive, lake, SensorOptions())
        self.run_keys = set()
        self.builds = 0
        self.follow()

    @rule(steps=st.lists(changes, min_size=1, max_size=6))
    def change(self, steps):
        for name, *arguments in steps:
            getattr(self, "do_" + name.replace(" ", "_"))(*arguments)
        self.follow()

    @rule(
        steps=st.lists(changes, min_size=1, max_size=3),
        tables=st.sampled_from([[FILE_INDEX], [FILE_INDEX, DICOM_HEADERS]]),
    )
    def change_and_stop_halfway(self, steps, tables):
        for name, *arguments in steps:
            getattr(self, "do_" + name.replace(" ", "_"))(*arguments)
        self.deployment.run_all(selection=[table.name for table in tables], run_config=ALLOWED)
        self.follow()

    @rule()
    def maintain(self):
        before = contents(self.deployment.lake)
        for table in DEFAULT_MODEL.tables:
            maintain(self.deployment.lake.location(table), MaintenanceOptions(small_files=2))
        assert contents(self.deployment.lake) == before

    def follow(self):
        """Tick and run until nothing is asked for, and compare."""
        for _ in range(PATIENCE):
            result = self.ticker.tick()
            for request, (first, last) in zip(result.run_requests, ranges(result), strict=True):
                assert request.run_key not in self.run_keys, "the daemon would drop it"
                self.run_keys.add(request.run_key)
                tags = {**request.tags, "dagster/sensor_name": ALONE.archive_sensor, "dagster/run_key": request.run_key}
                self.deployment.run(first, last, tags=tags)
            if not result.run_requests and "allow_mass_deletion" in str(result.skip_reason):
                self.deployment.run_all(run_config=ALLOWED)
            elif not (result.run_requests or result.dynamic_partitions_requests):
                break
        else:
            raise AssertionError("the sensor does not come to rest")
        self.builds += 1
        archive = self.deployment.archive.open()
        found = contents(self.deployment.lake)
        engine = ON_SPARK if self.builds == 1 else IN_PROCESS
        assert found == contents(clean(archive, self.folder / f"clean-{self.builds}", engine=engine))
        assert set(self.ticker.keys) == set(archive.prefixes())
        for table in DEFAULT_MODEL.tables:
            # A file has one prefix; a series may stand in several.
            key = (KEY,) if table.key == KEY else table.identity
            rows = found[table.name]
            assert len({tuple(row[name] for name in key) for row in rows}) == len(rows), table.name

    def do_put(self, path, number):
        put(self.source / path, number, **of_entities(number))

    def do_put_old(self, path, number, age):
        put(self.source / path, number, when=age, **of_entities(number))

    def do_junk(self, path, number):
        target = self.source / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(b"\0" * number)

    def do_touch(self, path, age):
        target = self.source / path
        if target.exists():
            put(target, age % 10, when=age)

    def do_rename(self, path, other):
        origin, target = self.source / path, self.source / other
        if origin.exists():
            target.parent.mkdir(parents=True, exist_ok=True)
            origin.rename(target)

    def do_remove(self, path):
        (self.source / path).unlink(missing_ok=True)

    def do_remove_prefix(self, prefix):
        shutil.rmtree(self.source / prefix, ignore_errors=True)

    def do_rename_prefix(self, prefix, other):
        if (self.source / prefix).exists() and not (self.source / other).exists():
            (self.source / prefix).rename(self.source / other)

    def teardown(self):
        if hasattr(self, "instance"):
            self.instance.__exit__(None, None, None)
            shutil.rmtree(self.folder)


def _profile(examples, steps, *phases):
    return settings(
        max_examples=examples,
        stateful_step_count=steps,
        phases=(Phase.generate, *phases),
        deadline=None,
        database=None,
        suppress_health_check=list(HealthCheck),
    )


@pytest.mark.usefixtures("spark")
class TestModel(Archive.TestCase):
    # A failure is not shrunk here: the long test does that.
    settings = _profile(2, 6)


@pytest.mark.slow
@pytest.mark.timeout(7200)
@pytest.mark.usefixtures("spark")
class TestModelAtLength(Archive.TestCase):
    settings = _profile(15, 15, Phase.shrink)

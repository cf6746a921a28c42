"""The main path against a real object store: the one that ``DICOM_ASSETS_TEST_BUCKET`` names, or one of our own.

That is a URI to write below, such as ``s3://bucket/folder``; endpoint and credentials come from the usual variables.
Without it, an S3 server is started where one is installed.
"""

import os
import subprocess
import sys
import uuid
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from itertools import count

import obstore
import pytest
from obstore.store import from_url

from dicom_assets.archive import stores
from dicom_assets.archive.bucket import BucketArchive
from dicom_assets.archive.local import LocalArchive
from dicom_assets.delta.lake import Lake
from dicom_assets.extract.model import DEFAULT_EXTRACTORS, DEFAULT_MODEL
from dicom_assets.extract.status import CHANGED
from dicom_assets.orchestration.maintenance import build_maintenance_job
from dicom_assets.orchestration.resources.lake import LakeResource
from dicom_assets.orchestration.sensors import SensorOptions
from dicom_assets.pipeline.converge import converge
from dicom_assets.pipeline.extraction import ExtractionStep
from dicom_assets.pipeline.index import IndexStep
from dicom_assets.query.database import Catalog
from dicom_assets.spark.work import InProcess
from dicom_assets.tables import FILE_INDEX
from dicom_assets_tests.support.buckets import ODD_KEYS, comparable, upload, versions
from dicom_assets_tests.support.instances import temporary_instance
from dicom_assets_tests.support.rows import append, index_rows, paths
from dicom_assets_tests.support.scratch import IN_PROCESS, build, clean
from dicom_assets_tests.support.slow_proxy import Fate, SlowProxy
from dicom_assets_tests.support.ticking import Ticker, ranges
from dicom_assets_tests.support.whole import Deployment, put

GIVEN = os.environ.get("DICOM_ASSETS_TEST_BUCKET", "").rstrip("/")


@pytest.fixture(scope="module")
def bucket(spark, request):
    """Return the URI to write below."""
    if GIVEN:
        yield GIVEN
        return
    with pytest.MonkeyPatch.context() as patch:
        for name, value in request.getfixturevalue("object_server").environment.items():
            patch.setitem(spark.sparkContext.environment, name, value)
        yield request.getfixturevalue("bucket_uri")


@pytest.fixture
def place(bucket):
    """Return a folder of the bucket that is this test's own."""
    uri = f"{bucket}/{uuid.uuid4().hex}"
    yield uri
    store = from_url(uri)
    obstore.delete(store, [found["path"] for chunk in obstore.list(store) for found in chunk])


@pytest.fixture
def deployment(place, spark):
    with temporary_instance() as instance:
        yield Deployment(instance, f"{place}/archive", f"{place}/lake")


def test_a_catalog_of_a_bucket_equals_that_of_a_folder_and_follows_changes(deployment, tmp_path):
    objects = {key: number for number, key in enumerate([*ODD_KEYS, "a/1.dcm", "a/2.dcm", "top.dcm"])}
    upload(deployment.source, objects)
    assert deployment.run_all().success
    for key, number in objects.items():
        put(tmp_path / "archive" / key, number)
    folder = clean(LocalArchive(str(tmp_path / "archive"), 1), tmp_path / "lake", engine=IN_PROCESS)
    assert comparable(deployment.lake) == comparable(folder)

    before = versions(deployment.lake)
    build(deployment.lake, deployment.archive.open(), engine=IN_PROCESS)
    assert versions(deployment.lake) == before, "nothing to do writes nothing"

    upload(deployment.source, {"a/1.dcm": 20, "a/3 +%é.dcm": 21})
    obstore.delete(from_url(deployment.source), ["a/2.dcm", "plus+/a+b.dcm"])
    deployment.checked = False
    followed = deployment.run("a", "plus+")
    assert followed.success
    query = "SELECT relative_path, PatientID FROM object_catalog WHERE prefix IN ('a', 'plus+') ORDER BY 1"
    assert Catalog(deployment.lake).sql(query).fetchall() == [("a/1.dcm", "P20"), ("a/3 +%é.dcm", "P21")]
    for asked in (f"{deployment.source}/a/1.dcm", "a/1.dcm"):
        (file,) = Catalog(deployment.lake).lineage(asked).files
        assert {(row.made.run_id, row.made.version) for row in file.rows} == {(followed.run_id, 2)}
    left = Catalog(deployment.lake).lineage_of_run(followed.run_id)
    assert [table.rows for table in left.tables] == [{"a": 2}] * len(DEFAULT_MODEL.tables)


def test_the_sensor_asks_for_runs_until_the_catalog_follows(deployment):
    upload(deployment.source, {"a/1.dcm": 1, "b/2.dcm": 2})
    ticker = Ticker(deployment.instance, deployment.archive, deployment.lake_resource, SensorOptions())
    assert ranges(ticker.tick()) == [("a", "b")]
    build(deployment.lake, deployment.archive.open(), engine=IN_PROCESS)
    assert not ticker.tick().run_requests
    upload(deployment.source, {"b/2.dcm": 3})
    assert ranges(ticker.tick()) == [("b", "b")]


def _breaking(endpoint, breaks):
    """Return a proxy that passes on a half of some answers to listings: of which, by their numbers from 0, is told."""
    numbers = count()
    return SlowProxy(
        endpoint,
        fate=lambda asked: Fate.CUT if asked.kind == "list" and breaks(next(numbers)) else Fate.ANSWERED,
    )


def test_a_listing_whose_connections_break_is_continued(place):
    endpoint = os.environ.get("AWS_ENDPOINT_URL", "")
    if not endpoint.startswith("http://"):
        pytest.skip("the proxy that breaks connections speaks plain HTTP")
    store, keys = from_url(place), [f"a/{number:04d}" for number in range(2500)]
    odd = [f"c/{number:03d}{name}" for number in range(600) for name in ("/x", "-y", ".z", " w")]
    with ThreadPoolExecutor(16) as pool:
        list(pool.map(lambda key: obstore.put(store, key, b"x"), [*keys, *odd, "b/1"]))
    with _breaking(endpoint, lambda number: number % 3 != 2) as proxy:
        archive = BucketArchive(place, 1, {"aws_endpoint_url": proxy.endpoint})
        assert list(archive.prefixes()) == ["a", "b", "c"]
        before = len(proxy.paths("list"))
        assert archive.list("a")["relative_path"].to_pylist() == keys
        asked = proxy.paths("list")[before:]
    assert len(asked) == 9, "three pages, each at the third attempt"
    assert sum("start-after" in path for path in asked) >= 4, "none of them from the beginning again"
    with _breaking(endpoint, lambda number: number in (1, 3)) as proxy:
        listed = BucketArchive(place, 1, {"aws_endpoint_url": proxy.endpoint}).list("c")["relative_path"].to_pylist()
        assert sorted(listed) == sorted(odd), "whatever order the server lists in"
    with _breaking(endpoint, lambda _: False) as proxy:
        assert BucketArchive(place, 1, {"aws_endpoint_url": proxy.endpoint}).list("a").num_rows == len(keys)
        assert len(proxy.paths("list")) == 3


def test_a_table_is_opened_over_connections_that_break(place, monkeypatch):
    endpoint = os.environ.get("AWS_ENDPOINT_URL", "")
    if not endpoint.startswith("http://"):
        pytest.skip("the proxy that breaks connections speaks plain HTTP")
    append(Lake(f"{place}/lake"), index_rows("a", ["1"]))
    with _breaking(endpoint, lambda number: number % 3 != 2) as proxy:
        # In a process of its own: while delta-rs opens a table, no other thread of its process runs.
        program = (
            "import sys; from dicom_assets.delta.lake import Lake; "
            "from dicom_assets.extract.model import DEFAULT_MODEL; "
            "print(len(Lake(sys.argv[1]).existing(DEFAULT_MODEL.tables)))"
        )
        told = subprocess.run(
            [sys.executable, "-c", program, f"{place}/lake"],
            env={**os.environ, "AWS_ENDPOINT_URL": proxy.endpoint},
            capture_output=True,
            text=True,
            timeout=120,
            check=True,
        )
        assert len(proxy.paths("list")) > len(DEFAULT_MODEL.tables)
    assert told.stdout.strip() == "1"


@pytest.mark.timeout(120)
def test_files_that_hang_or_are_cut_cost_their_own_rows(bucket_uri, tmp_path, monkeypatch):
    place = f"{bucket_uri}/{uuid.uuid4().hex}"
    endpoint = os.environ.get("AWS_ENDPOINT_URL", "")
    if not endpoint.startswith("http://"):
        pytest.skip("the proxy that breaks connections speaks plain HTTP")
    lake = Lake(str(tmp_path))
    upload(place, {f"a/{number:02d}.dcm": number for number in range(40)})
    fates = {"03.dcm": Fate.HUNG, "04.dcm": Fate.CUT}
    monkeypatch.setattr(stores, "READ_RETRIES", {"max_retries": 1, "retry_timeout": timedelta(seconds=5)})
    with SlowProxy(endpoint, 0.025, lambda asked: fates.get(asked.path[-6:], Fate.ANSWERED)) as proxy:
        archive = BucketArchive(
            place, 1, {"aws_endpoint_url": proxy.endpoint, "timeout": "1s", "aws_allow_http": "true"}
        )
        lake.ensure(DEFAULT_MODEL.tables)
        converge(IndexStep(lake, archive, ["a"]), InProcess(), {})
        converge(ExtractionStep(lake, archive, DEFAULT_EXTRACTORS, ["a"]), InProcess(), {})
        assert 8 < proxy.most_open <= archive.prefetch.files
    query = "SELECT right(path, 6), error FROM dicom_headers WHERE fingerprint IS NULL ORDER BY 1"
    (hung, why_hung), (cut, why_cut) = Catalog(lake).sql(query).fetchall()
    assert (hung, cut) == ("03.dcm", "04.dcm")
    assert why_hung == "cannot be read: object store: timed out"
    assert why_cut.startswith("cannot be read: object store: ")
    fates.clear()
    archive = BucketArchive(place, 1)
    converge(ExtractionStep(lake, archive, DEFAULT_EXTRACTORS, ["a"]), InProcess(), {})
    assert Catalog(lake).sql("SELECT count(*) FROM dicom_headers WHERE fingerprint IS NOT NULL").fetchall() == [(40,)]


def test_no_commit_of_many_at_once_is_lost(place):
    lake = Lake(f"{place}/lake")
    append(lake, index_rows("first", ["0"]))
    prefixes = [f"p{number}" for number in range(8)]
    with ThreadPoolExecutor(len(prefixes)) as pool:
        list(pool.map(lambda prefix: append(lake, index_rows(prefix, ["1", "2"])), prefixes))
    assert len(paths(lake)) == 1 + 2 * len(prefixes), "the store does not refuse to replace an object (If-None-Match)"


def test_maintenance_merges_the_files_of_a_bucket(place):
    lake = Lake(f"{place}/lake")
    for number in range(4):
        append(lake, index_rows("a b%", [str(number)]))
    before = paths(lake)
    with temporary_instance() as instance:
        done = build_maintenance_job(DEFAULT_MODEL).execute_in_process(
            run_config={"ops": {"maintain_tables": {"config": {"small_files": 2}}}},
            resources={"lake": LakeResource(root_uri=lake.root)},
            instance=instance,
        )
    assert done.success
    assert len(lake.snapshot(FILE_INDEX).files) == 1
    assert paths(lake) == before


@pytest.mark.slow
def test_what_was_replaced_after_it_was_listed_is_left_for_the_next_run(deployment):
    """A is listed, B is read, A comes back: with A's entity tag, which is that of its content."""
    upload(deployment.source, {"a/1.dcm": 1})
    deployment.register()
    archive, lake = deployment.archive.open(), deployment.lake
    assert deployment.run("a", "a", selection=["file_index"]).success
    upload(deployment.source, {"a/1.dcm": 2})
    assert deployment.run(
        "a", "a", selection=[*(table.name for table in DEFAULT_MODEL.extracted), "object_catalog"]
    ).success
    upload(deployment.source, {"a/1.dcm": 1})
    query = "SELECT PatientID, status, error FROM object_catalog"
    assert Catalog(lake).sql(query).fetchall() == [(None, "pending", CHANGED)]
    indexed = lake.snapshot(FILE_INDEX).keys(["fingerprint"])["fingerprint"].to_pylist()
    assert archive.list("a")["fingerprint"].to_pylist() == indexed, "the listing alone does not tell"

    ticker = Ticker(deployment.instance, deployment.archive, deployment.lake_resource, SensorOptions())
    assert ranges(ticker.tick()) == [("a", "a")]
    assert deployment.run("a", "a").success
    assert Catalog(lake).sql(query).fetchall() == [("P1", "ok", None)]
    assert not ticker.tick().run_requests

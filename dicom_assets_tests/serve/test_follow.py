"""New versions appear, old ones stay whole for those who hold them, and a vacuum fails no request."""

import gc
import shutil
import weakref

import pytest
from deltalake import DeltaTable
from starlette.testclient import TestClient

from dicom_assets import update_catalog
from dicom_assets.delta.lake import Lake
from dicom_assets.query.errors import NoCatalogError, QueryError
from dicom_assets.serve.app import create_app
from dicom_assets.serve.follow import Follower
from dicom_assets.serve.site import Site
from dicom_assets.spark.work import InProcess
from dicom_assets_tests.support.whole import put

COUNT = "SELECT count(*) AS n, count(DISTINCT path) AS paths FROM object_catalog"


class Clock:
    def __init__(self):
        self.now = 0.0

    def __call__(self):
        return self.now


@pytest.fixture
def place(tmp_path):
    put(tmp_path / "archive" / "a" / "1.dcm", 1)
    update(tmp_path)
    return tmp_path


def update(place):
    update_catalog(str(place / "archive"), str(place / "lake"), engine=InProcess())


def grow(place, number):
    put(place / "archive" / "a" / f"{number}.dcm", number)
    update(place)


def follower(place, clock=None):
    return Follower(Site(Lake(str(place / "lake"))).catalog(), clock=clock or Clock())


def count(catalog):
    return catalog.ask(COUNT)["n"].to_pylist()[0]


def vacuum(place):
    for table in ("object_catalog", "file_index", "dicom_headers", "thumbnails", "file_metadata"):
        DeltaTable(str(place / "lake" / "dicom" / table)).vacuum(0, dry_run=False, enforce_retention_duration=False)


def test_a_commit_appears_after_a_second_and_not_before(place):
    clock = Clock()
    following = follower(place, clock)
    before = following.current()
    grow(place, 2)
    assert following.current() is before
    clock.now = 1.0
    after = following.current()
    assert (count(before), count(after)) == (1, 2)
    assert following.current() is after


def test_tables_that_did_not_change_stay_loaded(place):
    clock = Clock()
    following = follower(place, clock)
    before = following.current()
    clock.now = 1.0
    assert following.current() is before
    location = Lake(str(place / "lake"))
    DeltaTable(f"{location.root}/dicom/studies").alter.add_constraint({"some": "instances >= 0"})
    clock.now = 2.0
    after = following.current()
    assert after is not before
    assert after.fixed["object_catalog"] is before.fixed["object_catalog"]
    assert after.versions["studies"] == before.versions["studies"] + 1


def test_a_catalog_that_nobody_holds_is_let_go(place):
    clock = Clock()
    following = follower(place, clock)
    old = weakref.ref(following.current().fixed["object_catalog"])
    grow(place, 2)
    clock.now = 1.0
    following.current()
    gc.collect()
    assert old() is None


def test_a_lake_that_is_built_anew_is_noticed(place):
    clock = Clock()
    following = follower(place, clock)
    following.current()
    shutil.rmtree(place / "lake")
    put(place / "archive" / "a" / "2.dcm", 2)
    update(place)
    clock.now = 1.0
    assert count(following.current()) == 2


def test_a_lake_that_appears_later_is_found(tmp_path):
    following = follower(tmp_path)
    with pytest.raises(NoCatalogError):
        following.current()
    put(tmp_path / "archive" / "a" / "1.dcm", 1)
    update(tmp_path)
    assert count(following.current()) == 1


def test_a_request_whose_files_were_vacuumed_is_answered_from_the_newest(place):
    app = create_app(Site(Lake(str(place / "lake"))))
    client = TestClient(app, base_url="http://localhost")
    held = app.state.service.follower.current()
    put(place / "archive" / "a" / "1.dcm", 7)  # the row is rewritten, and its data file with it
    update(place)
    vacuum(place)
    with pytest.raises(QueryError):
        held.ask("SELECT PatientID FROM object_catalog")
    answer = client.get("/dicom-web/studies")
    assert answer.status_code == 200
    assert answer.json()[0]["00100020"]["Value"] == ["P7"]

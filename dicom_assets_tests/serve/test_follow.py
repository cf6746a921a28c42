"""New versions appear, old ones stay whole for those who hold them, and a vacuum fails no request."""

import gc
import json
import re
import shutil
import threading
import time
import urllib.request
import weakref
from concurrent.futures import ThreadPoolExecutor

import pytest
from deltalake import DeltaTable
from starlette.requests import Request
from starlette.responses import Response
from starlette.testclient import TestClient

from dicom_assets import update_catalog
from dicom_assets.delta.lake import Lake
from dicom_assets.query.errors import NoCatalogError, QueryError
from dicom_assets.query.scans import TableDataset
from dicom_assets.serve.app import create_app
from dicom_assets.serve.follow import Follower
from dicom_assets.serve.narrow import narrow_columns
from dicom_assets.serve.service import Service, catalog_of
from dicom_assets.serve.site import Limits, Site
from dicom_assets.spark.work import InProcess
from dicom_assets_tests.support.serving import served
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
    for table in ("object_catalog", "file_index", "dicom_headers", "thumbnails", "file_metadata", "studies"):
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


def test_a_request_is_repeated_as_long_as_there_is_a_newer_version(place):
    service = Service(Site(Lake(str(place / "lake"))))
    seen = []

    def answer(request):
        seen.append(count(catalog_of(request)))
        if len(seen) < 4:
            grow(place, len(seen) + 1)
            raise QueryError("a data file is gone")
        return Response(str(seen[-1]))

    assert service._answered(answer, Request({"type": "http", "state": {}})).body == b"4"
    assert seen == [1, 2, 3, 4]


def test_a_request_that_fails_on_the_present_version_is_not_repeated(place):
    service = Service(Site(Lake(str(place / "lake"))))
    seen = []

    def answer(request):
        seen.append(catalog_of(request))
        raise QueryError("a data file is gone")

    assert service._answered(answer, Request({"type": "http", "state": {}})).status_code == 503
    assert len(seen) == 1


def test_an_application_that_event_loops_share_does_not_stand_still(place):
    client = TestClient(
        create_app(Site(Lake(str(place / "lake")), limits=Limits(threads=1))), base_url="http://localhost"
    )
    answers = []
    threads = [
        threading.Thread(target=lambda: answers.append(client.get("/dicom-web/studies")), daemon=True) for _ in range(8)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert [answer.status_code for answer in answers] == [200] * 8


def test_lists_after_a_commit_read_the_data_files_that_it_added(place, monkeypatch):
    clock = Clock()
    following = Follower(Site(Lake(str(place / "lake"))).catalog(), narrow_columns(1 << 20), clock=clock)
    read = []
    whole = TableDataset.read
    monkeypatch.setattr(
        TableDataset, "read", lambda self, paths, names: read.append(len(paths)) or whole(self, paths, names)
    )
    put(place / "archive" / "b" / "9.dcm", 9)
    update(place)
    first = following.current()
    assert first.narrow("object_catalog") == "kept_object_catalog AS object_catalog"
    put(place / "archive" / "c" / "10.dcm", 10)
    update(place)
    clock.now = 1.0
    second = following.current()
    assert second.narrow("object_catalog") == "kept_object_catalog AS object_catalog"
    assert read == [2, 1]
    counts = [
        one.ask(f"SELECT count(*) AS n FROM {one.narrow('object_catalog')}")["n"][0].as_py() for one in (first, second)
    ]
    assert counts == [2, 3]


def test_what_is_kept_answers_no_question_about_other_columns(place):
    catalog = Follower(Site(Lake(str(place / "lake"))).catalog(), narrow_columns(1 << 20)).current()
    kept = catalog.narrow("object_catalog")
    assert kept != "object_catalog"
    assert catalog.narrow("object_catalog", "Modality = 'OT'") == kept
    for condition in ("KVP > 1", '"kvp" > 1', "dicom(header, 'KVP') = '1'", "object_catalog IS NULL", "COLUMNS(*) > 0"):
        assert catalog.narrow("object_catalog", condition) == "object_catalog"
    assert catalog.narrow("object_catalog", columns=["path", "KVP"]) == "object_catalog"


@pytest.mark.slow
def test_two_hundred_requests_while_runs_commit_and_files_are_vacuumed(place):
    ended, failed = threading.Event(), []

    def change():
        deadline = time.monotonic() + 120
        try:
            for number in range(2, 50):
                if ended.is_set() or time.monotonic() > deadline:
                    return
                put(place / "archive" / "a" / f"{number}.dcm", number)
                put(place / "archive" / "a" / "1.dcm", 1000 + number)
                update(place)
                vacuum(place)
        except BaseException as error:
            failed.append(error)
            raise

    def numbers(address, path):
        with urllib.request.urlopen(address + path, timeout=100) as answer:
            content = answer.read()
        if not path.startswith("/dicom-web"):
            return sorted(int(found) for found in set(re.findall(rb">P(\d+)<", content)))
        return sorted(int(one["0020000D"]["Value"][0].rpartition(".")[2]) for one in json.loads(content or b"[]"))

    changing = threading.Thread(target=change)
    of_files = ["/dicom-web/instances", "/?level=files&view=table", "/?level=files&view=table&q=dcm"]
    paths = [*of_files, "/dicom-web/studies"] * 50
    with served(Site(Lake(str(place / "lake")), token=None)) as address:
        changing.start()
        try:
            with ThreadPoolExecutor(len(paths)) as pool:
                answers = list(pool.map(lambda path: numbers(address, path), paths, timeout=300))
        finally:
            ended.set()
            changing.join()
    assert not failed
    for path, found in zip(paths, answers, strict=True):
        assert len(set(found)) == len(found)
        if path not in of_files:
            continue  # a run commits the tables of studies a moment after that of files
        *added, changed = found
        assert changed == (1000 + len(added) + 1 if added else 1)  # of one commit, both files or none
        assert added == list(range(2, len(added) + 2))
    assert len({len(found) for found in answers}) > 1  # there were commits meanwhile

"""Who has an answer already gets none, and no file is read for it; another version has another tag."""

import pytest
from starlette.requests import Request
from starlette.responses import Response
from starlette.testclient import TestClient

from dicom_assets import update_catalog
from dicom_assets.delta.lake import Lake
from dicom_assets.serve.app import create_app
from dicom_assets.serve.dicomweb.instances import Files
from dicom_assets.serve.entity import conditional, is_known, tag_of
from dicom_assets.serve.site import Site
from dicom_assets.spark.work import InProcess
from dicom_assets_tests.support.whole import put

SERIES = "/dicom-web/studies/1.2.9.0/series/1.2.9.0.0"
OBJECT = f"{SERIES}/instances/1.2.3.100"
ANSWERS = (f"{SERIES}/metadata", f"{OBJECT}/metadata", f"{OBJECT}/frames/1", f"{OBJECT}/bulkdata/7FE00010")


def asking(*stated):
    return Request({"type": "http", "headers": [(b"if-none-match", one.encode()) for one in stated]})


@pytest.mark.parametrize(
    "stated", [('"a"',), ('W/"a"',), ('"x", "a"',), ('"x"', 'W/"a"'), ("*",), ('"x",W/"a" , "y"',)]
)
def test_a_tag_that_is_stated_is_known(stated):
    assert is_known(asking(*stated), '"a"')
    assert is_known(asking(*stated), 'W/"a"')


@pytest.mark.parametrize("stated", [(), ("",), ('"ab"',), ("a",), ('"A"',), ('"', '"')])
def test_another_tag_is_not(stated):
    assert not is_known(asking(*stated), '"a"')


def test_tags_tell_their_parts_apart():
    assert len({tag_of("a", "b"), tag_of("ab"), tag_of("a", "b", ""), tag_of("a\0b"), tag_of("a", "b", weak=True)}) == 5
    assert tag_of("\ud800") == tag_of("\ud800")


def test_what_fails_has_no_tag():
    assert "etag" not in conditional(asking(), '"a"', lambda: Response("no", 404)).headers


@pytest.mark.parametrize("path", ANSWERS)
def test_who_has_an_answer_gets_none_and_no_file_is_read(client, monkeypatch, path):
    first = client.get(path)
    assert first.status_code == 200
    monkeypatch.setattr(Files, "open", lambda *_: pytest.fail("the file was opened"))
    again = client.get(path, headers={"If-None-Match": first.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")
    assert again.headers["etag"] == first.headers["etag"]
    assert "content-security-policy" in again.headers


def test_another_form_of_an_answer_has_another_tag(client):
    tags = {
        client.get(f"{OBJECT}/frames/1", headers={"Accept": accept}).headers["etag"]
        for accept in ("*/*", "application/octet-stream", 'multipart/related; type="application/octet-stream"')
    }
    assert len(tags) == 3
    assert client.get(f"{OBJECT}/frames/1", headers={"Accept": "text/html", "If-None-Match": '"x"'}).status_code == 406


def test_a_file_that_changed_has_another_tag(tmp_path):
    archive, lake = tmp_path / "archive", tmp_path / "lake"

    def cataloged(weight):
        put(archive / "a" / "1.dcm", 1, PatientWeight=weight)
        update_catalog(str(archive), str(lake), engine=InProcess())

    cataloged(60)
    paths = [
        "/dicom-web/studies/1.2.4.1/metadata",
        "/dicom-web/studies/1.2.4.1/series/1.2.5.1/instances/1.2.3.1/frames/1",
    ]
    with TestClient(create_app(Site(Lake(str(lake)))), base_url="http://localhost") as client:
        before = [client.get(path).headers["etag"] for path in paths]
    cataloged(612.25)
    with TestClient(create_app(Site(Lake(str(lake)))), base_url="http://localhost") as client:
        after = [client.get(path, headers={"If-None-Match": tag}) for path, tag in zip(paths, before, strict=True)]
    assert [answer.status_code for answer in after] == [200, 200]

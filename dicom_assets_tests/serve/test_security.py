"""Who is let in, by what name, and what every answer says to a browser."""

import pytest
from starlette.testclient import TestClient

from dicom_assets.delta.lake import Lake
from dicom_assets.serve.app import create_app
from dicom_assets.serve.security import PAGES
from dicom_assets.serve.site import Limits, Site

TOKEN = "a-token-of-sixteen"
STUDIES = "/dicom-web/studies?limit=1"


@pytest.fixture
def locked(served_lake):
    return TestClient(create_app(Site(served_lake, token=TOKEN)), base_url="http://localhost", follow_redirects=False)


def test_every_answer_forbids_a_browser_what_it_does_not_need(client):
    for path in (STUDIES, "/", "/no/such/page", "/dicom-web/studies?limit=x"):
        answer = client.get(path)
        assert answer.headers["content-security-policy"] == PAGES
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert "access-control-allow-origin" not in answer.headers


@pytest.mark.parametrize("host", ["evil.example", "localhost.evil.example", "evil.example:80", "", "[::1", "a b"])
def test_a_name_that_is_not_ours_gets_no_answer(client, host):
    assert client.get(STUDIES, headers={"Host": host}).status_code == 421


@pytest.mark.parametrize(
    "host", ["localhost", "LOCALHOST:8042", "127.0.0.1:1", "[::1]:8042", "192.168.1.7", "localhost."]
)
def test_numbers_and_own_names_are_answered(client, host):
    assert client.get(STUDIES, headers={"Host": host}).status_code == 200


@pytest.mark.parametrize("method", ["PUT", "DELETE", "PATCH", "OPTIONS", "TRACE"])
def test_nothing_but_reading_is_taken(client, method):
    answer = client.request(method, STUDIES)
    assert answer.status_code == 405
    assert "GET" in answer.headers["allow"]


def test_head_is_answered_without_a_body(client):
    answer = client.head(STUDIES)
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "application/dicom+json"


def test_addresses_and_headers_are_bounded(served_lake):
    site = Site(served_lake, limits=Limits(url_bytes=200, header_bytes=1000))
    client = TestClient(create_app(site), base_url="http://localhost")
    assert client.get("/dicom-web/studies?PatientID=" + "x" * 200).status_code == 414
    assert client.get(STUDIES, headers={"X-Long": "x" * 1000}).status_code == 431


def test_without_the_token_nothing_is_answered(locked):
    for path in (STUDIES, "/", "/dicom-web/series", "/no/such/page"):
        answer = locked.get(path)
        assert answer.status_code == 401
        assert answer.headers["www-authenticate"] == "Bearer"
    assert locked.get(STUDIES, headers={"Authorization": "Bearer wrong"}).status_code == 401
    assert locked.get(STUDIES, headers={"Authorization": TOKEN}).status_code == 401
    assert locked.get(STUDIES, headers={"Authorization": "Bearer \xfc\xff".encode("latin-1")}).status_code == 401


def test_programs_show_the_token_in_a_header(locked):
    assert locked.get(STUDIES, headers={"Authorization": f"bearer {TOKEN}"}).status_code == 200


def test_people_log_in_and_get_a_cookie_that_is_not_the_token(locked):
    page = locked.get("/", headers={"Accept": "text/html"})
    assert page.status_code == 401
    assert "<form" in page.text
    assert locked.post("/login", data={"token": "wrong"}).status_code == 401
    assert not locked.cookies
    answer = locked.post("/login", data={"token": TOKEN})
    assert (answer.status_code, answer.headers["location"]) == (303, "/")
    cookie = answer.headers["set-cookie"]
    assert "HttpOnly" in cookie
    assert "SameSite=strict" in cookie
    assert TOKEN not in cookie
    assert locked.get(STUDIES).status_code == 200


def test_a_link_with_the_token_leads_to_the_address_without_it(locked):
    answer = locked.get(f"/dicom-web/studies?limit=1&token={TOKEN}")
    assert answer.status_code == 303
    assert answer.headers["location"] == "/dicom-web/studies?limit=1"
    assert locked.get(STUDIES).status_code == 200


def test_a_link_with_the_token_leads_nowhere_else(locked):
    answer = locked.get(f"//evil.example/x?token={TOKEN}")
    assert not answer.headers.get("location", "/").startswith("//")


@pytest.mark.parametrize(
    "headers", [{"Sec-Fetch-Site": "cross-site"}, {"Origin": "http://evil.example"}, {"Origin": "null"}]
)
def test_forms_of_other_pages_are_not_taken(locked, headers):
    assert locked.post("/login", data={"token": TOKEN}, headers=headers).status_code == 403
    assert not locked.cookies


def test_a_form_of_this_page_is_taken(locked):
    assert locked.post("/login", data={"token": TOKEN}, headers={"Origin": "http://localhost"}).status_code == 303


def test_a_long_form_is_not_read(locked):
    assert locked.post("/login", data={"token": "x" * 10_000}).status_code == 413


def test_a_lake_that_is_not_there_is_no_fault_of_the_server(tmp_path):
    client = TestClient(create_app(Site(Lake(str(tmp_path / "none")))), base_url="http://localhost")
    answer = client.get(STUDIES)
    assert answer.status_code == 503
    assert str(tmp_path) not in answer.text


def test_what_nobody_foresaw_says_nothing_of_itself(client, monkeypatch, caplog):
    def fail(*_):
        raise ValueError("secret of a patient")

    monkeypatch.setattr("dicom_assets.serve.follow.Follower.current", fail)
    answer = client.get(STUDIES)
    assert answer.status_code == 500
    assert "secret" not in answer.text
    assert "ValueError" in caplog.text
    assert "secret" not in caplog.text

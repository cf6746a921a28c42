"""What is answered below ``/viewer``."""

import gzip
import json
import os

import pytest
from starlette.testclient import TestClient

from dicom_assets.serve.app import create_app
from dicom_assets.serve.site import Site
from dicom_assets.serve.viewer.errors import ViewerError
from dicom_assets_tests.serve.viewer import packing

SCRIPT = "/viewer/app.bundle.0123456789abcdef.js"


@pytest.fixture
def build(tmp_path):
    folder = packing.laid_out(tmp_path)
    (folder / "secret.js").symlink_to(tmp_path / "package" / "LICENSE")
    return folder


@pytest.fixture
def viewer(served_lake, build):
    return TestClient(create_app(Site(served_lake, viewer=build)), base_url="http://localhost", follow_redirects=False)


def test_every_view_is_the_page(viewer):
    page = viewer.get("/viewer/")
    assert page.headers["content-type"] == "text/html; charset=utf-8"
    assert b'src="/viewer/app.bundle' in page.content
    for path in (
        "viewer?StudyInstanceUIDs=1.2.3",
        "viewer/dicomweb?StudyInstanceUIDs=1",
        "segmentation",
        "1.2.840.3",
        "a/b/",
    ):
        assert viewer.get(f"/viewer/{path}").content == page.content


def test_without_its_slash_it_is_led_there(viewer):
    answer = viewer.get("/viewer?StudyInstanceUIDs=1.2")
    assert (answer.status_code, answer.headers["location"]) == (307, "/viewer/?StudyInstanceUIDs=1.2")


def test_files_are_moved_compressed_and_kept(viewer):
    answer = viewer.get(SCRIPT)
    assert answer.headers["content-type"] == "text/javascript; charset=utf-8"
    assert answer.headers["content-encoding"] == "gzip"
    assert answer.headers["cache-control"] == "private, max-age=2592000, immutable"
    assert b'__webpack_require__.p = "/viewer/";' in answer.content
    plain = viewer.get(SCRIPT, headers={"Accept-Encoding": "identity"})
    assert "content-encoding" not in plain.headers
    assert plain.content == answer.content
    assert plain.headers["vary"] == "Accept-Encoding"
    tag = answer.headers["etag"]
    known = viewer.get(SCRIPT, headers={"If-None-Match": f'"other", {tag}'})
    assert (known.status_code, known.content, known.headers["etag"]) == (304, b"", tag)
    assert viewer.head(SCRIPT).content == b""


def test_what_is_not_named_by_its_content_is_asked_for_again(viewer):
    for path in ("/viewer/", "/viewer/app.css", "/viewer/app-config.js", "/viewer/assets/icon.png"):
        answer = viewer.get(path)
        assert answer.status_code == 200
        assert answer.headers["cache-control"] == "private, no-cache"


def test_a_file_that_changed_is_served_as_it_is_now(viewer, build):
    before = viewer.get("/viewer/app.css")
    (build / "app.css").write_bytes(b"a{color:red}")
    after = viewer.get("/viewer/app.css", headers={"If-None-Match": before.headers["etag"]})
    assert after.content == b"a{color:red}"
    (build / "app.css").unlink()
    assert viewer.get("/viewer/app.css").status_code == 404


def test_the_policy_is_on_every_answer_of_the_viewer_alone(viewer):
    policies = {
        viewer.get(path).headers["content-security-policy"] for path in ("/viewer/", SCRIPT, "/viewer/app-config.js")
    }
    assert len(policies) == 1
    assert "'unsafe-eval'" in policies.pop()
    assert "'unsafe-eval'" not in viewer.get("/dicom-web/studies?limit=1").headers["content-security-policy"]


def test_the_configuration_is_ours(viewer):
    answer = viewer.get("/viewer/app-config.js")
    assert answer.text.startswith("window.config = {")
    configuration = json.loads(answer.text.removeprefix("window.config = ").rstrip(";\n"))
    (source,) = configuration["dataSources"]
    assert source["configuration"]["qidoRoot"] == source["configuration"]["wadoRoot"] == "/dicom-web"
    assert configuration["routerBasename"] == "/viewer"
    assert "http" not in answer.text


@pytest.mark.parametrize("path", ["sw.js", "init-service-worker.js", "nothing.js", "secret.js", "assets/none.png"])
def test_what_is_no_file_of_it_is_not_found(viewer, path):
    assert viewer.get(f"/viewer/{path}").status_code == 404


@pytest.mark.parametrize(
    "path",
    [
        "..%2f..%2fLICENSE",
        "%2e%2e/LICENSE",
        "assets/%2e%2e/%2e%2e/LICENSE",
        "..%5cLICENSE",
        "%2fetc%2fpasswd",
        "a%00b",
        "x" * 5000,
        "%ff%fe",
        "C:%5cwindows",
    ],
)
def test_nothing_leads_out_of_the_folder(viewer, path):
    answer = viewer.get(f"/viewer/{path}")
    assert answer.status_code in {200, 404}
    assert b"MIT" not in answer.content
    assert b"root:" not in answer.content


def test_without_a_viewer_it_says_how_to_get_one(client):
    for path in ("/viewer/", "/viewer/viewer?StudyInstanceUIDs=1"):
        answer = client.get(path)
        assert answer.status_code == 404
        assert "serve --viewer" in answer.text
    assert client.get("/viewer").headers["location"] == "/viewer/"


def test_a_folder_without_a_build_is_refused(served_lake, tmp_path):
    with pytest.raises(ViewerError, match=r"no index\.html"):
        create_app(Site(served_lake, viewer=tmp_path))


def test_the_token_goes_for_the_viewer_too(served_lake, build):
    locked = TestClient(create_app(Site(served_lake, token="a-long-token", viewer=build)), base_url="http://localhost")
    assert locked.get(SCRIPT).status_code == 401
    assert locked.get(SCRIPT, headers={"Authorization": "Bearer a-long-token"}).status_code == 200


def test_files_that_cannot_be_read(viewer, build):
    os.mkfifo(build / "pipe.js")
    (build / "folder.js").mkdir()
    assert viewer.get("/viewer/pipe.js").status_code == 404
    assert viewer.get("/viewer/folder.js").status_code == 404


def test_what_is_compressed_can_be_unpacked(viewer):
    with viewer.stream("GET", SCRIPT) as answer:
        raw = b"".join(answer.iter_raw())
    assert len(raw) < len(packing.SCRIPT) / 2
    assert gzip.decompress(raw).startswith(b"__webpack_require__")

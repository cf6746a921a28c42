"""Thumbnails over HTTP."""

from urllib.parse import parse_qs, urlencode, urlsplit

import pytest

from dicom_assets.serve.browser.images import Shelf, link_of, version_of
from dicom_assets_tests.query.conftest import jpeg
from dicom_assets_tests.serve.browser.html import Html


def row_of(served, name):
    query = f"SELECT * FROM object_catalog WHERE path LIKE '%/{name}'"
    return served.catalog.sql(query).to_arrow_table().to_pylist()[0]


def test_an_image_is_that_of_the_lake_and_may_be_kept(served):
    row = row_of(served, "ct/CT_small.dcm")
    answer = served.client.get(link_of(row))
    assert answer.content == row["thumbnail"]
    assert answer.headers["content-type"] == row["thumbnail_media_type"]
    assert "immutable" in answer.headers["cache-control"]
    assert answer.headers["cache-control"].startswith("private")
    again = served.client.get(link_of(row), headers={"If-None-Match": answer.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")


def test_an_old_link_shows_the_present_image_and_is_not_kept(served):
    row = row_of(served, "ct/CT_small.dcm")
    answer = served.client.get(f"/image?{urlencode({'path': row['path'], 'v': 'old'})}")
    assert answer.content == row["thumbnail"]
    assert answer.headers["cache-control"] == "private, no-cache"
    assert answer.headers["etag"] == f'"{version_of(row)}"'


@pytest.mark.parametrize("query", [{}, {"path": "/etc/passwd"}, {"path": "x", "prefix": "../.."}])
def test_there_are_only_images_of_the_catalog(served, query):
    assert served.client.get(f"/image?{urlencode(query)}").status_code == 404


def test_images_of_a_list_lead_to_thumbnails(served):
    html = Html(served.client.get("/?level=files&series=1.2.9.2").text)
    sources = [image["src"] for image in html.all("img")]
    assert sources
    assert all(served.client.get(source).status_code == 200 for source in sources)
    assert all(image["loading"] == "lazy" for image in html.all("img"))


def test_burned_in_annotation_is_covered_until_it_is_asked_for(served):
    path = row_of(served, "series/burned.dcm")["path"]
    for address in ("/?level=files&patient=B1", "/?level=series&patient=B1", f"/file?{urlencode({'path': path})}"):
        text = served.client.get(address).text
        html = Html(text)
        assert html.all("details", **{"class": "cover"})
        images = [image for image in html.all("img") if parse_qs(urlsplit(image["src"]).query)["path"] == [path]]
        assert len(images) == 1, "within what covers it"
        assert text.index("<summary>Covered") < text.index(images[0]["src"].replace("&", "&amp;"))
        assert "/rendered" not in text


def test_the_shelf_is_bounded_and_lets_the_oldest_go():
    rows = [{"path": str(n), "thumbnail": jpeg(n), "thumbnail_media_type": "image/jpeg"} for n in range(4)]
    shelf = Shelf(3 * max(len(row["thumbnail"]) for row in rows))
    shelf.put([*rows, rows[3], {"path": "x", "thumbnail": None}])
    kept = [row["path"] for row in rows if shelf.get(row["path"], version_of(row))]
    assert kept == ["1", "2", "3"]
    assert shelf.get("3", "another version") is None

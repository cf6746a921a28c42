import base64
from html.parser import HTMLParser

import pytest

from dicom_assets.delta.lake import Lake
from dicom_assets.extract.model import OBJECT_CATALOG
from dicom_assets.query import Catalog, NoCatalogError, OutputError
from dicom_assets.query.gallery import write_gallery
from dicom_assets.query.names import file_size
from dicom_assets.query.summary import Count, count_by, summarize
from dicom_assets_tests.query.conftest import ROWS, append, catalog_row, jpeg


class Page(HTMLParser):
    """The tags of a page, with their attributes, and its text."""

    def __init__(self, html):
        super().__init__()
        self.tags = []
        self.text = ""
        self.feed(html)

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))

    def handle_data(self, data):
        self.text += data

    def all(self, tag):
        return [attrs for name, attrs in self.tags if name == tag]


@pytest.fixture
def page(lake, tmp_path):
    file = tmp_path / "gallery.html"
    assert write_gallery(Catalog(lake), file, title="Archive <1>") == len(ROWS)
    return Page(file.read_text(encoding="utf-8"))


def test_every_file_has_a_card_and_every_image_is_in_the_page(page):
    assert len(page.all("figure")) == len(ROWS)
    images = [base64.b64decode(image["src"].removeprefix("data:image/jpeg;base64,")) for image in page.all("img")]
    assert images == [jpeg(200)] * 2
    assert "Archive <1>" in page.text
    assert "Explicit VR Little Endian" in page.text
    assert "256 {0} 512 {0} 30".format("\N{MULTIPLICATION SIGN}") in page.text
    assert "526 kB" in page.text


def test_names_of_patients_and_images_with_burned_in_annotation_are_not_in_the_page(page):
    assert "Secret" not in str(page.tags) + page.text
    (burned,) = [figure for figure in page.all("figure") if figure["data-status"] == "burned_in"]
    assert burned["data-modality"] == "US"
    assert "not shown" in page.text


def test_the_page_needs_nothing_else(page):
    linked = [value for _, attrs in page.tags for name, value in attrs.items() if name in ("src", "href")]
    assert all(value.startswith("data:image/") for value in linked)
    assert "default-src 'none'" in str(page.all("meta"))


def test_the_filters_offer_what_there_is(page):
    assert [select["name"] for select in page.all("select")] == ["modality", "status"]
    assert {figure["data-status"] for figure in page.all("figure")} == {"ok", "burned_in", "not_dicom"}
    assert {"ok", "burned_in", "not_dicom", ""} == {o["value"] for o in page.all("option") if "value" in o}


def test_a_limit_shows_one_image_of_each_series_before_a_second_and_says_so(tmp_path):
    lake = Lake(str(tmp_path))
    lake.ensure([OBJECT_CATALOG])
    slices = [catalog_row("a", f"{n}.dcm", SeriesInstanceUID="1.1", InstanceNumber=n) for n in range(3)]
    single = catalog_row("it's", "x.dcm", SeriesInstanceUID="1.2")
    report = catalog_row("a", "0.txt", thumbnail=None, status="no_image", thumbnail_status="no_pixel_data")
    append(lake, OBJECT_CATALOG, [report, *slices, single])
    assert write_gallery(Catalog(lake), tmp_path / "g.html", limit=2) == 2
    page = Page((tmp_path / "g.html").read_text(encoding="utf-8"))
    assert [figure["data-text"].split()[0] for figure in page.all("figure")] == ["a/0.dcm", "it's/x.dcm"]
    assert "Shows 2 of 5 files" in page.text


def test_an_empty_catalog_has_an_empty_page(tmp_path):
    lake = Lake(str(tmp_path))
    lake.ensure([OBJECT_CATALOG])
    assert write_gallery(Catalog(lake), tmp_path / "g.html") == 0
    assert "0 files" in (tmp_path / "g.html").read_text(encoding="utf-8")


def test_a_page_that_cannot_be_made_is_told(lake, tmp_path):
    with pytest.raises(OutputError, match="cannot be written"):
        write_gallery(Catalog(lake), tmp_path / "none" / "g.html")
    with pytest.raises(NoCatalogError):
        write_gallery(Catalog(Lake(str(tmp_path))), tmp_path / "g.html")


def test_the_summary_counts_files_by_state_modality_and_transfer_syntax(lake):
    summary = summarize(Catalog(lake))
    assert summary.files == len(ROWS)
    assert summary.header_status == (Count("ok", 3), Count("not_dicom", 1))
    assert summary.thumbnail_status == (Count("ok", 3), Count("not_dicom", 1))
    assert summary.modality == (Count("CT", 2), Count("US", 1))
    assert summary.transfer_syntax == (Count("Explicit VR Little Endian", 3),)


def test_only_columns_of_the_catalog_are_counted(lake):
    with pytest.raises(KeyError):
        count_by(Catalog(lake), '1"; DROP TABLE')


@pytest.mark.parametrize(
    ("length", "text"), [(0, "0 B"), (999, "999 B"), (1000, "1.0 kB"), (526_336, "526 kB"), (2_400_000_000, "2.4 GB")]
)
def test_sizes_are_short(length, text):
    assert file_size(length) == text

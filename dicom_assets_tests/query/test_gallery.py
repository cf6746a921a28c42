import base64
import json
import re
from html.parser import HTMLParser

import pytest

from dicom_assets.delta.lake import Lake
from dicom_assets.extract.model import OBJECT_CATALOG
from dicom_assets.extract.status import CatalogStatus
from dicom_assets.query import Catalog, NoCatalogError, OutputError, QueryError
from dicom_assets.query.gallery import Card, Shown, write_gallery
from dicom_assets.query.labels import file_size
from dicom_assets.query.summary import Count, summarize
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

    def of_id(self, name):
        (found,) = [attrs for _, attrs in self.tags if attrs.get("id") == name]
        return found

    def all(self, tag):
        return [attrs for name, attrs in self.tags if name == tag]


@pytest.fixture
def page(lake, tmp_path):
    file = tmp_path / "gallery.html"
    assert write_gallery(Catalog(lake), file, title="Archive <1>") == Shown(len(ROWS), len(ROWS))
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
    assert [image["alt"].split()[0] for image in page.all("img")] == ["CT", "CT"]
    (burned,) = [figure for figure in page.all("figure") if figure["data-modality"] == "US"]
    assert burned["data-status"] == "ok", "the state of the file is the catalog's"
    assert page.text.count("not shown") == 1


@pytest.mark.parametrize("status", [None, "unsupported"])
def test_an_image_whose_header_was_not_read_is_not_in_the_page(tmp_path, status):
    lake = Lake(str(tmp_path))
    lake.ensure([OBJECT_CATALOG])
    append(lake, OBJECT_CATALOG, [catalog_row("a", "x.dcm", header_status=status, status="pending")])
    write_gallery(Catalog(lake), tmp_path / "g.html")
    page = Page((tmp_path / "g.html").read_text(encoding="utf-8"))
    assert page.all("img") == []
    assert "not shown" in page.text
    assert [figure["data-status"] for figure in page.all("figure")] == ["pending"]


def test_the_page_needs_nothing_else(page):
    linked = [value for _, attrs in page.tags for name, value in attrs.items() if name in ("src", "href")]
    assert all(value.startswith("data:image/") for value in linked)
    assert "default-src 'none'" in str(page.all("meta"))


def test_the_filters_offer_what_there_is(page):
    assert [select["name"] for select in page.all("select")] == ["modality", "status"]
    assert {figure["data-status"] for figure in page.all("figure")} == {"ok", "not_dicom"}
    assert [option["value"] for option in page.all("option") if "value" in option] == ["", "", "ok", "not_dicom"]
    assert "hidden" in page.of_id("nothing")


@pytest.mark.parametrize("status", CatalogStatus)
def test_every_state_of_the_catalog_is_one_of_the_page(status):
    assert Card({"status": str(status)}).status is status


def test_a_limit_shows_one_image_of_each_series_before_a_second_and_says_so(tmp_path):
    lake = Lake(str(tmp_path))
    lake.ensure([OBJECT_CATALOG])
    slices = [catalog_row("a", f"{n}.dcm", SeriesInstanceUID="1.1", InstanceNumber=n) for n in range(3)]
    single = catalog_row("it's", "x.dcm", SeriesInstanceUID="1.2")
    report = catalog_row("a", "0.txt", thumbnail=None, status="no_image", thumbnail_status="no_pixel_data")
    append(lake, OBJECT_CATALOG, [report, *slices, single])
    assert write_gallery(Catalog(lake), tmp_path / "g.html", limit=2) == Shown(2, 5)
    page = Page((tmp_path / "g.html").read_text(encoding="utf-8"))
    shown = [figure["data-text"].split()[0] for figure in page.all("figure")]
    assert shown == ["a/1.dcm", "it's/x.dcm"], "the middle slice, for the first ones show air"
    assert "Shows 2 of 5 files" in page.text


def test_a_condition_chooses_the_files(lake, tmp_path):
    file = tmp_path / "g.html"
    condition = "Modality = 'CT' AND path IN (FROM object_catalog SELECT path) -- of {all}"
    assert write_gallery(Catalog(lake), file, where=condition) == Shown(2, 2)
    assert write_gallery(Catalog(lake), file, where=condition, limit=1) == Shown(1, 2)
    assert "Shows 1 of 2 files" in Page(file.read_text(encoding="utf-8")).text
    assert write_gallery(Catalog(lake), file, where="Modality = 'XX'") == Shown(0, 0)
    for wrong in ("Modalty = 'CT'", "Modality =", "true); DROP TABLE object_catalog; SELECT (true"):
        with pytest.raises(QueryError):
            write_gallery(Catalog(lake), file, where=wrong)


def test_cards_can_be_reached_by_keyboard_and_say_what_they_do(page):
    for number, figure in enumerate(page.all("figure")):
        assert (figure["tabindex"], figure["role"], figure["data-number"]) == ("0", "button", str(number))
        assert "show the header" in figure["aria-label"]


def _headers(html):
    return json.loads(re.search(r'<script type="application/json" id="headers">(.*?)</script>', html, re.DOTALL)[1])


def test_a_card_opens_its_header_with_readable_names_and_without_names_of_persons_and_dates(tmp_path):
    lake = Lake(str(tmp_path))
    lake.ensure([OBJECT_CATALOG])
    header = {
        "dataset": {
            "00080020": {"vr": "DA", "Value": ["20240131"]},
            "00080060": {"vr": "CS", "Value": ["</script><b>\u202e"]},
            "00081140": {"vr": "SQ", "Value": [{"00081155": {"vr": "UI", "Value": ["1.2.3"]}}]},
            "00100010": {"vr": "PN", "Value": [{"Alphabetic": "Secret^Name"}]},
            "00100020": {"vr": "LO", "Value": ["P1"]},
            "00101040": {"vr": "LO", "Value": ["Secret Street"]},
            "00290010": {"vr": "LO", "Value": ["\u202ecreator"]},
        }
    }
    append(
        lake,
        OBJECT_CATALOG,
        [catalog_row("a", "x.dcm", header=json.dumps(header)), catalog_row("a", "y.dcm", header=None)],
    )
    write_gallery(Catalog(lake), tmp_path / "g.html")
    html = (tmp_path / "g.html").read_text(encoding="utf-8")
    shown, none = _headers(html)
    assert none == []
    assert [(line[0], line[3], line[4]) for line in shown] == [
        (0, "Modality", "</script><b>\\u202e"),
        (0, "ReferencedImageSequence", "1 item"),
        (1, "", "Item 1"),
        (2, "ReferencedSOPInstanceUID", "1.2.3"),
        (0, "PatientID", "P1"),
        (0, "PrivateCreator", "\\u202ecreator"),
    ]
    assert "Secret" not in html
    assert "20240131" not in html
    assert html.count("</script><b>") == 0
    assert "\u202e" not in html


def test_cards_stand_by_patient_study_and_series_not_by_folder(tmp_path):
    lake = Lake(str(tmp_path))
    lake.ensure([OBJECT_CATALOG])
    one = {"PatientID": "P1", "StudyInstanceUID": "1", "StudyDescription": "Chest", "SeriesInstanceUID": "1.1"}
    other = one | {"SeriesInstanceUID": "1.2", "SeriesNumber": 2, "SeriesDescription": "Lung"}
    rows = [
        catalog_row("b", "2.dcm", InstanceNumber=2, **one),
        catalog_row("c", "9.dcm", InstanceNumber=1, **other),
        catalog_row("a", "1.dcm", InstanceNumber=1, **one),
        catalog_row("z", "0.dcm", **(one | {"PatientID": "P0", "SeriesInstanceUID": "1.0"})),
        catalog_row("n", "notes.txt", thumbnail=None, PatientID=None),
    ]
    append(lake, OBJECT_CATALOG, rows)
    write_gallery(Catalog(lake), tmp_path / "g.html")
    page = Page((tmp_path / "g.html").read_text(encoding="utf-8"))
    shown = [figure["data-text"].split()[0] for figure in page.all("figure")]
    assert shown == ["z/0.dcm", "a/1.dcm", "b/2.dcm", "c/9.dcm", "n/notes.txt"]
    assert len(page.all("section")) == 4
    assert "Lung" in page.text


def _luminance(colour):
    """Return the relative luminance of a colour ``#rrggbb`` (WCAG 2.2)."""
    parts = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    red, green, blue = (part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def _contrast(one, other):
    darker, lighter = sorted((_luminance(one), _luminance(other)))
    return (lighter + 0.05) / (darker + 0.05)


@pytest.fixture
def themes(page):
    """The colours of the light and of the dark page by name."""
    light, dark = re.findall(r":root \{(.*?)\}", page.text, re.DOTALL)
    light, dark = (dict(re.findall(r"--([\w-]+): (#\w{6});", block)) for block in (light, dark))
    return {"light": light, "dark": light | dark}


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_all_text_has_a_contrast_of_at_least_4_5(themes, theme):
    colours = themes[theme]
    grounds = {"text": ("ground", "panel"), "quiet": ("ground", "panel"), "accent": ("panel",), "bad": ("panel",)}
    grounds |= {"warn": ("ground", "panel"), "view-quiet": ("view",)}
    for text, behind in grounds.items():
        for ground in behind:
            assert _contrast(colours[text], colours[ground]) >= 4.5, (text, ground)
    assert _contrast(colours["accent"], colours["ground"]) >= 3, "the outline of what has the focus"


def test_no_colour_stands_outside_the_themes(page):
    rules = re.sub(r":root \{.*?\}", "", page.text[: page.text.index("const form")], flags=re.DOTALL)
    assert re.findall(r"#[0-9a-f]{3,8}\b|rgba?\(", rules) == []


def test_the_light_and_the_dark_page_have_the_same_text_colours(themes):
    named = {"ground", "panel", "line", "text", "quiet", "accent", "warn", "bad"}
    assert all(themes["light"][name] != themes["dark"][name] for name in named)


def test_an_empty_catalog_has_an_empty_page(tmp_path):
    lake = Lake(str(tmp_path))
    lake.ensure([OBJECT_CATALOG])
    assert write_gallery(Catalog(lake), tmp_path / "g.html") == Shown(0, 0)
    page = Page((tmp_path / "g.html").read_text(encoding="utf-8"))
    assert "0 files" in page.text
    assert "hidden" not in page.of_id("nothing")


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


@pytest.mark.parametrize(
    ("length", "text"), [(0, "0 B"), (999, "999 B"), (1000, "1.0 kB"), (526_336, "526 kB"), (2_400_000_000, "2.4 GB")]
)
def test_sizes_are_short(length, text):
    assert file_size(length) == text

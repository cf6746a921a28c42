"""The viewer in a browser, on a real catalog: what it shows, what it asks for, and that it asks nobody else.

Pictures are kept in the folder that ``DICOM_ASSETS_TEST_PICTURES`` names, for people to look at.
"""

import io
import os
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from dicom_assets.serve.site import Site
from dicom_assets.serve.viewer.install import installed_viewer
from dicom_assets_tests.support import viewable
from dicom_assets_tests.support.chromium import chromium_program
from dicom_assets_tests.support.serving import served

pytestmark = [
    pytest.mark.slow,
    pytest.mark.timeout(1800),
    pytest.mark.skipif(chromium_program() is None, reason="Chromium is not installed"),
    pytest.mark.skipif(
        installed_viewer() is None, reason="the viewer is not in the cache: dicom-assets viewer install"
    ),
]

PICTURES = os.environ.get("DICOM_ASSETS_TEST_PICTURES")
CENTRE = 760, 420
"""Of the viewport, in the window."""
VIEWPORT = np.s_[60:790, 290:1220]
ULTRASOUND = "1.2.840.114340.3.8251017118051.1.20160503.120850.2171"
JPEG_2000_COLOUR = "1.3.6.1.4.1.5962.1.2.13.20040826185059.5457"
JPEG_2000_GREY = "1.3.6.1.4.1.5962.1.2.8.20040826185059.5457"
PALETTE = "1.3.46.670589.14.1000.210.4.199999.20110525182825.1.0"


@pytest.fixture(scope="module")
def address(viewable_lake):
    with served(Site(viewable_lake, viewer=installed_viewer())) as address:
        yield address


@pytest.fixture
def page(browser, address):
    """The browser; what it asked for and said is looked at when the test is over."""
    with browser.watched(address):
        yield browser
    paths = {one.removeprefix(address).split("/")[1] for one in browser.requests}
    assert paths <= {"viewer", "dicom-web"}, "nothing at the root of the server"
    assert [said for said in browser.console if "Content Security Policy" in said or "Refused" in said] == []
    assert [said for said in browser.console if said.startswith("exception")] == []


def pixels(page, name):
    """Return the viewport as it looks, (rows, columns, 3), once nothing moves any more."""
    page.settle(2)
    content = page.picture(Path(PICTURES, f"{name}.png") if PICTURES else None)
    return np.asarray(Image.open(io.BytesIO(content)).convert("RGB"))[VIEWPORT].astype(int)


def opened(page, address, study):
    page.open(f"{address}/viewer/viewer?StudyInstanceUIDs={study}")
    page.wait("document.querySelectorAll('canvas').length > 0")
    return page


def share(found):
    """Return which part of some pixels is so."""
    return float(np.mean(found))


def test_the_list(page, address):
    page.open(f"{address}/viewer/")
    page.wait("document.body.innerText.includes('Viewed, Carla')")
    text = page.value("document.body.innerText")
    assert "Body & ball <b>" in text, "text of files is text"
    assert "CT\\SEG" in text
    assert page.value("document.querySelectorAll('table b').length") == 0
    pixels(page, "list")


def test_a_ct_is_scrolled_through(page, address):
    opened(page, address, viewable.CT)
    page.wait("document.body.innerText.includes('(1/24)')")
    first = pixels(page, "ct-first")
    assert share(first.min(axis=2) > 90) > 0.2, "the body is there"
    for _ in range(viewable.SLICES // 2):
        page.wheel(*CENTRE, 120)
        page.rest(0.2)
    page.wait(f"document.body.innerText.includes('({viewable.SLICES // 2 + 1}/24)')")
    assert share(np.abs(pixels(page, "ct-middle") - first).max(axis=2) > 20) > 0.02, "the ball is there now"
    frames = [one for one in page.requests if one.endswith("/frames/1")]
    assert len(set(frames)) == viewable.SLICES


def test_a_segmentation_lies_over_its_source(page, address):
    opened(page, address, viewable.CT)
    page.wait("document.body.innerText.includes('(1/24)')")
    before = pixels(page, "segmentation-before")
    row = "[...document.querySelectorAll('*')].filter(e => e.childElementCount == 0 && e.innerText == 'Ball')[0]"
    x, y = page.value(f"(() => {{ const r = {row}.getBoundingClientRect(); return [r.x + 5, r.y + 5] }})()")
    page.click(x, y, 2)
    page.wait("document.body.innerText.includes('Do you want to open this Segmentation?')")
    after = pixels(page, "segmentation")

    def red(image):
        return share(image[..., 0] - image[..., 1:].max(axis=2) > 40)

    assert red(before) < 0.001
    assert red(after) > 0.01


def test_a_slide(page, address):
    opened(page, address, viewable.SLIDE)
    page.wait("document.querySelectorAll('.ol-viewport canvas').length > 0")
    slide = pixels(page, "slide")
    assert share((slide[..., 0] > 160) & (slide[..., 2] > 130) & (slide[..., 1] < 160)) > 0.2, "tissue"
    assert share((slide[..., 2] > 110) & (slide[..., 1] < 60)) > 0.01, "cells"


def test_ultrasound_of_many_frames(page, address):
    opened(page, address, ULTRASOUND)
    page.wait("document.body.innerText.includes('(1/30)')")
    first = pixels(page, "ultrasound-first")
    assert share(first.max(axis=2) > 60) > 0.02
    for _ in range(12):
        page.wheel(*CENTRE, 120)
        page.rest(0.2)
    page.wait("document.body.innerText.includes('(13/30)')")
    assert share(np.abs(pixels(page, "ultrasound-later") - first).max(axis=2) > 25) > 0.005, "the heart beats"


@pytest.mark.parametrize(
    ("study", "name", "colourful"),
    [(JPEG_2000_COLOUR, "jpeg-2000", True), (JPEG_2000_GREY, "jpeg-2000-grey", False), (PALETTE, "palette", True)],
)
def test_compressed_and_coloured(page, address, study, name, colourful):
    opened(page, address, study)
    image = pixels(page, name)
    assert share(image.max(axis=2) > 50) > 0.005
    assert (share(np.ptp(image, axis=2) > 50) > 0.002) == colourful


def test_a_document(page, address):
    page.open(f"{address}/viewer/viewer?StudyInstanceUIDs={viewable.DOCUMENT}")
    page.wait("document.querySelector('object[type=\"application/pdf\"]')?.data.startsWith('blob:')")
    page.settle(4)
    pixels(page, "document")
    assert any(one.endswith("/bulkdata/00420011") for one in page.requests)

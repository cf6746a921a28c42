"""The pages in a browser: what people do with them, wide and on a phone, and that nothing is asked of another host.

Pictures are kept in the folder that ``DICOM_ASSETS_TEST_PICTURES`` names, for people to look at.
"""

import os
from pathlib import Path

import pytest

from dicom_assets.serve.site import Site
from dicom_assets_tests.support import viewable
from dicom_assets_tests.support.chromium import chromium_program
from dicom_assets_tests.support.serving import served as serving

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(chromium_program() is None, reason="Chromium is not installed"),
]

PICTURES = os.environ.get("DICOM_ASSETS_TEST_PICTURES")
WIDE, PHONE = (1280, 900), (360, 740)


@pytest.fixture(scope="module")
def address(viewable_lake):
    with serving(Site(viewable_lake)) as address:
        yield address


@pytest.fixture
def page(browser, address):
    """The browser; what it asked for and said is looked at when the test is over."""
    with browser.watched(address):
        of_size(browser, *WIDE)
        yield browser
    assert browser.console == [], "neither errors nor violations of the Content Security Policy"


def of_size(page, width, height):
    page.ask(
        "Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1, mobile=width < height
    )


def go(page, address):
    """Open a page, and wait until it is there."""
    page.open(address)
    until(page, f"location.href === {address!r} && document.readyState === 'complete'")


def until(page, expression):
    page.wait(expression, 20)


def follow(page, link):
    """Click on a link, and wait for the page that it leads to."""
    before = page.value("location.href")
    page.value(f"{link}.click()")
    until(page, f"location.href !== {before!r} && document.readyState === 'complete'")


def keep(page, name):
    page.settle(1)
    if PICTURES:
        page.picture(Path(PICTURES, f"{name}.png"))


def press(page, key):
    for kind in ("rawKeyDown", "keyUp"):
        page.ask("Input.dispatchKeyEvent", type=kind, key=key, code=key)


def files_of(page):
    return int(page.value("document.querySelector('h1').innerText").split()[0].replace(",", ""))


def test_facets_narrow_and_are_in_the_address(page, address):
    go(page, f"{address}/?level=files")
    every = files_of(page)
    link = "[...document.querySelectorAll('section[aria-labelledby=facet-modality] a')]"
    counts = page.value(f"{link}.map(e => e.innerText.split('\\n'))")
    assert len(counts) > 2
    follow(page, f"{link}.find(e => e.innerText.startsWith('CT'))")
    assert "modality=CT" in page.value("location.search")
    assert files_of(page) == int(dict(counts)["CT"].replace(",", "")) < every
    keep(page, "facet")


def test_the_search_takes_words(page, address):
    go(page, f"{address}/?level=studies")
    page.value("document.activeElement.blur()")
    press(page, "/")
    assert page.value("document.activeElement.name") == "q", "the key that leads to the search"
    page.ask("Input.insertText", text="carla")
    page.value("document.activeElement.form.requestSubmit()")
    until(page, "location.search.includes('q=carla') && document.readyState === 'complete'")
    assert files_of(page) > 0
    keep(page, "search")


def test_arrow_keys_scrub_through_the_series(page, address):
    go(page, f"{address}/?level=files&modality=CT&view=table")
    follow(page, "document.querySelector('th[scope=row] a')")
    start = page.value("document.getElementById('place').innerText")
    image = page.value("document.querySelector('#view img').src")
    step = 5 if int(start.split()[0]) < viewable.SLICES // 2 else -5
    for _ in range(5):
        press(page, "ArrowRight" if step > 0 else "ArrowLeft")
    assert int(page.value("document.getElementById('place').innerText").split()[0]) == int(start.split()[0]) + step
    assert page.value("document.querySelector('#view img').src") != image
    keep(page, "strip")


def test_the_header_is_searched_as_one_types(page, address):
    go(page, f"{address}/?level=files&modality=CT&view=table")
    follow(page, "document.querySelector('th[scope=row] a')")
    shown = "[...document.querySelectorAll('.tree li')].filter(e => e.offsetParent !== null).length"
    every = page.value(shown)
    page.value("document.getElementById('find').focus()")
    page.ask("Input.insertText", text="rescale")
    until(page, f"{shown} < {every}")
    assert 0 < page.value(shown) < 10
    keep(page, "header")


@pytest.mark.parametrize(
    "place", ["", "?level=patients", "?level=series", "?level=files&view=table", "?level=problems"]
)
def test_a_list_fits_a_phone(page, address, place):
    of_size(page, *PHONE)
    go(page, f"{address}/{place}")
    assert page.value("document.documentElement.scrollWidth") <= PHONE[0], "nothing is scrolled sideways but tables"
    keep(page, f"phone-{place.removeprefix('?level=').replace('&', '-') or 'start'}")


@pytest.mark.parametrize("place", ["plots", "sql"])
def test_other_pages_fit_a_phone(page, address, place):
    of_size(page, *PHONE)
    go(page, f"{address}/{place}")
    assert page.value("document.documentElement.scrollWidth") <= PHONE[0]
    keep(page, f"phone-{place}")


def test_a_file_fits_a_phone(page, address):
    of_size(page, *PHONE)
    go(page, f"{address}/?level=files&modality=CT&view=table")
    follow(page, "document.querySelector('th[scope=row] a')")
    assert page.value("document.documentElement.scrollWidth") <= PHONE[0]
    keep(page, "phone-file")


def test_the_grid_is_walked_by_arrow_keys(page, address):
    go(page, f"{address}/?level=files&view=grid")
    until(page, "document.querySelectorAll('ol.grid a').length > 10")
    page.value("document.querySelector('ol.grid a').focus()")
    first = page.value("document.activeElement.href")
    press(page, "ArrowRight")
    assert page.value("document.activeElement.href") != first
    keep(page, "grid")

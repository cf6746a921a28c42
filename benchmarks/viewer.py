"""How long it takes until somebody sees something: the list, the first image and all images of a CT in the viewer.

Run: ``python -m benchmarks.viewer [--slices 200] [--repeat 3] [--folder FOLDER]``, once the viewer is installed

A headless Chromium (Debian's, which draws on the processor) opens the same addresses again and again over loopback:
the first time with nothing in its cache, then with what it has kept of the viewer. A start of the browser is not in it.
"""

import argparse
import statistics
import sys
import tempfile
import time
from pathlib import Path

import dicom_assets
from benchmarks.ct_files import write_ct_files
from dicom_assets.delta.lake import Lake
from dicom_assets.serve.site import Site
from dicom_assets.serve.viewer.install import installed_viewer
from dicom_assets_tests.support.chromium import Chromium, chromium_program
from dicom_assets_tests.support.serving import served

_STUDY = "1.2.826.0.1.1.0"
_FIRST = "displaySetsToFirstImage"
"""What the viewer says on its console when it has drawn an image."""


def seconds(browser: Chromium, address: str, slices: int) -> dict[str, float]:
    """Return what it took from the address to the list, to the first image, and until all frames were there."""
    found = {}
    started = time.perf_counter()
    browser.open(f"{address}/viewer/")
    browser.wait("document.body.innerText.includes('Phantom')")
    found["the list of studies"] = time.perf_counter() - started
    browser.console.clear()
    browser.answers.clear()
    started = time.perf_counter()
    browser.open(f"{address}/viewer/viewer?StudyInstanceUIDs={_STUDY}")
    while not any(_FIRST in said for said in browser.console):
        browser.rest(0.05)
    found["the first image"] = time.perf_counter() - started
    while sum("/frames/" in url for url in browser.answers) < slices:
        browser.rest(0.05)
    found["all images"] = time.perf_counter() - started
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--slices", type=int, default=200)
    parser.add_argument("--repeat", type=int, default=3)
    parser.add_argument("--folder", type=Path)
    options = parser.parse_args()
    viewer = installed_viewer()
    if viewer is None or chromium_program() is None:
        sys.exit("Chromium and the viewer are needed: apt-get install chromium; dicom-assets viewer install")
    folder = options.folder or Path(tempfile.mkdtemp(prefix="viewer-"))
    if not (folder / "lake").exists():
        write_ct_files(folder / "archive", options.slices)
        dicom_assets.update_catalog(str(folder / "archive"), str(folder / "lake"))
    with (
        served(Site(Lake(str(folder / "lake")), viewer=viewer)) as address,
        tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as profile,
        Chromium(Path(profile)) as browser,
    ):
        taken = [seconds(browser, address, options.slices) for _ in range(options.repeat + 1)]
    for name, first in taken[0].items():
        later = statistics.median(one[name] for one in taken[1:])
        print(f"{name:20} {first:.1f} s at first, {later:.1f} s then")


if __name__ == "__main__":
    main()

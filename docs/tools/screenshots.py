"""The pictures of the documentation: ``python docs/tools/screenshots.py [FOLDER]`` makes them anew.

Catalogs the files that come with pydicom in five runs, starts the Dagster UI on them (loopback only), lets its sensor
tick, takes the archive away for a while, and takes pictures of what the pages show of all this with a headless Chromium
(Debian: ``apt-get install chromium``). Look at them before you commit them: a page that did not load is a picture too.
"""

import io
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import urllib.parse
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pydicom.data
from PIL import Image

from dicom_assets_tests.support.chromium import Chromium, chromium_program
from dicom_assets_tests.support.ports import free_ports

SIZE, WIDE, TALL = (1400, 900), (1900, 1100), (1400, 1300)
CODE = "dicom_assets.definitions"
PAGES = {
    "lineage.png": "/asset-groups",
    "ticks.png": f"/locations/{CODE}/sensors/archive_sensor",
}
"""By file name, what the UI shows there."""
OVERVIEW = "/assets/object_catalog?view=overview"
PLOTS = ("Plots", "Events")
"""What is clicked there: the numbers of materializations as plots instead of a table, one after the other in time."""
SERVED = {
    "browser.png": "/?level=files",
    "browser-file.png": "/file?path={path}",
    "browser-plots.png": "/plots",
}
"""By file name, pages of ``dicom-assets serve``; one of them of a file."""
SHOWN = "research/MR_small.dcm"
LATER = ("CT_small.dcm", "MR_small.dcm", "JPEG2000.dcm", "rtplan.dcm")
"""Files that arrive one by one, each in a run of its own."""
_START = 600
_TICKS = 100
_FAILURE = 600
_COMMAND = [sys.executable, "-W", "ignore", "-c", "from dicom_assets.cli import main; main()"]
_LAUNCH = """
mutation ($params: ExecutionParams!) {
  launchRun(executionParams: $params) { ... on LaunchRunSuccess { run { runId } } }
}"""
_STATUS = "query ($id: ID!) { runOrError(runId: $id) { ... on Run { status } } }"
_CLICK = """
(() => {
  const texts = [...document.querySelectorAll('button, a, span, div')];
  const found = texts.filter(one => one.textContent.trim() === TEXT && one.offsetParent !== null).pop();
  if (!found) return false;
  (found.closest('button, a') || found).click();
  found.style.scrollMarginTop = '2em';
  found.scrollIntoView({block: 'start'});
  return true;
})()
"""
_STACK = """
(() => {
  const texts = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT), range = document.createRange();
  let top = 0;
  while (texts.nextNode()) {
    const text = texts.currentNode, at = text.textContent.indexOf('Stack Trace:');
    if (at < 0) continue;
    range.setStart(text, at);
    range.setEnd(text, at + 1);
    const at_y = Math.floor(range.getBoundingClientRect().top);
    if (at_y < innerHeight) top = at_y;  // below are those that the page has cut off
  }
  return top;
})()
"""
"""Where the stack of the last error begins: what is below it tells of this machine, and nobody wants to read it."""


def main(images: Path) -> None:
    """Make all pictures."""
    if chromium_program() is None:
        sys.exit("Chromium is needed: apt-get install chromium")
    images.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as folder:
        source, lake = Path(folder, "archive"), Path(folder, "lake")
        files = Path(pydicom.data.__file__).parent / "test_files"
        shutil.copytree(files / "dicomdirtests", source / "clinic")
        shutil.copytree(
            files, source / "research", ignore=shutil.ignore_patterns("dicomdirtests", "*.py", "__pycache__")
        )
        catalog = [*_COMMAND, "catalog", source, "--lake", lake]
        subprocess.run(catalog, check=True)
        for name in LATER:
            shutil.copy(files / name, source / "clinic" / f"late-{name}")
            subprocess.run(catalog, check=True)
        with Chromium(Path(folder, "browser"), SIZE) as browser:
            gallery(browser, Path(folder), lake, images)
            browsed(browser, source, lake, images)
            with _served(["ui", str(source), "--lake", str(lake)], "/server_info", Path(folder, "ui.log")) as url:
                shutil.copy(files / "CT_small.dcm", source / "clinic" / "late.dcm")
                time.sleep(_TICKS)
                for name, page in PAGES.items():
                    picture(browser, f"{url}{page}", images / name)
                overview(browser, url, images)
                lost(browser, url, source, images)


def gallery(browser: Chromium, folder: Path, lake: Path, images: Path) -> None:
    """Take a picture of thumbnails."""
    page = folder / "thumbnails.html"
    subprocess.run([*_COMMAND, "gallery", page, "--lake", lake, "--where", "prefix = 'research'"], check=True)
    picture(browser, page.as_uri(), images / "thumbnails.png")


def browsed(browser: Chromium, source: Path, lake: Path, images: Path) -> None:
    """Take pictures of the pages that a catalog is browsed by."""
    with _served(["serve", "--lake", str(lake)], "/", lake.parent / "served.log") as url:
        for name, page in SERVED.items():
            path = urllib.parse.quote(str(source / SHOWN), safe="")
            picture(browser, f"{url}{page.format(path=path)}", images / name)


def overview(browser: Chromium, url: str, images: Path) -> None:
    """Take pictures of an asset: its columns, and below them what its runs said, as plots."""
    with _sized(browser, WIDE):
        picture(browser, f"{url}{OVERVIEW}", images / "overview.png")
    with _sized(browser, TALL):
        _open(browser, f"{url}{OVERVIEW}")
        for name in PLOTS:
            click(browser, name)
        keep(browser, images / "plots.png")


def lost(browser: Chromium, url: str, source: Path, images: Path) -> None:
    """Take pictures of a run that fails because the archive is away, and of the check that says so."""
    away = source.with_name("away")
    source.rename(away)
    try:
        run = _failed_run(url)
        _open(browser, f"{url}/runs/{run}")
        keep(browser, images / "failed-run.png", browser.wait(_STACK))
        picture(browser, f"{url}/assets/file_index?view=checks", images / "failed-check.png")
    finally:
        away.rename(source)


def picture(browser: Chromium, url: str, target: Path) -> None:
    """Take a picture of a page."""
    _open(browser, url)
    keep(browser, target)


def _open(browser: Chromium, url: str) -> None:
    browser.open(url)
    browser.wait("document.readyState === 'complete'")
    browser.settle(5)


def click(browser: Chromium, text: str) -> None:
    """Click on the last thing that says this and nothing else, and show it."""
    browser.wait(_CLICK.replace("TEXT", json.dumps(text)))
    browser.settle(3)


def keep(browser: Chromium, target: Path, height: int | None = None) -> None:
    """Write what the page looks like, to some height: 256 colours are enough for one."""
    page = Image.open(io.BytesIO(browser.picture())).convert("RGB")
    page.crop((0, 0, page.width, height or page.height)).quantize(256).save(target, optimize=True)
    print(f"{target}: {target.stat().st_size // 1024} kB")


@contextmanager
def _sized(browser: Chromium, size: tuple[int, int]) -> Iterator[None]:
    """Show pages in another size for a while."""
    _resize(browser, size)
    yield
    _resize(browser, SIZE)


def _resize(browser: Chromium, size: tuple[int, int]) -> None:
    width, height = size
    browser.ask("Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1, mobile=False)


def _failed_run(url: str) -> str:
    """Launch a run of one prefix and wait for its end; returns its id."""
    job = {"repositoryName": "__repository__", "repositoryLocationName": CODE, "jobName": "update_catalog"}
    tags = [{"key": "dagster/partition", "value": "clinic"}]
    params = {"selector": job, "runConfigData": {}, "mode": "default", "executionMetadata": {"tags": tags}}
    run: str = _ask(url, _LAUNCH, params=params)["launchRun"]["run"]["runId"]
    deadline = time.monotonic() + _FAILURE
    while _ask(url, _STATUS, id=run)["runOrError"]["status"] != "FAILURE":
        if time.monotonic() > deadline:
            sys.exit("the run does not fail")
        time.sleep(2)
    return run


def _ask(url: str, query: str, **variables: object) -> dict:
    body = json.dumps({"query": query, "variables": variables}).encode()
    request = urllib.request.Request(f"{url}/graphql", body, {"Content-Type": "application/json"})
    with urllib.request.urlopen(request, timeout=60) as answer:
        return json.load(answer)["data"]


@contextmanager
def _served(arguments: list[str], page: str, log: Path) -> Iterator[str]:
    """Run a command that serves pages, in a group of processes of its own so that all of it can be ended."""
    (port,) = free_ports(1)
    url = f"http://127.0.0.1:{port}"
    with log.open("w") as said:
        command = [*_COMMAND, *arguments, "--port", str(port)]
        server = subprocess.Popen(command, stdout=said, stderr=said, start_new_session=True)
        try:
            _wait(f"{url}{page}")
            yield url
        finally:
            _end(server)


def _end(server: subprocess.Popen[bytes]) -> None:
    """End a server, at first politely: where interrupts are ignored, as in a background job, it does not hear that."""
    server.terminate()
    try:
        server.wait(30)
    except subprocess.TimeoutExpired:
        os.killpg(server.pid, signal.SIGKILL)


def _wait(url: str) -> None:
    deadline = time.monotonic() + _START
    while True:
        try:
            urllib.request.urlopen(url, timeout=5).close()
        except OSError:
            if time.monotonic() > deadline:
                raise
            time.sleep(1)
        else:
            return


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).parents[1] / "images")

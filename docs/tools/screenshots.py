"""The pictures of the documentation: ``python docs/tools/screenshots.py [FOLDER]`` makes them anew.

Catalogs the files that come with pydicom, starts the Dagster UI on them (loopback only), lets its sensor tick, and
takes pictures of its pages with a headless Chromium (Debian: ``apt-get install chromium``). Look at them before you
commit them: a page that has not loaded is a picture, too.
"""

import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.parse
import urllib.request
from pathlib import Path
from typing import IO

import pydicom.data
from PIL import Image

SIZE = (1400, 900)
CODE = "dicom_assets.definitions"
PAGES = {
    "lineage.png": "/asset-groups",
    "overview.png": "/assets/object_catalog?view=overview",
    "ticks.png": f"/locations/{CODE}/sensors/archive_sensor",
}
"""By file name, what the UI shows there."""
SERVED = {
    "browser.png": "/?level=files",
    "browser-file.png": "/file?path={path}",
    "browser-plots.png": "/plots",
}
"""By file name, pages of ``dicom-assets serve``; one of them of a file."""
SHOWN = "research/MR_small.dcm"
_START = 600
_TICKS = 150
_COMMAND = [sys.executable, "-c", "from dicom_assets.cli import main; main()"]


def main(images: Path) -> None:
    """Make all pictures."""
    browser = shutil.which("chromium") or shutil.which("google-chrome")
    if browser is None:
        sys.exit("Chromium is needed: apt-get install chromium")
    with tempfile.TemporaryDirectory() as folder:
        source, lake = Path(folder, "archive"), Path(folder, "lake")
        files = Path(pydicom.data.__file__).parent / "test_files"
        shutil.copytree(files / "dicomdirtests", source / "clinic")
        shutil.copytree(
            files, source / "research", ignore=shutil.ignore_patterns("dicomdirtests", "*.py", "__pycache__")
        )
        subprocess.run([*_COMMAND, "catalog", source, "--lake", lake], check=True)
        browsed(browser, source, lake, images)
        port = _free_port()
        command = [*_COMMAND, "ui", str(source), "--lake", str(lake), "--port", str(port)]
        with Path(folder, "log").open("w") as log, _started(command, log) as ui:
            try:
                _wait(f"http://127.0.0.1:{port}/server_info")
                shutil.copy(source / "research" / "CT_small.dcm", source / "clinic" / "late.dcm")
                time.sleep(_TICKS)
                for name, page in PAGES.items():
                    picture(browser, f"http://127.0.0.1:{port}{page}", images / name)
            finally:
                _end(ui)


def browsed(browser: str, source: Path, lake: Path, images: Path) -> None:
    """Take pictures of the pages that a catalog is browsed by."""
    port = _free_port()
    command = [*_COMMAND, "serve", "--lake", str(lake), "--port", str(port)]
    with (lake.parent / "served").open("w") as log, _started(command, log) as server:
        try:
            _wait(f"http://127.0.0.1:{port}/")
            for name, page in SERVED.items():
                path = urllib.parse.quote(str(source / SHOWN), safe="")
                picture(browser, f"http://127.0.0.1:{port}{page.format(path=path)}", images / name)
        finally:
            _end(server)


def picture(browser: str, url: str, target: Path) -> None:
    """Take a picture of a page, small: 64 colours are enough for one."""
    options = ["--headless", "--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking"]
    size = "--window-size={},{}".format(*SIZE)
    command = [browser, *options, size, "--virtual-time-budget=20000", f"--screenshot={target}", url]
    subprocess.run(command, check=True, capture_output=True, timeout=120)
    Image.open(target).convert("RGB").quantize(64).save(target, optimize=True)
    print(f"{target}: {target.stat().st_size // 1024} kB")


def _started(command: list[str], log: IO[str]) -> subprocess.Popen[bytes]:
    """Start the UI in a group of processes of its own, so that all of it can be ended."""
    return subprocess.Popen(command, stdout=log, stderr=log, start_new_session=True)


def _end(ui: subprocess.Popen[bytes]) -> None:
    """End the UI, at first politely: where interrupts are ignored, as in a background job, it does not hear that."""
    ui.terminate()
    try:
        ui.wait(30)
    except subprocess.TimeoutExpired:
        os.killpg(ui.pid, signal.SIGKILL)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


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

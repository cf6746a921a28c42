"""What DICOMweb costs: a list of studies, the metadata and the frames of a series; beside Orthanc where it is there.

Run: ``python -m benchmarks.dicomweb [--studies 10000] [--slices 1000] [--repeat 5] [--orthanc] [--folder FOLDER]``

Both servers get the same files and are asked in turns over loopback, by one client with one connection. Printed
are the first answer after the start, the median of the others, and the ratio of the medians: to the last byte, for what
a client makes of an answer is the same whoever gave it.
"""

import argparse
import http.client
import json
import statistics
import tempfile
import time
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

import pydicom

import dicom_assets
from benchmarks.mr_files import write_mr_files
from dicom_assets.delta.lake import Lake
from dicom_assets.serve.site import Site
from dicom_assets_tests.support.orthanc import Orthanc, orthanc_program
from dicom_assets_tests.support.serving import served
from dicom_assets_tests.support.whole import tiny_dicom

_JSON = "application/dicom+json"
_FRAMES_ASKED = 500
_FRAMES = 'multipart/related; type="application/octet-stream"; transfer-syntax=*'


def make(folder: Path, studies: int, slices: int) -> list[Path]:
    """Write the archive and its catalog, unless they are there; returns the files."""
    if (folder / "lake").exists():
        return sorted((folder / "archive" / "series").rglob("*.MRDC")) + sorted((folder / "archive").rglob("*.dcm"))
    paths = write_mr_files(folder / "archive" / "series", slices)
    for number in range(studies):
        path = folder / "archive" / f"small{number // 1000:02d}" / f"{number:06d}.dcm"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(tiny_dicom(number, StudyDate=f"20{number % 20:02d}0131", PatientName=f"Name^{number}"))
        paths.append(path)
    started = time.perf_counter()
    done = dicom_assets.update_catalog(str(folder / "archive"), str(folder / "lake"))
    print(f"cataloged {done.files:,} files in {time.perf_counter() - started:.0f} s", flush=True)
    return paths


class Client:
    """One connection to a server."""

    def __init__(self, base: str) -> None:
        parts = urlsplit(base)
        self._path, self._connection = parts.path, http.client.HTTPConnection(parts.hostname, parts.port, timeout=600)

    def get(self, path: str, accept: str = _JSON) -> bytes:
        """Return the content at an address."""
        try:
            answer = self._answer(path, accept)
        except ConnectionError:  # a server may close a connection that was idle while the other one was asked
            self._connection.close()
            answer = self._answer(path, accept)
        content = answer.read()
        assert answer.status == 200, (path, answer.status, content[:200])
        return content

    def _answer(self, path: str, accept: str) -> http.client.HTTPResponse:
        self._connection.request("GET", self._path + path, headers={"Accept": accept})
        return self._connection.getresponse()


@dataclass(frozen=True)
class Question:
    """What is asked for, and how much of it came back, which is counted when the clock has stopped."""

    ask: Callable[[Client], list[bytes]]
    count: Callable[[list[bytes]], int] = lambda contents: sum(len(json.loads(content)) for content in contents)


def asked(series: str, slices: list[str], studies: int) -> dict[str, Question]:
    """Return what is asked for, by what it is called."""
    return {
        "a page of 100 studies": Question(lambda c: [c.get("/studies?limit=100")]),
        "all studies": Question(lambda c: [c.get(f"/studies?limit={studies}")]),
        "a patient": Question(lambda c: [c.get("/studies?PatientID=P77")]),
        "metadata of the series": Question(lambda c: [c.get(f"{series}/metadata")]),
        f"{len(slices)} frames": Question(lambda c: [c.get(f"{one}/frames/1", _FRAMES) for one in slices], len),
    }


def measure(clients: dict[str, Client], question: Question, repeat: int) -> dict[str, tuple[float, float, int]]:
    """Return the first time, the median of the others, and what came back, by server."""
    times: dict[str, list[float]] = {name: [] for name in clients}
    counts = {}
    for _ in range(repeat + 1):
        for name, client in clients.items():
            started = time.perf_counter()
            contents = question.ask(client)
            times[name].append(time.perf_counter() - started)
            counts[name] = question.count(contents)
    return {name: (taken[0], statistics.median(taken[1:]), counts[name]) for name, taken in times.items()}


def addresses(path: Path) -> tuple[str, str]:
    """Return the addresses of the series and of the instance of a file."""
    header = pydicom.dcmread(path, stop_before_pixels=True)
    series = f"/studies/{header.StudyInstanceUID}/series/{header.SeriesInstanceUID}"
    return series, f"{series}/instances/{header.SOPInstanceUID}"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--studies", type=int, default=10_000)
    parser.add_argument("--slices", type=int, default=1_000)
    parser.add_argument("--repeat", type=int, default=5)
    parser.add_argument("--orthanc", action="store_true")
    parser.add_argument("--folder", type=Path)
    options = parser.parse_args()
    folder = options.folder or Path(tempfile.mkdtemp(prefix="dicomweb-"))
    files = make(folder, options.studies, options.slices)
    with ExitStack() as stack:
        address = stack.enter_context(served(Site(Lake(str(folder / "lake")))))
        clients = {"dicom-assets": Client(f"{address}/dicom-web")}
        if options.orthanc and (program := orthanc_program()) is not None:
            other = Orthanc(program, folder)
            stack.callback(other.stop)
            started = time.perf_counter()
            other.load(files)
            print(f"Orthanc took {len(files):,} files in {time.perf_counter() - started:.0f} s", flush=True)
            clients["Orthanc"] = Client(other.base)
        series, _ = addresses(files[0])
        slices = [addresses(path)[1] for path in files[: min(_FRAMES_ASKED, options.slices)]]
        for name, question in asked(series, slices, options.studies + 1).items():
            found = measure(clients, question, options.repeat)
            told = "  ".join(
                f"{who} {first:.3f} s, {rest:.3f} s ({count})" for who, (first, rest, count) in found.items()
            )
            ratio = f"  ratio {found['dicom-assets'][1] / found['Orthanc'][1]:.2f}" if len(found) > 1 else ""
            print(f"{name:24} {told}{ratio}", flush=True)


if __name__ == "__main__":
    main()

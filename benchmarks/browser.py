"""What the pages of a catalog cost: ``python -m benchmarks.browser LAKE [--word WORD] [--repeat 5] [--commit]``

Asks the application itself, in this process, for each page several times: the first time what is counted is counted
anew, later it is known. Prints the first time and the median of the others, in seconds of the clock and of all cores,
how long the server reads before it has in memory what lists look at, and what the process took of it at most. With
``--commit`` one row is deleted before each page, which is then the first one of a version: of a copy of a lake.
"""

import argparse
import resource
import statistics
import time

from deltalake import DeltaTable
from starlette.testclient import TestClient

from dicom_assets.delta.lake import Lake
from dicom_assets.extract.model import CATALOG_NAME
from dicom_assets.serve.app import create_app
from dicom_assets.serve.follow import LOOK_SECONDS
from dicom_assets.serve.site import Site

PAGES = {
    "patients": "/?level=patients",
    "studies": "/",
    "studies, last page": "/?page={page}",
    "studies with a word": "/?q={word}",
    "series": "/?level=series",
    "series by a facet": "/?level=series&modality=CT",
    "files": "/?level=files",
    "files, page 1,000": "/?level=files&page=1000",
    "files by a facet": "/?level=files&modality=CT",
    "files by two facets": "/?level=files&modality=MR&month=2020-01",
    "files with a word": "/?level=files&q={word}",
    "files with a UID": "/?level=files&q=1.2.840.99999.1",
    "files by a condition": "/?level=files&where=InstanceNumber+%3D+7",
    "files by size": "/?level=files&sort=-size&view=table",
    "problems": "/?level=problems",
    "plots": "/plots",
    "QIDO, 100 studies": "/dicom-web/studies?limit=100",
    "QIDO, instances": "/dicom-web/instances?limit=100",
}


def asked(client: TestClient, path: str) -> tuple[float, float]:
    """Return the seconds that a page takes, of the clock and of all cores."""
    wall, cores = time.perf_counter(), time.process_time()
    status = client.get(path).status_code
    assert status in {200, 204}, (path, status)
    return time.perf_counter() - wall, time.process_time() - cores


def commit(lake: str) -> None:
    """Delete a file from the catalog, and wait until the server looks for that."""
    table = DeltaTable(f"{lake}/dicom/{CATALOG_NAME}")
    table.delete(f"path = '{table.to_pyarrow_dataset().head(1, columns=['path'])['path'][0].as_py()}'")
    time.sleep(LOOK_SECONDS)


def peak() -> float:
    """Return the most memory that this process has had, in MB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1000


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("lake")
    parser.add_argument("--word", default="chest")
    parser.add_argument("--page", default="10")
    parser.add_argument("--repeat", type=int, default=5)
    parser.add_argument("--commit", action="store_true")
    options = parser.parse_args()
    app = create_app(Site(Lake(options.lake)))
    client = TestClient(app, base_url="http://localhost")
    wall, cores = time.perf_counter(), time.process_time()
    app.state.service.follower.warm()
    told = time.perf_counter() - wall, time.process_time() - cores
    print(f"read what is kept: {told[0]:.2f} s, {told[1]:.2f} s of cores, {peak():.0f} MB at most by then")
    print("| page | first (s) | cores (s) | median (s) | cores (s) |\n|---|---|---|---|---|")
    for name, page in PAGES.items():
        path = page.format(word=options.word, page=options.page)
        if options.commit:
            commit(options.lake)
        first, *others = [asked(client, path) for _ in range(options.repeat + 1)]
        rest = [statistics.median(one[place] for one in others) for place in (0, 1)]
        print(f"| {name} | {first[0]:.2f} | {first[1]:.2f} | {rest[0]:.2f} | {rest[1]:.2f} |", flush=True)
    print(f"{peak():.0f} MB at most")


if __name__ == "__main__":
    main()

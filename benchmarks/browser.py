"""How long the pages of a catalog take: ``python benchmarks/browser.py LAKE [WORD]``.

Asks the application itself, in this process, for each page twice: the first time what is counted is counted anew, the
second time it is known. Prints seconds of the clock and of all cores.
"""

import sys
import time

from starlette.testclient import TestClient

from dicom_assets.delta.lake import Lake
from dicom_assets.serve.app import create_app
from dicom_assets.serve.site import Site

PAGES = (
    "/?level=files",
    "/?level=files&page=1000",
    "/?level=files&modality=CT",
    "/",
    "/?level=series&modality=CT",
    "/?level=files&q={word}",
    "/?q={word}",
    "/?level=problems",
    "/plots",
)


def main(root: str, word: str) -> None:
    client = TestClient(create_app(Site(Lake(root))), base_url="http://localhost")
    client.get("/sql")  # the tables are opened
    print("| page | first (s) | cores (s) | again (s) | cores (s) |\n|---|---|---|---|---|")
    for page in PAGES:
        figures = []
        for _ in range(2):
            wall, cores = time.perf_counter(), time.process_time()
            assert client.get(page.format(word=word)).status_code == 200, page
            figures += [time.perf_counter() - wall, time.process_time() - cores]
        print(f"| `{page.format(word=word)}` |", " | ".join(f"{figure:.2f}" for figure in figures), "|", flush=True)


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2] if len(sys.argv) > 2 else "chest")

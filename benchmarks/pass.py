"""Files per second of the whole pass, of its functions in a bare pool, and of a plain script; and of the command.

Three ways to make headers and thumbnails of the same CT-like files (512x512, 16 bits, 250 elements), in turn, several
rounds, two processes each:

pass
    The extraction step as a run has it: plan, Spark, data files of three Delta tables, three commits.
pool
    The same functions on the same files in a ``multiprocessing`` pool; the rows are thrown away.
script
    What one would write first: ``pydicom.dcmread``, ``to_json_dict``, ``pixel_array``, window, Pillow, JPEG.

Start-up of Spark is measured apart. Then the command ``dicom-assets catalog`` is timed on the same files from its start
to its end.

    python benchmarks/pass.py [--files 2000] [--rounds 3]
"""

import argparse
import io
import json
import multiprocessing
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from functools import partial
from multiprocessing.pool import Pool
from pathlib import Path

import numpy as np
import pydicom
from ct_files import write_ct_files
from PIL import Image
from pydicom.pixels import apply_modality_lut, apply_voi_lut

from dicom_assets.archive.local import LocalArchive
from dicom_assets.delta.lake import Lake
from dicom_assets.extract.model import DEFAULT_EXTRACTORS, DEFAULT_MODEL
from dicom_assets.extract.rows import Wanted, extract_rows
from dicom_assets.extract.source_file import FileKey
from dicom_assets.orchestration.resources.spark import SparkResource
from dicom_assets.pipeline.converge import converge
from dicom_assets.pipeline.extraction import ExtractionStep
from dicom_assets.pipeline.index import IndexStep
from dicom_assets.tables import FILE_INDEX

PROCESSES = 2
NAMES = frozenset(table.name for table in DEFAULT_MODEL.extracted)


def run_pass(spark: SparkResource, archive: LocalArchive) -> float:
    """Return the seconds that the extraction step takes on a fresh lake whose index is there."""
    with tempfile.TemporaryDirectory() as folder:
        lake = Lake(folder)
        lake.ensure(DEFAULT_MODEL.tables)
        prefixes = list(archive.prefixes())
        converge(IndexStep(lake, archive, prefixes), [FILE_INDEX.name], spark.run_rewrites, {})
        step = ExtractionStep(spark, lake, archive, DEFAULT_EXTRACTORS, prefixes)
        started = time.perf_counter()
        converge(step, sorted(NAMES), spark.run_rewrites, {})
        return time.perf_counter() - started


def extract_one(archive: LocalArchive, path: Path) -> int:
    """Make the rows of one file with the functions of the pass."""
    key = FileKey("p", str(path), path.name, "1")
    return len(extract_rows(archive, DEFAULT_EXTRACTORS, Wanted(key, NAMES)))


def script_one(path: Path) -> int:
    """Make a header and a thumbnail as one would write it first."""
    dataset = pydicom.dcmread(path)
    header = json.dumps(dataset.to_json_dict(bulk_data_threshold=1024, bulk_data_element_handler=lambda _: ""))
    values = apply_voi_lut(apply_modality_lut(dataset.pixel_array, dataset), dataset)
    low, high = float(values.min()), float(values.max())
    grey = ((values - low) / max(high - low, 1) * 255).astype(np.uint8)
    image = Image.fromarray(grey)
    image.thumbnail((256, 256))
    sink = io.BytesIO()
    image.save(sink, "JPEG")
    return len(header) + sink.tell()


def run_pool(pool: Pool, function: Callable[[Path], int], paths: list[Path]) -> float:
    """Return the seconds that a pool takes."""
    started = time.perf_counter()
    sum(pool.imap_unordered(function, paths, chunksize=32))
    return time.perf_counter() - started


def time_command(source: Path) -> float:
    """Return the seconds of the whole command, from an empty lake."""
    with tempfile.TemporaryDirectory() as lake:
        started = time.perf_counter()
        command = "from dicom_assets.cli import main; main()"
        subprocess.run([sys.executable, "-c", command, "catalog", str(source), "--lake", lake], check=True)
        return time.perf_counter() - started


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--files", type=int, default=2000)
    parser.add_argument("--rounds", type=int, default=3)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        source = Path(folder) / "source"
        paths = write_ct_files(source, arguments.files)
        archive = LocalArchive(str(source), 1)
        spark = SparkResource(spark_config={"spark.master": f"local[{PROCESSES}]"})
        started = time.perf_counter()
        spark.spark_session.range(1).count()
        print(f"Spark start-up: {time.perf_counter() - started:.1f} s")
        ways: dict[str, Callable[[], float]] = {"pass": partial(run_pass, spark, archive)}
        context = multiprocessing.get_context("spawn")
        with context.Pool(PROCESSES) as pool, context.Pool(PROCESSES) as plain:
            ways["pool"] = partial(run_pool, pool, partial(extract_one, archive), paths)
            ways["script"] = partial(run_pool, plain, script_one, paths)
            for way in ways.values():
                way()  # warm: page cache, imports, workers
            seconds = {name: [] for name in ways}
            for _ in range(arguments.rounds):
                for name, way in ways.items():
                    seconds[name].append(way())
        report(seconds, arguments.files)
        spark.spark_session.stop()
        print(f"\ndicom-assets catalog, from its start: {time_command(source):.1f} s for {arguments.files} files")


def report(seconds: dict[str, list[float]], files: int) -> None:
    """Print rates and the ratios within each round."""
    print(f"\n{files} files, files per second, median of {len(seconds['pass'])} rounds (min - max)")
    for name, times in seconds.items():
        rates = sorted(files / second for second in times)
        print(f"  {name:7}{statistics.median(rates):8.0f}   ({rates[0]:.0f} - {rates[-1]:.0f})")
    for other in ("pool", "script"):
        ratios = [b / a for a, b in zip(seconds["pass"], seconds[other], strict=True)]
        print(f"  pass / {other}: {statistics.median(ratios):.2f}")


if __name__ == "__main__":
    main()

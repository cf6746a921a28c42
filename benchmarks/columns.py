"""Adding a column of one's own to a catalog: seconds, bytes of data files read and written, and none of the archive.

Run: ``python benchmarks/columns.py [--rows N] [--prefixes N] [--spark]``, or with ``--lake DIR`` on a catalog that is
there, which has the column removed again in the end.

Without a lake, files are made up: an archive with the real interface lists them and answers every read with one small
image, so rows are made by the real code. What adds the column is not given the archive at all.
"""

import argparse
import resource
import shutil
import tempfile
import time
from pathlib import Path

from dicom_assets.delta.lake import Lake
from dicom_assets.extract.headers import DICOM_HEADERS
from dicom_assets.extract.model import OBJECT_CATALOG
from dicom_assets.pipeline.change_columns import change_columns
from dicom_assets.query.opening import open_catalog
from dicom_assets.spark.engine import SparkEngine
from dicom_assets.spark.session import spark_session
from dicom_assets.spark.work import InProcess
from dicom_assets_tests.support.endless import EndlessArchive
from dicom_assets_tests.support.scratch import build

COLUMN = "BenchmarkWeight=PatientWeight:number"


def sizes(lake):
    """Return the bytes of the live data files of the tables that hold headers."""
    tables = (DICOM_HEADERS, OBJECT_CATALOG)
    return {table.name: sum(file.size for file in lake.snapshot(table).files) for table in tables}


def timed(title, lake, engine, **change):
    before, started = sizes(lake), time.perf_counter()
    done = change_columns(lake, engine, **change)
    seconds = time.perf_counter() - started
    print(f"\n{title}: {seconds:.1f} s, {done.rows:,} rows, {done.rows / seconds:,.0f} rows/s")
    for name, size in sizes(lake).items():
        print(f"  {name:15} {before[name]:>14,} bytes read, {size:>14,} written", flush=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rows", type=int, default=100_000)
    parser.add_argument("--prefixes", type=int, default=10)
    parser.add_argument("--lake", type=Path)
    parser.add_argument("--spark", action="store_true")
    options = parser.parse_args()
    engine = SparkEngine(spark_session) if options.spark else InProcess()
    folder = Path(tempfile.mkdtemp(prefix="dicom-assets-columns-"))
    lake = Lake(str(options.lake or folder / "lake"))
    if options.lake is None:
        each = range(options.rows // options.prefixes)
        build(lake, EndlessArchive({f"p{number}": frozenset(each) for number in range(options.prefixes)}))
    rows = open_catalog(lake.root).sql("SELECT count(*), avg(length(header)) FROM object_catalog").fetchall()
    print(f"{rows[0][0]:,} rows, headers of {rows[0][1] or 0:,.0f} characters")
    timed("adding a column", lake, engine, add=[COLUMN])
    timed("adding it again", lake, engine, add=[COLUMN])
    timed("removing it", lake, engine, remove=[COLUMN.partition("=")[0]])
    print(f"\nlargest memory: {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss >> 10} MiB")
    shutil.rmtree(folder)


if __name__ == "__main__":
    main()

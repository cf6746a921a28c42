"""What series and studies cost: made for the first time, looked at with nothing to do, and after a change of one file.

Run: ``python benchmarks/rollups.py [--rows N] [--prefixes N] [--slices N]``

Rows of ``object_catalog`` are made up and committed by the real code, so no archive is needed; all in this process.
"""

import argparse
import resource
import shutil
import tempfile
import time
from pathlib import Path

import numpy as np
import pyarrow as pa

from dicom_assets.delta.lake import Lake
from dicom_assets.extract.model import DEFAULT_MODEL, OBJECT_CATALOG
from dicom_assets.extract.rollups import ROLLUPS
from dicom_assets.pipeline.converge import converge
from dicom_assets.pipeline.rollup.step import RollupStep
from dicom_assets.spark.work import InProcess
from dicom_assets_tests.support.made_up import replace


def slices(prefix: str, count: int, in_series: int, fingerprint: str = "1") -> pa.Table:
    """Return made-up rows of the catalog: volumes of so many slices."""
    numbers = np.arange(count)
    series, place = numbers // in_series, numbers % in_series
    names = [f"{prefix}/{one:06}/{slice_:04}.dcm" for one, slice_ in zip(series, place, strict=True)]
    uids = [f"1.2.826.0.1.3680043.{prefix}.{one}" for one in series]
    given = {
        "prefix": [prefix] * count,
        "path": [f"/archive/{name}" for name in names],
        "relative_path": names,
        "fingerprint": [f"526000-{fingerprint}"] * count,
        "extractor_version": ["catalog-2 metadata-1 headers-3 thumbnails-2"] * count,
        "thumbnail_status": ["ok"] * count,
        "size": pa.array(np.full(count, 526_000)),
        "frame_number": pa.array(np.ones(count, np.int32)),
        "SeriesInstanceUID": uids,
        "StudyInstanceUID": [uid.rsplit(".", 1)[0] + f".{int(uid.rsplit('.', 1)[1]) // 4}.s" for uid in uids],
        "SOPInstanceUID": [f"{uid}.{number}" for uid, number in zip(uids, place, strict=True)],
        "PatientID": [f"P{one // 8}" for one in series],
        "Modality": ["CT"] * count,
        "TransferSyntaxUID": ["1.2.840.10008.1.2.1"] * count,
        "InstanceNumber": pa.array(place.astype(np.int32)),
        "Rows": pa.array(np.full(count, 512, np.int32)),
        "Columns": pa.array(np.full(count, 512, np.int32)),
        "PixelSpacing": [[0.5, 0.5]] * count,
        "ImageOrientationPatient": [[1.0, 0, 0, 0, 1, 0]] * count,
        "ImagePositionPatient": [[0.0, 0.0, 1.25 * z] for z in place.tolist()],
    }
    return pa.table(given, schema=pa.schema([OBJECT_CATALOG.schema.field(name) for name in given]))


def run(title: str, lake: Lake, prefixes: list[str]) -> None:
    """Bring the rollups up to date, and say what that took."""
    done = converge(RollupStep(lake, prefixes), InProcess(), {}).outcomes
    seconds = done["series"].effort.seconds
    made = ", ".join(f"{done[table.name].made:,} {table.name}" for table in ROLLUPS)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss >> 10
    print(f"{title}: plan {seconds.plan:.2f} s, stage {seconds.stage:.2f} s; {made}; peak {peak} MiB", flush=True)


def main() -> None:
    """Measure."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--prefixes", type=int, default=50)
    parser.add_argument("--slices", type=int, default=100)
    options = parser.parse_args()
    folder = Path(tempfile.mkdtemp(prefix="dicom-assets-rollups-"))
    lake = Lake(str(folder))
    lake.ensure(DEFAULT_MODEL.tables)
    prefixes, each = [f"{number:03}" for number in range(options.prefixes)], options.rows // options.prefixes
    for prefix in prefixes:
        replace(lake, OBJECT_CATALOG, [prefix], slices(prefix, each, options.slices))
    started = time.perf_counter()
    run(f"{options.rows:,} files, first time", lake, prefixes)
    run("nothing to do", lake, prefixes)
    rows = slices(prefixes[0], each, options.slices)
    changed = pa.concat_tables([slices(prefixes[0], 1, options.slices, "2"), rows.slice(1)])
    replace(lake, OBJECT_CATALOG, prefixes[:1], changed)
    run("one file of them changed, its prefix looked at", lake, prefixes[:1])
    print(f"all: {time.perf_counter() - started:.1f} s")
    shutil.rmtree(folder)


if __name__ == "__main__":
    main()

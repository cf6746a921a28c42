"""Decoders that crash, hang and eat memory, in a Spark run over a thousand files."""

import collections
from pathlib import Path

import imagecodecs
import numpy as np
import pyarrow as pa

from dicom_assets.archive.local import LocalArchive
from dicom_assets.dicom.thumbnail import Limits, ThumbnailOptions
from dicom_assets.extract.thumbnails import THUMBNAILS, ThumbnailExtractor
from dicom_assets.pipeline.update import update_catalog
from dicom_assets_tests.support.dicom import hostile
from dicom_assets_tests.support.dicom.images import encapsulated, file_bytes, image
from dicom_assets_tests.support.scratch import ON_SPARK

FILES = 1000
WISHES = [hostile.SEGFAULT, hostile.HANG, hostile.ALLOCATE, hostile.ABORT, hostile.EXIT] * 2
REASONS = {
    hostile.SEGFAULT: ("error", "the decoder process died of SIGSEGV"),
    hostile.ABORT: ("error", "the decoder process died of SIGABRT"),
    hostile.EXIT: ("error", "the decoder process ended with exit code 3"),
    hostile.HANG: ("error", "decoding took longer than 5 seconds"),
    hostile.ALLOCATE: ("too_large", "decoding asked for more memory than the limit"),
}


def fill(folder: Path) -> dict[str, bytes]:
    """Write a thousand small JPEG 2000 files, of which ten ask for harm; return which."""
    array = np.tile(np.arange(64, dtype=np.uint16) * 60, (64, 1))
    frame = imagecodecs.jpeg2k_encode(array, level=0, codecformat="j2k")
    good = file_bytes(encapsulated(image(array), [frame], "1.2.840.10008.1.2.4.90"))
    harmful = {}
    for number in range(FILES):
        path = folder / f"{number:04}.dcm"
        wish = WISHES[number // 100] if number % 100 == 50 else None
        path.write_bytes(hostile.hostile_file(wish) if wish else good)
        if wish:
            harmful[str(path)] = wish
    return harmful


def test_ten_hostile_files_of_a_thousand_cost_ten_rows(spark, lake, tmp_path):
    source = tmp_path / "source"
    source.mkdir()
    harmful = fill(source)
    archive = LocalArchive(str(source), 0)
    extractor = ThumbnailExtractor(ThumbnailOptions(limits=Limits(seconds=5), renderer=hostile.render_hostile))
    update_catalog(archive, lake, extractors=[extractor], engine=ON_SPARK)
    batches = [batch for _, batch in lake.snapshot(THUMBNAILS).rows(["path", "status", "error", "thumbnail"])]
    rows = pa.Table.from_batches(batches).to_pylist()
    assert collections.Counter(row["status"] for row in rows) == {"ok": FILES - 10, "error": 8, "too_large": 2}
    failed = {row["path"]: (row["status"], row["error"]) for row in rows if row["status"] != "ok"}
    assert failed == {path: REASONS[wish] for path, wish in harmful.items()}
    assert all(row["thumbnail"] for row in rows if row["status"] == "ok")
    # Every task succeeded at its first attempt.
    tracker = spark.sparkContext.statusTracker()
    stages = [
        tracker.getStageInfo(stage) for job in tracker.getJobIdsForGroup() for stage in tracker.getJobInfo(job).stageIds
    ]
    assert not any(stage.numFailedTasks for stage in stages if stage)

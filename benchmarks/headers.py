"""Headers per second: the walker against pydicom, on made and on real headers.

    python -m benchmarks.headers [--rounds 7] [--corpus FOLDER]

The readers take turns on the same bytes in one process, so that what else the machine does hits all of them. Seconds
are those that the process worked, not those of the clock.

walker
    ``read_header`` and the JSON text by orjson.
walker, forgetful
    The same, but whatever it remembers of values is dropped before each file: the worst case, an archive in which
    no value comes twice.
pydicom
    ``dcmread(stop_before_pixels=True).to_json_dict()`` and the JSON text by orjson; a value that pydicom refuses
    to convert is left out rather than failing the file.
pydicom, lazy
    ``dcmread(stop_before_pixels=True)`` alone: no value is looked at. Not comparable, but the floor for pydicom.

The made headers of a set differ as those of a series do: in their UIDs, numbers, positions and times.
"""

import argparse
import logging
import random
import statistics
import time
import warnings
from collections.abc import Callable, Sequence
from io import BytesIO
from pathlib import Path

import orjson
import pydicom
from pydicom.data import get_testdata_file
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.uid import CTImageStorage, EnhancedMRImageStorage, ExplicitVRLittleEndian

from dicom_assets.dicom.header import header_json, read_header
from dicom_assets.dicom.header.encoding import ENCODINGS
from dicom_assets.dicom.source import BytesSource

ELEMENTS = 250
FRAMES = 60


def encoded(dataset: Dataset, sop_class: str) -> bytes:
    """Return a data set as the bytes of a file."""
    dataset.SOPClassUID = sop_class
    dataset.file_meta = FileMetaDataset()
    dataset.file_meta.MediaStorageSOPClassUID = sop_class
    dataset.file_meta.MediaStorageSOPInstanceUID = dataset.SOPInstanceUID
    dataset.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    buffer = BytesIO()
    dataset.save_as(buffer, enforce_file_format=True)
    return buffer.getvalue()


def ct_series(count: int, rng: random.Random) -> list[bytes]:
    """Return headers like those of a CT series: 250 elements, private ones among them."""
    series = []
    for number in range(count):
        dataset = pydicom.dcmread(get_testdata_file("CT_small.dcm"))
        dataset.remove_private_tags()
        del dataset[0xFFFCFFFC]
        dataset.SOPInstanceUID = f"1.2.3.4.{rng.randrange(10**12)}"
        dataset.InstanceNumber = number + 1
        dataset.ContentTime = f"{number // 3600:02}{number // 60 % 60:02}{number % 60:02}.{rng.randrange(10**6):06}"
        dataset.SliceLocation = f"{-100 + 1.25 * number:.3f}"
        dataset.ImagePositionPatient = [-150.5, -170.25, f"{-100 + 1.25 * number:.3f}"]
        dataset.XRayTubeCurrent = rng.randrange(100, 400)
        block = dataset.private_block(0x0043, "BENCHMARK", create=True)
        vrs: Sequence[tuple[str, Callable[[], object]]] = (
            ("DS", lambda: f"{rng.uniform(-500, 500):.5f}"),
            ("IS", lambda: rng.randrange(10**6)),
            ("LO", lambda: f"PARAMETER {rng.randrange(50)}"),
            ("US", lambda: rng.randrange(65536)),
            ("FD", rng.random),
            ("CS", lambda: "YES"),
        )
        missing = ELEMENTS - len(dataset)
        for offset in range(missing):
            vr, make = vrs[offset % len(vrs)]
            block.add_new(offset, vr, make())
        dataset.add_new(0x7FE00010, "OW", bytes(2 * 128 * 128))
        series.append(encoded(dataset, CTImageStorage))
    return series


def item(**values: object) -> Dataset:
    """Return an item of a sequence."""
    made = Dataset()
    for keyword, value in values.items():
        setattr(made, keyword, value)
    return made


def enhanced_series(count: int, rng: random.Random) -> list[bytes]:
    """Return headers of enhanced MR images: the functional groups of 60 frames, four sequences each."""
    series = []
    for number in range(count):
        base = pydicom.dcmread(get_testdata_file("MR_small.dcm"), stop_before_pixels=True)
        base.remove_private_tags()
        base.SOPInstanceUID = f"1.2.3.4.{rng.randrange(10**12)}"
        base.InstanceNumber = number + 1
        base.NumberOfFrames = FRAMES
        base.PerFrameFunctionalGroupsSequence = [
            item(
                FrameContentSequence=[
                    item(
                        FrameAcquisitionNumber=frame + 1,
                        FrameReferenceDateTime=f"20240101{frame // 60:02}{frame % 60:02}00.{rng.randrange(10**6):06}",
                        DimensionIndexValues=[1, frame + 1],
                        StackID="1",
                        InStackPositionNumber=frame + 1,
                    )
                ],
                PlanePositionSequence=[item(ImagePositionPatient=[-100, -120, f"{rng.uniform(-200, 200):.4f}"])],
                PlaneOrientationSequence=[item(ImageOrientationPatient=[1, 0, 0, 0, 1, 0])],
                FrameVOILUTSequence=[item(WindowCenter=rng.randrange(1000), WindowWidth=rng.randrange(1, 2000))],
            )
            for frame in range(FRAMES)
        ]
        base.add_new(0x7FE00010, "OW", bytes(1024))
        series.append(encoded(base, EnhancedMRImageStorage))
    return series


def corpus_files(folder: Path | None) -> list[bytes]:
    """Return the real files: those of pydicom, and those of a folder."""
    roots = [Path(pydicom.__file__).parent / "data", *([folder] if folder else [])]
    contents = [path.read_bytes() for root in roots for path in sorted(root.rglob("*")) if path.is_file()]
    return [content for content in contents if content[128:132] == b"DICM"]


def by_walker(content: bytes) -> bytes:
    return header_json(read_header(BytesSource(content)))


def by_forgetful_walker(content: bytes) -> bytes:
    for encoding in ENCODINGS.values():
        encoding.forget()
    return by_walker(content)


def by_pydicom(content: bytes) -> bytes:
    dataset = pydicom.dcmread(BytesIO(content), stop_before_pixels=True)
    return orjson.dumps(
        {
            "fileMeta": dataset.file_meta.to_json_dict(suppress_invalid_tags=True),
            "dataset": dataset.to_json_dict(suppress_invalid_tags=True),
        },
        default=str,
    )


def by_lazy_pydicom(content: bytes) -> Dataset:
    return pydicom.dcmread(BytesIO(content), stop_before_pixels=True)


READERS: dict[str, Callable[[bytes], object]] = {
    "walker": by_walker,
    "walker, forgetful": by_forgetful_walker,
    "pydicom": by_pydicom,
    "pydicom, lazy": by_lazy_pydicom,
}


def measure(contents: list[bytes], rounds: int) -> dict[str, float]:
    """Return the median seconds that each reader takes for one file."""
    taken: dict[str, list[float]] = {name: [] for name in READERS}
    for _ in range(rounds):
        for name, reader in READERS.items():
            begin = time.process_time()
            for content in contents:
                reader(content)
            taken[name].append((time.process_time() - begin) / len(contents))
    return {name: statistics.median(seconds) for name, seconds in taken.items()}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--files", type=int, default=100, help="made headers in each set")
    parser.add_argument("--corpus", type=Path, help="a folder of real files beside those of pydicom")
    options = parser.parse_args()
    warnings.simplefilter("ignore")
    logging.disable(logging.CRITICAL)
    rng = random.Random(1)
    sets = {
        f"(a) CT, {ELEMENTS} elements": ct_series(options.files, rng),
        f"(b) enhanced MR, {FRAMES} frames": enhanced_series(max(options.files // 5, 1), rng),
        "(c) real files": corpus_files(options.corpus),
    }
    print("speed: times that of pydicom")
    print(f"{'set':<28}{'files':>6}{'reader':>20}{'files/s':>10}{'ms/file':>10}{'speed':>8}")
    for title, contents in sets.items():
        medians = measure(contents, options.rounds)
        for name, seconds in medians.items():
            speed = medians["pydicom"] / seconds
            print(f"{title:<28}{len(contents):>6}{name:>20}{1 / seconds:>10.0f}{1000 * seconds:>10.3f}{speed:>8.1f}")


if __name__ == "__main__":
    main()

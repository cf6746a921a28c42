"""What one would write first: pydicom and Pillow, one file after the other, or on several processes.

Headers become a file of JSON lines, thumbnails a folder of JPEG files; of multi-frame images only the middle frame is
decoded. What cannot be read or shown is counted, and has a line that says why.

    python -m benchmarks.archive.script FOLDER TARGET [--processes N]
"""

import argparse
import json
import multiprocessing
import warnings
from collections.abc import Iterable
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path

import numpy as np
import pydicom
from PIL import Image
from pydicom.pixels import apply_modality_lut, apply_voi_lut, pixel_array

_LONGEST_SIDE = 256
_LARGEST_VALUE = 1024
"""Bytes of a value that goes into the JSON; of larger ones only the tag does."""


@dataclass(frozen=True, slots=True)
class Made:
    """What was made of a file.

    Attributes
    ----------
    header
        As JSON, ``None`` where the file is none of DICOM or has a value that JSON cannot hold.
    thumbnail
        JPEG, ``None`` where there is no image or it cannot be decoded.

    """

    header: str | None
    thumbnail: bytes | None


def make(source: Path | bytes) -> Made:
    """Make header and thumbnail of a file, or of its bytes; what fails is ``None``."""
    try:
        dataset = pydicom.dcmread(BytesIO(source) if isinstance(source, bytes) else source)
        header = header_json(dataset)
    except Exception:  # noqa: BLE001 - whatever pydicom raises of a broken file
        return Made(None, None)
    try:
        return Made(header, thumbnail(dataset))
    except Exception:  # noqa: BLE001 - no pixels, or none that a decoder takes
        return Made(header, None)


def header_json(dataset: pydicom.Dataset) -> str:
    """Return the header in the DICOM JSON Model (PS3.18 F), without long values."""
    model = dataset.to_json_dict(bulk_data_threshold=_LARGEST_VALUE, bulk_data_element_handler=lambda _: "")
    return json.dumps(model)


def thumbnail(dataset: pydicom.Dataset) -> bytes:
    """Return a JPEG of at most 256 pixels of the middle frame, through modality and VOI LUT."""
    middle = int(dataset.get("NumberOfFrames") or 1) // 2
    values = pixel_array(dataset, index=middle)
    if dataset.SamplesPerPixel == 1:
        values = apply_voi_lut(apply_modality_lut(values, dataset), dataset)
        low, high = float(values.min()), float(values.max())
        values = ((values - low) / max(high - low, 1) * 255).astype(np.uint8)
        if dataset.PhotometricInterpretation == "MONOCHROME1":
            values = 255 - values
    image = Image.fromarray(values)
    image.thumbnail((_LONGEST_SIDE, _LONGEST_SIDE))
    sink = BytesIO()
    image.save(sink, "JPEG")
    return sink.getvalue()


def _make(path: Path) -> tuple[Path, Made]:
    warnings.simplefilter("ignore")
    return path, make(path)


def write(results: Iterable[tuple[Path, Made]], target: Path) -> dict[str, int]:
    """Write headers and thumbnails, and return how many of each there are."""
    counts = {"files": 0, "headers": 0, "thumbnails": 0}
    pictures = target / "thumbnails"
    pictures.mkdir(parents=True)
    with (target / "headers.jsonl").open("w", encoding="utf-8") as lines:
        for path, made in results:
            counts["files"] += 1
            counts["headers"] += made.header is not None
            lines.write(f'{{"path": {json.dumps(str(path))}, "header": {made.header or "null"}}}\n')
            if made.thumbnail is not None:
                (pictures / f"{counts['thumbnails']:07d}.jpg").write_bytes(made.thumbnail)
                counts["thumbnails"] += 1
    return counts


def main() -> None:
    """Make all, and print how many."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("target", type=Path)
    parser.add_argument("--processes", type=int, default=1)
    arguments = parser.parse_args()
    paths = [path for path in sorted(arguments.folder.rglob("*")) if path.is_file()]
    if arguments.processes == 1:
        counts = write(map(_make, paths), arguments.target)
    else:
        with multiprocessing.Pool(arguments.processes) as pool:
            counts = write(pool.imap_unordered(_make, paths, chunksize=16), arguments.target)
    print(json.dumps(counts))


if __name__ == "__main__":
    main()

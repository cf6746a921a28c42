"""How long a thumbnail takes, ours against decoding everything: per kind of file, interleaved, medians and ratios.

The other side is what a script would do: ``dcmread``, ``pixel_array``, ``apply_modality_lut``, ``apply_voi_lut``
(all frames, as ``pixel_array`` yields them), the middle frame, Pillow's resize to at most 256 pixels, PNG. Ours
includes reading the header, and for encoded frames the trip to the decoder process. Both read from memory. A turn
takes about a third of a second, for as many calls as that allows, as a pass renders file after file. Run from the
root of the project::

    python -m benchmarks.thumbnails [--rounds 9] [--json FILE]
"""

import argparse
import io
import json
import statistics
import time
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path

import imagecodecs
import numpy as np
import pydicom
from PIL import Image
from pydicom.data import get_testdata_file
from pydicom.encaps import encapsulate
from pydicom.pixels import apply_color_lut, apply_modality_lut, apply_voi_lut
from pydicom.uid import (
    UID,
    HTJ2KLossless,
    JPEG2000Lossless,
    JPEGBaseline8Bit,
    JPEGExtended12Bit,
    JPEGLosslessSV1,
    JPEGLSLossless,
    RLELossless,
)

from dicom_assets.dicom.header import read_header
from dicom_assets.dicom.source import BytesSource
from dicom_assets.dicom.status import ThumbnailStatus
from dicom_assets.dicom.thumbnail import render_thumbnail

LONGEST_SIDE = 256
_TURN_SECONDS = 0.3
"""About, where one call does not take longer."""

Case = tuple[str, bytes, float]
"""Name, file, and the ratio that we hold ourselves to."""


def ours(data: bytes) -> None:
    """Render as the pipeline does."""
    thumbnail = render_thumbnail(read_header(BytesSource(data)))
    assert thumbnail.status is ThumbnailStatus.OK, thumbnail


def decode_everything(data: bytes) -> None:
    """Render as a script does: every frame decoded and transformed, the middle one resized and encoded."""
    dataset = pydicom.dcmread(io.BytesIO(data))
    array = dataset.pixel_array
    if dataset.PhotometricInterpretation == "PALETTE COLOR":
        array = (apply_color_lut(array, dataset) >> 8).astype(np.uint8)
    elif dataset.SamplesPerPixel == 1:
        array = apply_voi_lut(apply_modality_lut(array, dataset), dataset)
    if int(dataset.get("NumberOfFrames") or 1) > 1:
        array = array[len(array) // 2]
    if array.dtype != np.uint8:
        shown = array - array.min()
        array = (shown / max(shown.max(), 1) * 255).astype(np.uint8)
    if dataset.PhotometricInterpretation == "MONOCHROME1":
        array = 255 - array
    image = Image.fromarray(array)
    scale = LONGEST_SIDE / max(image.size)
    if scale < 1:
        image = image.resize((round(image.width * scale), round(image.height * scale)))
    image.save(io.BytesIO(), "PNG")


def _file(name: str) -> bytes:
    path = get_testdata_file(name)
    assert path is not None, f"{name} needs pydicom-data"
    return Path(str(path)).read_bytes()


def _encoded(name: str, syntax: UID, encode: Callable[[np.ndarray], bytes], *, copies: int = 1) -> bytes:
    """Return one of pydicom's uncompressed files in another transfer syntax, its frame `copies` times."""
    dataset = pydicom.dcmread(io.BytesIO(_file(name)))
    frame = encode(dataset.pixel_array)
    dataset.PixelData = encapsulate([frame] * copies)
    dataset["PixelData"].VR = "OB"
    dataset.file_meta.TransferSyntaxUID = syntax
    if copies > 1:
        dataset.NumberOfFrames = copies
    return _saved(dataset)


def _native_frames(name: str, copies: int) -> bytes:
    dataset = pydicom.dcmread(io.BytesIO(_file(name)))
    dataset.PixelData = bytes(dataset.PixelData) * copies
    dataset.NumberOfFrames = copies
    return _saved(dataset)


def _saved(dataset: pydicom.Dataset) -> bytes:
    out = io.BytesIO()
    dataset.save_as(out, enforce_file_format=True)
    return out.getvalue()


def cases() -> Iterator[Case]:
    """Yield what is measured."""
    yield "Explicit LE, CT 512x512", _file("693_UNCR.dcm"), 3
    yield "Explicit LE, MR 1024x1024", _file("MR2_UNCR.dcm"), 1
    yield "Explicit LE, CR 1955x1841", _file("RG1_UNCR.dcm"), 5
    yield "Explicit LE, CR 1760x1760", _file("RG3_UNCR.dcm"), 5
    yield "Explicit LE, CT 512x512, 100 frames", _native_frames("693_UNCR.dcm", 100), 100
    yield "Explicit LE, US RGB 480x640", _file("US1_UNCR.dcm"), 1
    yield "Explicit LE, palette 600x800", _file("OBXXXX1A.dcm"), 1
    yield "Explicit BE, MR 64x64", _file("MR_small_bigendian.dcm"), 1
    yield "Implicit LE, MR 64x64", _file("MR_small_implicit.dcm"), 1
    yield "Deflated, SC 512x512", _file("image_dfl.dcm"), 1
    yield "RLE, palette 600x800", _file("OBXXXX1A_rle.dcm"), 1
    yield "RLE, MR 64x64", _file("MR_small_RLE.dcm"), 1
    yield "RLE, CT 512x512", _rle("693_UNCR.dcm"), 1
    yield "JPEG Baseline, US RGB 480x640, 120 frames", _file("color3d_jpeg_baseline.dcm"), 100
    yield "JPEG Baseline, US 240x320, 30 frames", _file("examples_ybr_color.dcm"), 1
    yield "JPEG Baseline, SC 100x100", _file("SC_rgb_jpeg_dcmtk.dcm"), 1
    yield (
        "JPEG Baseline, SC 480x640",
        _encoded("US1_UNCR.dcm", JPEGBaseline8Bit, lambda a: imagecodecs.jpeg8_encode(a, level=90)),
        1,
    )
    yield (
        "JPEG Extended 12 bit, MR 1024x1024",
        _encoded("MR2_UNCR.dcm", JPEGExtended12Bit, lambda a: imagecodecs.jpeg8_encode(a, bitspersample=12)),
        1,
    )
    yield (
        "JPEG Lossless SV1, CR 1760x1760",
        _encoded(
            "RG3_UNCR.dcm",
            JPEGLosslessSV1,
            lambda a: imagecodecs.jpeg8_encode(a, lossless=True, predictor=1, bitspersample=16),
        ),
        1,
    )
    yield "JPEG-LS, MR 64x64", _file("MR_small_jpeg_ls_lossless.dcm"), 1
    yield "JPEG-LS, CR 1760x1760", _encoded("RG3_UNCR.dcm", JPEGLSLossless, imagecodecs.jpegls_encode), 1
    yield "JPEG 2000 lossless, CR 1955x1841", _file("RG1_J2KR.dcm"), 20
    yield "JPEG 2000 lossy, CR 1955x1841", _file("RG1_J2KI.dcm"), 20
    yield "JPEG 2000 lossless, CR 1760x1760", _file("RG3_J2KR.dcm"), 20
    yield "JPEG 2000 lossy, CR 1760x1760", _file("RG3_J2KI.dcm"), 20
    yield "JPEG 2000 lossless, MR 1024x1024", _file("MR2_J2KR.dcm"), 1
    yield "JPEG 2000 lossless, CT 512x512", _file("693_J2KR.dcm"), 1
    yield "JPEG 2000 lossy, US RGB 480x640", _file("US1_J2KI.dcm"), 1
    yield (
        "JPEG 2000 lossless, CT 512x512, 100 frames",
        _encoded(
            "693_UNCR.dcm",
            JPEG2000Lossless,
            lambda a: imagecodecs.jpeg2k_encode(a, level=0, codecformat="j2k"),
            copies=100,
        ),
        100,
    )
    yield (
        "HTJ2K lossless, CR 1760x1760",
        _encoded("RG3_UNCR.dcm", HTJ2KLossless, lambda a: imagecodecs.htj2k_encode(a, reversible=True)),
        1,
    )


def _rle(name: str) -> bytes:
    dataset = pydicom.dcmread(io.BytesIO(_file(name)))
    dataset.compress(RLELossless)
    return _saved(dataset)


def seconds_of(function: Callable[[bytes], None], data: bytes, calls: int = 1) -> float:
    """Return how long one of several calls takes."""
    begin = time.perf_counter()
    for _ in range(calls):
        function(data)
    return (time.perf_counter() - begin) / calls


def measure(data: bytes, rounds: int) -> tuple[float, float | None]:
    """Return the median seconds of both sides, in turns; ``None`` where the other side has no decoder."""
    seconds_of(ours, data)
    mine = _calls(seconds_of(ours, data))
    try:
        first = seconds_of(decode_everything, data)
    except (RuntimeError, NotImplementedError):
        return statistics.median(seconds_of(ours, data, mine) for _ in range(rounds)), None
    # What takes seconds needs no nine rounds to be told apart.
    rounds = max(3, min(rounds, int(10 / first)))
    theirs = _calls(first)
    pairs = [(seconds_of(ours, data, mine), seconds_of(decode_everything, data, theirs)) for _ in range(rounds)]
    return statistics.median(pair[0] for pair in pairs), statistics.median(pair[1] for pair in pairs)


def _calls(seconds: float) -> int:
    """Return how many calls make a turn."""
    return max(1, int(_TURN_SECONDS / seconds))


def main() -> None:
    """Measure and print all cases."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--rounds", type=int, default=9)
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    warnings.simplefilter("ignore")
    results = []
    print(f"{'':44} {'ours ms':>9} {'theirs ms':>10} {'ratio':>7} {'goal':>5}")
    for name, data, goal in cases():
        mine, theirs = measure(data, options.rounds)
        ratio = None if theirs is None else theirs / mine
        results.append({"case": name, "ours": mine, "theirs": theirs, "ratio": ratio, "goal": goal})
        shown = f"{theirs * 1e3:10.1f} {ratio:6.1f}x {goal:4}x" if theirs and ratio else "no decoder"
        verdict = " below" if ratio is not None and ratio < goal else ""
        print(f"{name:44} {mine * 1e3:9.2f} {shown}{verdict}", flush=True)
    if options.json:
        options.json.write_text(json.dumps(results, indent=2))


if __name__ == "__main__":
    main()

"""Thumbnails by other people's code, to hold ours against: pydicom's transformations and DCMTK's ``dcmj2pnm``.

Both decode whole frames, apply their own modality and VOI transformations and know nothing of our modules. What
they do not do at all (percentiles where the header has no buffer) is given to them as a buffer in plain numpy.
"""

import gzip
import io
import shutil
import subprocess
import warnings
from pathlib import Path

import numpy as np
import pydicom
from PIL import Image
from pydicom.pixels import apply_color_lut, apply_modality_lut, apply_voi_lut, pixel_array

from dicom_assets.dicom.thumbnail import Thumbnail

DCMJ2PNM = shutil.which("dcmj2pnm")


ORACLES = ("pydicom", "dcmtk")
LEAST_SIMILARITY = 0.95
LARGEST_COLOUR_ERROR = 6.0
"""Mean difference of the worst channel, in levels of 255: similarity of luminance does not see a wrong tint."""


def render(name: str, path: Path, thumbnail: Thumbnail, folder: Path) -> np.ndarray | None:
    """Return the thumbnail's frame by an oracle, ``None`` where it has no decoder for it or refuses the file."""
    if path.suffix == ".gz":
        plain = folder / path.stem
        plain.write_bytes(gzip.decompress(path.read_bytes()))
        path = plain
    if name == "dcmtk":
        return by_dcmtk(path, thumbnail, folder) if DCMJ2PNM else None
    try:
        return by_pydicom(path, thumbnail)
    except (RuntimeError, NotImplementedError, AttributeError, ValueError):
        return None


def agree(ours: np.ndarray, theirs: np.ndarray) -> bool:
    """Tell whether two renderings show the same."""
    small = shrink(theirs, ours.shape)
    return similarity(ours, small) >= LEAST_SIMILARITY and colour_error(ours, small) <= LARGEST_COLOUR_ERROR


def picture_of(thumbnail: Thumbnail) -> np.ndarray:
    """Return the pixels of a thumbnail, ``(rows, columns)`` or ``(rows, columns, 3)``."""
    assert thumbnail.data is not None
    return np.asarray(Image.open(io.BytesIO(thumbnail.data)))


def shrink(picture: np.ndarray, shape: tuple[int, ...]) -> np.ndarray:
    """Return 8-bit pixels resized to the rows and columns of `shape`: by area, interpolated where they grow."""
    image = Image.fromarray(np.ascontiguousarray(picture))
    for size in ((shape[1], image.height), (shape[1], shape[0])):
        grows = size[0] > image.width or size[1] > image.height
        image = image.resize(size, Image.Resampling.BILINEAR if grows else Image.Resampling.BOX)
    return np.asarray(image)


def by_pydicom(path: Path, thumbnail: Thumbnail) -> np.ndarray:
    """Return the thumbnail's frame as pydicom renders it, at full size, 8 bits."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        dataset = pydicom.dcmread(path, force=True)
        frame = (thumbnail.frame_number or 1) - 1
        stored = pixel_array(dataset, index=frame)
        if stored.ndim == 3:
            wide = int(dataset.BitsStored) - 8
            return (stored >> wide if wide > 0 else stored).astype(np.uint8)
        if dataset.PhotometricInterpretation == "PALETTE COLOR":
            colours = apply_color_lut(stored, dataset)
            return (colours >> 8 if colours.dtype.itemsize > 1 else colours).astype(np.uint8)
        if dataset.BitsAllocated == 1:
            return (stored > 0).astype(np.uint8) * np.uint8(255)
        return _grey_by_pydicom(dataset, stored, thumbnail, frame)


def _grey_by_pydicom(dataset: pydicom.Dataset, stored: np.ndarray, thumbnail: Thumbnail, frame: int) -> np.ndarray:
    transformed = dataset
    for name in ("SharedFunctionalGroupsSequence", "PerFrameFunctionalGroupsSequence"):
        groups = dataset.get(name) or []
        group = groups[frame if name.startswith("Per") else 0] if groups else pydicom.Dataset()
        for macro in ("PixelValueTransformationSequence", "FrameVOILUTSequence"):
            for element in (group.get(macro) or [pydicom.Dataset()])[0]:
                transformed[element.tag] = element
    modality = np.asarray(apply_modality_lut(stored, transformed), np.float64)
    if "DoseGridScaling" in dataset:
        modality = modality * float(dataset.DoseGridScaling)
    if thumbnail.window_center is None and thumbnail.window_width is None:
        shown = apply_voi_lut(modality.astype(int), transformed).astype(np.float64)
        if "VOILUTSequence" not in dataset:
            return np.zeros(stored.shape, np.uint8)
        bits = int(dataset.VOILUTSequence[0].LUTDescriptor[2])
        levels = shown / ((1 << bits) - 1)
    elif _has_usable_window(transformed, thumbnail):
        shown = apply_voi_lut(modality, transformed, prefer_lut=False)
        low, high = _output_range(transformed)
        levels = (shown - low) / (high - low)
    else:
        low, high = np.percentile(modality, (1, 99))
        if low == high:
            low, high = modality.min(), modality.max()
        levels = np.clip((modality - low) / (high - low), 0, 1)
    inverse = dataset.get("PresentationLUTShape", "")
    if inverse == "INVERSE" or (inverse != "IDENTITY" and dataset.PhotometricInterpretation == "MONOCHROME1"):
        levels = 1 - levels
    return np.rint(np.clip(levels, 0, 1) * 255).astype(np.uint8)


def _has_usable_window(dataset: pydicom.Dataset, thumbnail: Thumbnail) -> bool:
    center, width = dataset.get("WindowCenter"), dataset.get("WindowWidth")
    if center is None or width is None or width == "" or center == "":
        return False
    first = [value[0] if isinstance(value, pydicom.multival.MultiValue) else value for value in (center, width)]
    return (float(first[0]), float(first[1])) == (thumbnail.window_center, thumbnail.window_width)


def _output_range(dataset: pydicom.Dataset) -> tuple[float, float]:
    """Return what pydicom scales windowed values to: the range of stored values, rescaled (PS3.3 C.11.2.1.2)."""
    bits = int(dataset.BitsStored)
    low, high = (-(1 << (bits - 1)), (1 << (bits - 1)) - 1) if dataset.PixelRepresentation else (0, (1 << bits) - 1)
    slope, intercept = float(dataset.get("RescaleSlope") or 1), float(dataset.get("RescaleIntercept") or 0)
    if "ModalityLUTSequence" in dataset:
        return 0, (1 << int(dataset.ModalityLUTSequence[0].LUTDescriptor[2])) - 1
    return low * slope + intercept, high * slope + intercept


def by_dcmtk(path: Path, thumbnail: Thumbnail, folder: Path) -> np.ndarray | None:
    """Return the thumbnail's frame as DCMTK renders it, ``None`` where DCMTK has no decoder for it.

    The buffer is the one that we report to have applied; a VOI LUT DCMTK takes from the file itself.
    """
    out = folder / "dcmtk.pnm"
    command = [str(DCMJ2PNM), "--quiet", "--frame", str(thumbnail.frame_number or 1), "--no-overlays"]
    if thumbnail.window_center is not None:
        # DCMTK's width counts values, one more than the length of the slope.
        command += ["--set-buffer", repr(thumbnail.window_center), repr(thumbnail.window_width)]
    elif "VOILUTSequence" in pydicom.dcmread(path, force=True, specific_tags=["VOILUTSequence"]):
        command += ["--use-voi-lut", "1"]
    out.unlink(missing_ok=True)
    done = subprocess.run([*command, str(path), str(out)], capture_output=True, check=False, timeout=60)
    if done.returncode or not out.exists():
        return None
    return np.asarray(Image.open(out))


def similarity(ours: np.ndarray, theirs: np.ndarray) -> float:
    """Return the mean structural similarity of two pictures of one size (Wang et al. 2004), over 7 x 7 squares.

    Of the luminance, as is usual; see :func:`colour_error` for the rest.
    """
    a, b = _luminance(ours), _luminance(theirs)
    side = min(7, *a.shape)
    mean_a, mean_b = _means(a, side), _means(b, side)
    var_a, var_b = _means(a * a, side) - mean_a**2, _means(b * b, side) - mean_b**2
    covariance = _means(a * b, side) - mean_a * mean_b
    c1, c2 = (0.01 * 255) ** 2, (0.03 * 255) ** 2
    top = (2 * mean_a * mean_b + c1) * (2 * covariance + c2)
    return float(np.mean(top / ((mean_a**2 + mean_b**2 + c1) * (var_a + var_b + c2))))


def colour_error(ours: np.ndarray, theirs: np.ndarray) -> float:
    """Return the mean absolute difference of the worst channel, in levels of 255."""
    difference = np.abs(_with_three(ours).astype(int) - _with_three(theirs).astype(int))
    return float(difference.mean(axis=(0, 1)).max())


def _luminance(picture: np.ndarray) -> np.ndarray:
    if picture.ndim == 2:
        return picture.astype(np.float64)
    return picture[..., :3] @ np.array([0.299, 0.587, 0.114])


def _with_three(picture: np.ndarray) -> np.ndarray:
    return picture if picture.ndim == 3 else np.repeat(picture[..., None], 3, axis=2)


def _means(values: np.ndarray, side: int) -> np.ndarray:
    return np.lib.stride_tricks.sliding_window_view(values, (side, side)).mean(axis=(2, 3))

"""Area averaging: every pixel of a frame has its share in the thumbnail.

Nearest-neighbour and windowed-sinc resizing drop thin lines or ring around them; means over areas do neither, and
they commute with everything linear that comes after.
"""

import numpy as np
import numpy.typing as npt
from PIL import Image

from dicom_assets.dicom.pixels.decoded import Extent
from dicom_assets.dicom.pixels.native import Samples

Picture = npt.NDArray[np.uint8]
"""Shape ``(rows, columns)`` for grey, ``(rows, columns, 3)`` for RGB."""

Floats = npt.NDArray[np.float32]

MAX_PIXEL_RATIO = 16.0
"""A Pixel Aspect Ratio beyond this, either way, is an error of the header and is not followed."""


def thumbnail_size(rows: int, columns: int, pixel_ratio: float, longest: int) -> tuple[int, int]:
    """Return the rows and columns of the thumbnail of a frame.

    Parameters
    ----------
    rows, columns
        Of the frame.
    pixel_ratio
        Height of a pixel by its width (PS3.3 C.7.6.3.1.7). The coarser axis is stretched.
    longest
        Length that neither side of the thumbnail may pass. Smaller pictures keep their size.

    """
    ratio = pixel_ratio if 1 / MAX_PIXEL_RATIO <= pixel_ratio <= MAX_PIXEL_RATIO else 1.0
    height, width = rows * max(ratio, 1.0), columns * max(1 / ratio, 1.0)
    scale = min(1.0, longest / max(height, width))
    return max(1, round(height * scale)), max(1, round(width * scale))


def average_values(values: Samples, size: tuple[int, int], extent: Extent | None = None) -> Floats:
    """Return stored values averaged down to a size, before any window is applied.

    Parameters
    ----------
    values
        Shape ``(rows, columns)``, integers or floats.
    size
        Rows and columns of the result. An axis that grows is interpolated.
    extent
        Where the picture lies in `values`, when not right within them.

    Returns
    -------
    ndarray
        Shape `size`.

    """
    if extent is None:
        down, across = _block(values.shape[0], size[0]), _block(values.shape[1], size[1])
        extent = Extent(values.shape[0] / down, values.shape[1] / across)
        values = _block_means(values, down, across)
    return _resample_both(values, size, extent)


def average_picture(picture: Picture, size: tuple[int, int], extent: Extent | None = None) -> Picture:
    """Return 8-bit grey or RGB averaged down to a size.

    Parameters
    ----------
    picture
        Shape ``(rows, columns)`` or ``(rows, columns, 3)``.
    size
        Rows and columns of the result. An axis that grows is interpolated.
    extent
        Where the picture lies in `picture`, when not right within it.

    """
    if extent is None:
        rows, columns = picture.shape[:2]
        down, across = _block(rows, size[0]), _block(columns, size[1])
        extent = Extent(rows / down, columns / across)
        if down > 1 or across > 1:
            picture = np.asarray(Image.fromarray(np.ascontiguousarray(picture)).reduce((across, down)))
    if (*picture.shape[:2], 0.0) == (extent.rows, extent.columns, extent.shift) == (*size, 0.0):
        return picture
    rounded: Picture = (_resample_both(picture, size, extent) + np.float32(0.5)).astype(np.uint8)
    return rounded


def _block(length: int, target: int) -> int:
    """Return the side of the blocks to average before the exact step.

    None where a block would be no smaller than half of what it is averaged into: edges of areas that cut such
    blocks would show as uneven sharpness.
    """
    ratio = length / target
    return int(ratio) if ratio >= 3 or ratio == 2 else 1


def _resample_both(values: Samples, size: tuple[int, int], extent: Extent) -> Floats:
    """Resample rows, then columns."""
    rows_done = _resample(values, size[0], extent.rows, extent.shift)
    turned = np.ascontiguousarray(np.swapaxes(rows_done, 0, 1))
    both = _resample(turned, size[1], extent.columns, extent.shift)
    return np.ascontiguousarray(np.swapaxes(both, 0, 1), np.float32)


def _resample(values: Samples, count: int, extent: float, shift: float) -> Floats:
    """Return `count` weighted means along the first axis: over areas where it shrinks, else interpolated."""
    if len(values) == count == extent and not shift:
        return values.astype(np.float32, copy=False)
    first, weights = (_area_weights if count <= extent else _linear_weights)(count, extent, shift)
    shape = (-1,) + (1,) * (values.ndim - 1)
    result = np.zeros((count, *values.shape[1:]), np.float32)
    for tap in range(weights.shape[1]):
        index = np.minimum(first + tap, len(values) - 1)
        result += values[index] * weights[:, tap].reshape(shape)
    return result


def _area_weights(count: int, extent: float, shift: float) -> tuple[npt.NDArray[np.intp], Floats]:
    """Return for each output the first input it covers, and the share of it and its successors."""
    edges = np.linspace(0, extent, count + 1) + shift
    first = np.floor(edges[:-1]).astype(np.intp)
    taps = int(np.ceil(extent / count)) + 1
    inputs = first[:, None] + np.arange(taps)
    overlap = np.minimum(inputs + 1, edges[1:, None]) - np.maximum(inputs, edges[:-1, None])
    weights = np.clip(overlap, 0, 1)
    return first, (weights / weights.sum(axis=1, keepdims=True)).astype(np.float32)


def _linear_weights(count: int, extent: float, shift: float) -> tuple[npt.NDArray[np.intp], Floats]:
    """Return for each output the input before its centre, and the weights of that one and the next."""
    centre = np.clip((np.arange(count) + 0.5) * extent / count - 0.5 + shift, 0, max(extent - 1, 0))
    first = np.floor(centre).astype(np.intp)
    share = (centre - first).astype(np.float32)
    return first, np.stack([1 - share, share], axis=1)


def _block_means(values: Samples, down: int, across: int) -> Floats:
    """Return means over blocks; blocks at the lower and right edge may be smaller.

    Summing strided views keeps every operation a long vectorised one, an order of magnitude faster than
    ``ufunc.reduceat``.
    """
    if down == across == 1:
        return values
    rows, columns = values.shape
    # Sums of 8- and 16-bit values fit 32 bits for blocks of up to 2^16 pixels.
    narrow = values.dtype.kind in "iu" and values.dtype.itemsize <= 2 and down * across <= 1 << 15
    kind = np.dtype("f8") if not narrow else np.dtype("u4" if values.dtype.kind == "u" else "i4")
    vertical = np.zeros((-(-rows // down), columns), kind)
    for offset in range(down):
        part = values[offset::down]
        vertical[: len(part)] += part
    sums = np.zeros((len(vertical), -(-columns // across)), kind)
    for offset in range(across):
        part = vertical[:, offset::across]
        sums[:, : part.shape[1]] += part
    heights = np.minimum(down, rows - np.arange(len(vertical)) * down)
    widths = np.minimum(across, columns - np.arange(sums.shape[1]) * across)
    means: Floats = (sums / np.outer(heights, widths)).astype(np.float32)
    return means

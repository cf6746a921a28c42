"""Area averaging: every pixel of a frame has its share in the thumbnail.

Nearest-neighbour and windowed-sinc resizing drop thin lines or ring around them; means over areas do neither, and
they commute with everything linear that comes after.
"""

import numpy as np
import numpy.typing as npt
from PIL import Image

from dicom_assets.dicom.pixels.native import Samples

Picture = npt.NDArray[np.uint8]
"""Shape ``(rows, columns)`` for grey, ``(rows, columns, 3)`` for RGB."""

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


def average_values(values: Samples, size: tuple[int, int]) -> npt.NDArray[np.float32]:
    """Return stored values averaged down to a size, before any window is applied.

    Parameters
    ----------
    values
        Shape ``(rows, columns)``, integers or floats.
    size
        Rows and columns of the result. An axis that grows is interpolated.

    Returns
    -------
    ndarray
        Shape `size`.

    """
    rows, columns = values.shape
    down, across = max(1, rows // size[0]), max(1, columns // size[1])
    means = _block_means(values, down, across)
    return np.asarray(_fit(Image.fromarray(means), size, (columns / across, rows / down)))


def average_picture(picture: Picture, size: tuple[int, int]) -> Picture:
    """Return 8-bit grey or RGB averaged down to a size.

    Parameters
    ----------
    picture
        Shape ``(rows, columns)`` or ``(rows, columns, 3)``.
    size
        Rows and columns of the result. An axis that grows is interpolated.

    """
    rows, columns = picture.shape[:2]
    if (rows, columns) == size:
        return picture
    image = Image.fromarray(np.ascontiguousarray(picture))
    down, across = max(1, rows // size[0]), max(1, columns // size[1])
    if down > 1 or across > 1:
        image = image.reduce((across, down))
    return np.asarray(_fit(image, size, (columns / across, rows / down)))


def _fit(image: Image.Image, size: tuple[int, int], extent: tuple[float, float]) -> Image.Image:
    """Resize the part of an image that whole blocks and the last, partial ones cover, one axis at a time."""
    rows, columns = size
    width, height = min(extent[0], image.width), min(extent[1], image.height)
    if (image.height, image.width) != size or (width, height) != (columns, rows):
        image = image.resize((columns, image.height), _filter(columns, width), (0, 0, width, image.height))
        image = image.resize((columns, rows), _filter(rows, height), (0, 0, columns, height))
    return image


def _filter(length: int, before: float) -> Image.Resampling:
    return Image.Resampling.BOX if length <= before else Image.Resampling.BILINEAR


def _block_means(values: Samples, down: int, across: int) -> npt.NDArray[np.float32]:
    """Return means over blocks; blocks at the lower and right edge may be smaller.

    Summing strided views keeps every operation a long vectorised one, an order of magnitude faster than
    ``ufunc.reduceat``.
    """
    if down == across == 1:
        return np.ascontiguousarray(values, np.float32)
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
    means: npt.NDArray[np.float32] = (sums / np.outer(heights, widths)).astype(np.float32)
    return means

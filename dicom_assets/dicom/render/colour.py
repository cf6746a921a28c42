"""Colour: samples in the space that Photometric Interpretation names to RGB for display (PS3.3 C.7.6.3.1.2)."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import numpy.typing as npt
from PIL import Image

from dicom_assets.dicom.pixels.decoded import Decoded, Extent
from dicom_assets.dicom.pixels.errors import PixelError, UnsupportedPixelsError
from dicom_assets.dicom.pixels.layout import PixelLayout
from dicom_assets.dicom.pixels.native import Samples
from dicom_assets.dicom.render.resize import Picture, average_picture

_YBR_FULL_TO_RGB = np.array(
    [[1.0, 0.0, 1.402], [1.0, -0.114 * 1.772 / 0.587, -0.299 * 1.402 / 0.587], [1.0, 1.772, 0.0]]
)
"""Inverse of the full range transformation of ITU-R BT.601."""
_YBR_PARTIAL_TO_RGB = _YBR_FULL_TO_RGB * np.array([255 / 219, 255 / 224, 255 / 224])
"""For luminance from 16 to 235 and colour differences from 16 to 240 (retired YBR_PARTIAL_422 and _420)."""


@dataclass(frozen=True, slots=True, eq=False)
class Palette:
    """Red, Green and Blue Palette Color Lookup Table (PS3.3 C.7.6.3.1.5, C.7.6.3.1.6).

    Attributes
    ----------
    first
        The stored value that the first entry belongs to.
    colours
        Shape ``(entries, 3)``, 8 bits.

    """

    first: int
    colours: Picture

    lossless: ClassVar[bool] = False
    step: ClassVar[float] = 0.0

    def may_be_reduced(self, layout: PixelLayout) -> bool:  # noqa: ARG002 - part of the protocol
        """Return that a mean of indices is no index."""
        return False

    def fill(self, tile: Decoded, photometric: str, *, white: bool) -> int:  # noqa: ARG002 - part of the protocol
        """Return the first entry's index."""
        return 0

    def render(self, frame: Decoded, photometric: str, size: tuple[int, int]) -> tuple[Picture, None]:  # noqa: ARG002 - part of the protocol
        """Return the colours of a frame's values."""
        return render_palette(frame.plane(), self, size), None


@dataclass(frozen=True, slots=True)
class Colour:
    """True colour in the space of Photometric Interpretation."""

    lossless: ClassVar[bool] = False
    step: ClassVar[float] = 0.0

    def may_be_reduced(self, layout: PixelLayout) -> bool:  # noqa: ARG002 - part of the protocol
        """Return that all conversions are affine."""
        return True

    def fill(self, tile: Decoded, photometric: str, *, white: bool) -> list[int] | int:
        """Return white or black."""
        level, middle = (1 << tile.bits) - 1 if white else 0, 1 << (tile.bits - 1)
        differences = not tile.rgb and photometric.startswith("YBR_")
        return [level, middle, middle] if differences else level

    def render(self, frame: Decoded, photometric: str, size: tuple[int, int]) -> tuple[Picture, None]:
        """Return RGB."""
        if frame.samples.ndim != 3 or frame.samples.shape[2] < 3:
            raise PixelError(f"the decoded frame has shape {frame.samples.shape}, colour was expected")
        space = "RGB" if frame.rgb else photometric
        return render_colour(frame.samples, space, frame.bits, size, frame.extent), None


def render_palette(stored: Samples, palette: Palette, size: tuple[int, int]) -> Picture:
    """Return the colours of stored values, averaged down to a size.

    Parameters
    ----------
    stored
        Shape ``(rows, columns)``. Values beyond the table take its first or last entry.
    palette
        The table.
    size
        Rows and columns of the result.

    """
    if stored.dtype.kind == "u" and stored.dtype.itemsize == 1 and palette.first == 0:
        table = palette.colours[np.minimum(np.arange(256), len(palette.colours) - 1)]
        indexed = Image.fromarray(np.ascontiguousarray(stored)).convert("P")
        indexed.putpalette(table.tobytes())
        return average_picture(np.asarray(indexed.convert("RGB")), size)
    index = np.clip(stored.astype(np.int64) - palette.first, 0, len(palette.colours) - 1)
    return average_picture(palette.colours.take(index, axis=0), size)


def render_colour(
    samples: Samples, photometric: str, bits: int, size: tuple[int, int], extent: Extent | None = None
) -> Picture:
    """Return RGB of a size from samples of any width in any colour space.

    Parameters
    ----------
    samples
        Shape ``(rows, columns, 3)``, unsigned.
    photometric
        The space that samples are in now, ``RGB`` when a decoder has converted them.
    bits
        Of a sample; wider ones lose their lowest bits.
    size
        Rows and columns of the result.
    extent
        Where the picture lies in its samples.

    Raises
    ------
    UnsupportedPixelsError
        When the space is a retired one. Any other that is not known is taken for RGB.

    """
    eight = _to_eight_bits(samples[..., :3], bits)
    # All conversions are affine, so they come after averaging, on a fraction of the pixels.
    small = average_picture(eight, size, extent)
    if photometric in {"YBR_FULL", "YBR_FULL_422"}:
        return _from_ybr(small, np.array([0.0, 128.0, 128.0]), _YBR_FULL_TO_RGB)
    if photometric in {"YBR_PARTIAL_422", "YBR_PARTIAL_420"}:
        return _from_ybr(small, np.array([16.0, 128.0, 128.0]), _YBR_PARTIAL_TO_RGB)
    if photometric in {"HSV", "CMYK"}:
        raise UnsupportedPixelsError("a retired colour space")
    return small


def _to_eight_bits(samples: Samples, bits: int) -> Picture:
    if samples.dtype == np.uint8 and bits == 8:
        return samples.astype(np.uint8, copy=False)
    if bits < 8:
        return (samples.astype(np.float32) * (255 / ((1 << bits) - 1)) + 0.5).astype(np.uint8)
    return (samples >> (bits - 8)).astype(np.uint8)


def _from_ybr(picture: Picture, zero: npt.NDArray[np.float64], matrix: npt.NDArray[np.float64]) -> Picture:
    rgb = (picture - zero) @ matrix.T
    return np.clip(rgb + 0.5, 0, 255).astype(np.uint8)

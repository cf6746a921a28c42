"""Frames whose values say what is where: bits, segments and their labels (PS3.3 C.8.20.2)."""

import colorsys
from dataclasses import dataclass
from functools import cache
from typing import ClassVar

import numpy as np

from dicom_assets.dicom.pixels.decoded import Decoded
from dicom_assets.dicom.pixels.layout import PixelLayout
from dicom_assets.dicom.render.resize import Picture, average_picture

_LABEL_COLOURS = 256
_GOLDEN_RATIO = 0.618033988749895


@dataclass(frozen=True, slots=True)
class Mask:
    """Foreground from 0 to `maximum`: one-bit images and segmentations (PS3.3 C.8.20.2).

    Attributes
    ----------
    maximum
        1 for bits, Maximum Fractional Value for fractional segmentations.
    inverted
        Whether 0 is white, as in one-bit images of MONOCHROME1.

    """

    maximum: float = 1.0
    inverted: bool = False

    lossless: ClassVar[bool] = True
    step: ClassVar[float] = 0.0

    def may_be_reduced(self, layout: PixelLayout) -> bool:  # noqa: ARG002 - part of the protocol
        """Return that every value counts."""
        return False

    def fill(self, tile: Decoded, photometric: str, *, white: bool) -> int:  # noqa: ARG002 - part of the protocol
        """Return 0."""
        return 0

    def render(self, frame: Decoded, photometric: str, size: tuple[int, int]) -> tuple[Picture, None]:  # noqa: ARG002 - part of the protocol
        """Return white for the maximum and black for 0, or the other way round."""
        levels = np.clip(frame.plane().astype(np.float32) * (255 / self.maximum), 0, 255)
        return average_picture((255 - levels if self.inverted else levels).astype(np.uint8), size), None


@dataclass(frozen=True, slots=True)
class Labels:
    """Numbers of segments, each shown in a colour of its own (label map segmentations, PS3.3 C.8.20.2.3)."""

    lossless: ClassVar[bool] = True
    step: ClassVar[float] = 0.0

    def may_be_reduced(self, layout: PixelLayout) -> bool:  # noqa: ARG002 - part of the protocol
        """Return that a mean of labels is no label."""
        return False

    def fill(self, tile: Decoded, photometric: str, *, white: bool) -> int:  # noqa: ARG002 - part of the protocol
        """Return 0, which is no segment."""
        return 0

    def render(self, frame: Decoded, photometric: str, size: tuple[int, int]) -> tuple[Picture, None]:  # noqa: ARG002 - part of the protocol
        """Return black for 0 and a colour for every other number."""
        labels = frame.plane()
        index = np.where(labels > 0, (labels.astype(np.int64) - 1) % (_LABEL_COLOURS - 1) + 1, 0)
        return average_picture(_label_colours()[index], size), None


@cache
def _label_colours() -> Picture:
    """Return a colour for every number; neighbouring numbers are far apart in hue."""
    hues = (number * _GOLDEN_RATIO % 1 for number in range(_LABEL_COLOURS - 1))
    colours = [(0.0, 0.0, 0.0), *(colorsys.hsv_to_rgb(hue, 0.65, 1.0) for hue in hues)]
    table: Picture = (np.array(colours) * 255).astype(np.uint8)
    return table

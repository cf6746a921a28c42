"""Frames that could be slices of one volume: in parallel planes, of the same size and pixel spacing."""

from dataclasses import dataclass

import numpy as np

from dicom_assets.dicom.geometry.plane import FloatArray
from dicom_assets.dicom.geometry.stacks import IntArray
from dicom_assets.dicom.geometry.verdict import NotVolume

PARALLEL = 1e-3
"""Difference of direction cosines up to which planes are parallel: 0.06 degrees."""
SAME_SPACING = 1e-4
"""Relative difference of pixel spacings that is none: 0.05 mm over 512 pixels of 1 mm."""
_NO_SPACING = 1e-300
_MOST_COMPARED = 64


@dataclass(frozen=True, slots=True)
class Grids:
    """Frames by grid.

    Attributes
    ----------
    numbers
        Shape ``(n,)``: the grid of each frame, from 0.
    reason, by
        What they differ in, and its keyword; ``None`` where all frames are on one.

    """

    numbers: IntArray
    reason: NotVolume | None = None
    by: str | None = None

    @property
    def count(self) -> int:
        """How many there are."""
        return int(self.numbers.max()) + 1


def grids_of(directions: FloatArray, sizes: IntArray, spacings: FloatArray) -> Grids:
    """Return which frames go together; the first thing that they differ in tells them apart.

    Parameters
    ----------
    directions
        Shape ``(n, 2, 3)``, one or more: unit vectors along row and column.
    sizes
        Shape ``(n, 2)``: Rows and Columns.
    spacings
        Shape ``(n, 2)``: Pixel Spacing in mm, NaN where there is none.

    """
    planes = _alike(directions.reshape(-1, 6), PARALLEL)
    if planes.any():
        return Grids(planes, NotVolume.ORIENTATIONS_DIFFER, "ImageOrientationPatient")
    of_rows, of_columns = _alike(sizes[:, :1], 0.0), _alike(sizes[:, 1:], 0.0)
    if of_rows.any():
        return Grids(of_rows, NotVolume.SIZES_DIFFER, "Rows")
    if of_columns.any():
        return Grids(of_columns, NotVolume.SIZES_DIFFER, "Columns")
    # Relative differences are differences of logarithms; what is missing is unlike all that is there.
    of_spacing = _alike(np.log(np.nan_to_num(spacings, nan=_NO_SPACING)), SAME_SPACING)
    if of_spacing.any():
        return Grids(of_spacing, NotVolume.SPACINGS_DIFFER, "PixelSpacing")
    return Grids(planes)


def _alike(values: FloatArray | IntArray, tolerance: float) -> IntArray:
    """Return the number of the first row that each row is like.

    Rows are compared with the first of each kind in turn. Where there are many kinds, as in a radial acquisition, only
    equal rows are alike: they are no volume either way.
    """
    numbers = np.full(len(values), -1)
    for kind in range(_MOST_COMPARED):
        left = np.flatnonzero(numbers < 0)
        if not len(left):
            return numbers
        like = np.abs(values[left] - values[left[0]]).max(axis=1) <= tolerance
        numbers[left[like]] = kind
    return np.unique(values, axis=0, return_inverse=True)[1].reshape(-1)

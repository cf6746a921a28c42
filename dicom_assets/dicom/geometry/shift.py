"""Shifts of slices in their own plane: a tilted gantry, tiles, or slices that do not lie above each other."""

import math
from dataclasses import dataclass

import numpy as np

from dicom_assets.dicom.geometry.plane import FloatArray
from dicom_assets.dicom.geometry.stacks import IntArray

IN_PLANE = 0.1
"""Shift in mm along a row or a column that is none, as for IDC's ``volume_geometry_index``."""


@dataclass(frozen=True, slots=True)
class Shift:
    """How slices lie above each other.

    Attributes
    ----------
    tilt
        Angle in degrees between the normal and the line through the positions.
    straight
        Whether no slice is shifted by more than the tolerance, be it against its own stack or against others.
    proportional
        Whether all slices are on that line.
    side_by_side
        Whether frames of the first stack are off that line: where places repeat, that they are next to each other.

    """

    tilt: float
    straight: bool
    proportional: bool
    side_by_side: bool


def shift_of(along: FloatArray, in_plane: FloatArray, stack_of: IntArray) -> Shift:
    """Return how slices lie above each other.

    Parameters
    ----------
    along
        Shape ``(n,)``, one or more: positions along the normal in mm.
    in_plane
        Shape ``(n, 2)``: positions along the row and along the column in mm.
    stack_of
        Shape ``(n,)``: the stack of each frame.

    """
    depth = along - along.mean()
    aside = in_plane - in_plane.mean(axis=0)
    spread = float(depth @ depth)
    slope = depth @ aside / spread if spread > 0 else np.zeros(2)
    off_line = aside - np.outer(depth, slope)
    on_line = bool(np.ptp(off_line, axis=0).max() < IN_PLANE)
    return Shift(
        tilt=math.degrees(math.atan(math.hypot(*slope))),
        straight=bool(np.ptp(in_plane, axis=0).max() < IN_PLANE),
        proportional=on_line,
        side_by_side=bool(np.ptp(off_line[stack_of == 0], axis=0).max() >= IN_PLANE),
    )

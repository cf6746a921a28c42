"""Directions of image planes (PS3.3 C.7.6.2.1.1): unit vectors, normals, and what people call them."""

from enum import StrEnum

import numpy as np
import numpy.typing as npt

FloatArray = npt.NDArray[np.float64]

_LARGEST_COSINE = 0.01
"""Of the angle between row and column, which is to be a right one: 0.57 degrees off."""
_SHORTEST = 1e-6
"""Length of a direction that is none; one as much longer than 1 is none either."""
_MAIN_AXIS = 0.8
"""Cosine between a normal and an axis of the patient from which on the plane has the name of that axis: within 37
degrees, as in D. Clunie's dicom3tools. A tilted gantry is axial so."""


class Orientation(StrEnum):
    """What an image plane is called, by the axis of the patient that its normal is closest to."""

    AXIAL = "axial"
    """The normal is along head and feet."""
    CORONAL = "coronal"
    """The normal is along front and back."""
    SAGITTAL = "sagittal"
    """The normal is along left and right."""
    OBLIQUE = "oblique"
    """The normal is more than 37 degrees away from every axis."""


_OF_AXIS = (Orientation.SAGITTAL, Orientation.CORONAL, Orientation.AXIAL)


def unit_directions(orientations: FloatArray) -> FloatArray:
    """Return directions of rows and columns of length one.

    Parameters
    ----------
    orientations
        Shape ``(n, 6)``, Image Orientation (Patient): direction of a row, then of a column, of any length.

    Returns
    -------
    numpy.ndarray
        Shape ``(n, 2, 3)``; NaN for what states no plane: a missing value, a direction of no length, two that are not
        perpendicular.

    """
    directions = orientations.reshape(-1, 2, 3)
    with np.errstate(invalid="ignore", over="ignore"):
        lengths = np.linalg.norm(directions, axis=2, keepdims=True)
        lengths[~((lengths > _SHORTEST) & (lengths < 1 / _SHORTEST))] = np.nan
        units: FloatArray = directions / lengths
        cosines = np.abs(np.sum(units[:, 0] * units[:, 1], axis=1))
    units[~(cosines <= _LARGEST_COSINE)] = np.nan
    return units


def normal_of(directions: FloatArray) -> FloatArray:
    """Return the normal of a plane, row cross column, of length one.

    Parameters
    ----------
    directions
        Shape ``(2, 3)``, as :func:`unit_directions` returns them.

    Returns
    -------
    numpy.ndarray
        Shape ``(3,)``.

    """
    normal: FloatArray = np.cross(directions[0], directions[1])
    unit: FloatArray = normal / np.linalg.norm(normal)
    return unit


def orientation_of(normal: FloatArray) -> Orientation:
    """Return what a plane is called.

    Parameters
    ----------
    normal
        Shape ``(3,)``, of length one.

    """
    axis = int(np.argmax(np.abs(normal)))
    return _OF_AXIS[axis] if abs(normal[axis]) >= _MAIN_AXIS else Orientation.OBLIQUE

"""From voxels to millimetres (PS3.3 C.7.6.2.1.1)."""

import numpy as np

from dicom_assets.dicom.geometry.frames import Frames
from dicom_assets.dicom.geometry.plane import FloatArray, unit_directions
from dicom_assets.dicom.geometry.volume import VolumeGeometry
from dicom_assets.errors import DataError


class NoVolumeError(DataError):
    """Frames are no volume, so that no affine map tells where its voxels are."""


def affine(geometry: VolumeGeometry, frames: Frames) -> FloatArray:
    """Return the map from voxels of a volume to the patient.

    It is that of every stack: several in one volume are in the same place.

    Parameters
    ----------
    geometry, frames
        Of the volume, as :func:`~dicom_assets.dicom.geometry.describe_volume` takes and returns them.

    Returns
    -------
    numpy.ndarray
        Shape ``(4, 4)``: takes ``(column, row, slice, 1)``, counted from 0 at the centre of a voxel, slices in the
        order of :attr:`~dicom_assets.dicom.geometry.VolumeGeometry.order`, to ``(x, y, z, 1)`` in mm, patient
        coordinates (LPS: x to the left, y to the back, z to the head). Its axes are right-handed.

    Raises
    ------
    NoVolumeError
        The frames are no volume.

    """
    if not geometry.is_volume or geometry.slices is None:
        raise NoVolumeError(f"the frames are no volume: {geometry.reason}")
    first, last = geometry.order[0], geometry.order[geometry.slices - 1]
    along_row, along_column = unit_directions(frames.orientations[first : first + 1])[0]
    row_distance, column_distance = frames.spacings[first]
    made = np.eye(4)
    made[:3, 0] = along_row * column_distance
    made[:3, 1] = along_column * row_distance
    # Between the outermost slices errors of rounding weigh least.
    made[:3, 2] = (frames.positions[last] - frames.positions[first]) / (geometry.slices - 1)
    made[:3, 3] = frames.positions[first]
    return made

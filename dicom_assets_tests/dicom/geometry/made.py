"""Frames made to order: stacks of slices in any direction, with what may be wrong with them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
import numpy.typing as npt

from dicom_assets.dicom.geometry import Frames

AXIAL = (1.0, 0.0, 0.0, 0.0, 1.0, 0.0)
CORONAL = (1.0, 0.0, 0.0, 0.0, 0.0, -1.0)
SAGITTAL = (0.0, 1.0, 0.0, 0.0, 0.0, -1.0)


@dataclass(frozen=True)
class Made:
    """Slices of one volume.

    Attributes
    ----------
    places
        Positions along the normal, in mm from the first.
    orientation
        Direction of rows and of columns.
    origin
        Position of the slice at 0.
    shift
        Of each slice along rows and columns, in mm, for each mm along the normal.

    """

    places: Sequence[float] = tuple(2.5 * number for number in range(10))
    orientation: Sequence[float] = AXIAL
    origin: Sequence[float] = (-120.0, -110.0, 40.0)
    shift: tuple[float, float] = (0.0, 0.0)
    spacing: tuple[float, float] = (0.5, 0.75)
    size: tuple[int, int] = (256, 128)
    discriminators: Mapping[str, Sequence[object]] = field(default_factory=dict)

    @property
    def directions(self) -> npt.NDArray[np.float64]:
        row, column = np.array(self.orientation).reshape(2, 3)
        return np.array([row, column, np.cross(row, column)])

    def frames(self) -> Frames:
        count = len(self.places)
        along = np.array(self.places)
        steps = np.column_stack([along * self.shift[0], along * self.shift[1], along])
        return Frames(
            np.array(self.origin) + steps @ self.directions,
            np.tile(np.array(self.orientation), (count, 1)),
            np.tile(self.spacing, (count, 1)),
            np.tile(self.size, (count, 1)),
            self.discriminators,
        )


def picked(frames: Frames, at: Sequence[int] | npt.NDArray[np.int64]) -> Frames:
    """Return some of the frames, in that order."""
    at = np.asarray(at)
    return Frames(
        frames.positions[at],
        frames.orientations[at],
        frames.spacings[at],
        frames.sizes[at],
        {key: [column[number] for number in at] for key, column in frames.discriminators.items()},
    )


def repeated(made: Made, stacks: int, **discriminators: Sequence[object]) -> Frames:
    """Return the same slices several times: time by time."""
    return replace(made, places=list(made.places) * stacks, discriminators=discriminators).frames()


def rotation(quaternion: Sequence[float]) -> npt.NDArray[np.float64]:
    """Return the rotation of a quaternion as a matrix."""
    w, x, y, z = np.array(quaternion) / np.linalg.norm(quaternion)
    return np.array(
        [
            [1 - 2 * (y * y + z * z), 2 * (x * y - z * w), 2 * (x * z + y * w)],
            [2 * (x * y + z * w), 1 - 2 * (x * x + z * z), 2 * (y * z - x * w)],
            [2 * (x * z - y * w), 2 * (y * z + x * w), 1 - 2 * (x * x + y * y)],
        ]
    )

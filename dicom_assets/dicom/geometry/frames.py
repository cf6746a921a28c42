"""The positions of many frames as columns: :class:`Frames`."""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

from dicom_assets.dicom.geometry.attributes import of_data_set
from dicom_assets.dicom.geometry.limits import FARTHEST, MOST_FRAMES
from dicom_assets.dicom.header import JsonDataset, first_value, values
from dicom_assets.dicom.header.typed_values import to_float, to_int

_POSITION, _ORIENTATION, _SPACING = "00200032", "00200037", "00280030"
_ROWS, _COLUMNS, _NUMBER_OF_FRAMES = "00280010", "00280011", "00280008"
_NO_SIZE = -1


@dataclass(frozen=True, slots=True)
class Frames:
    """Where ``n`` frames are, and what tells those in the same place apart.

    Attributes
    ----------
    positions
        Shape ``(n, 3)`` in mm: Image Position (Patient), NaN where a frame has none, or one that is farther away than
        any patient can be.
    orientations
        Shape ``(n, 6)``: Image Orientation (Patient), NaN where a frame has none.
    spacings
        Shape ``(n, 2)`` in mm: Pixel Spacing, the distance of rows, then of columns; NaN where a frame has none,
        or one that is not positive.
    sizes
        Shape ``(n, 2)``, integers: Rows and Columns, -1 where a frame has none.
    discriminators
        By keyword, one of :data:`~dicom_assets.dicom.geometry.DISCRIMINATORS`: ``n`` values, ``None`` where a frame has
        none.

    Raises
    ------
    ValueError
        The columns are of different lengths.

    """

    positions: npt.NDArray[np.float64]
    orientations: npt.NDArray[np.float64]
    spacings: npt.NDArray[np.float64]
    sizes: npt.NDArray[np.int64]
    discriminators: Mapping[str, Sequence[object]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        positions = np.asarray(self.positions, np.float64).reshape(-1, 3)
        spacings = np.asarray(self.spacings, np.float64).reshape(-1, 2)
        sizes = np.asarray(self.sizes, np.int64).reshape(-1, 2)
        is_place = (np.abs(positions) <= FARTHEST).all(axis=1, keepdims=True)
        is_distance = ((spacings > 0) & (spacings <= FARTHEST)).all(axis=1, keepdims=True)
        object.__setattr__(self, "positions", np.where(is_place, positions, np.nan))
        object.__setattr__(self, "orientations", np.asarray(self.orientations, np.float64).reshape(-1, 6))
        object.__setattr__(self, "spacings", np.where(is_distance, spacings, np.nan))
        object.__setattr__(self, "sizes", np.where(sizes > 0, sizes, _NO_SIZE))
        lengths = {len(self.positions), len(self.orientations), len(self.spacings), len(self.sizes)}
        lengths.update(len(column) for column in self.discriminators.values())
        if len(lengths) != 1:
            raise ValueError("columns of frames are of different lengths")

    def __len__(self) -> int:
        return len(self.positions)


def frames_of(dataset: JsonDataset, column: Sequence[Mapping[str, Any]] | None) -> Frames:
    """Return the frames of one file.

    Parameters
    ----------
    dataset
        The header of the file in the DICOM JSON Model.
    column
        ``frames`` of ``dicom_headers``, as :func:`~dicom_assets.dicom.geometry.frame_structs` makes it; ``None`` for a
        file without, whose one frame is where the data set says. Of the Number of Frames those that it lacks have no
        position.

    Returns
    -------
    Frames
        Nothing is raised for what a header holds: what is no position is a missing one.

    """
    size = _size(dataset)
    stated = stated_frames(dataset)
    if column is None and stated <= 1:
        return Frames(
            np.array([numbers(values(dataset, _POSITION), 3)]),
            np.array([numbers(values(dataset, _ORIENTATION), 6)]),
            np.array([numbers(values(dataset, _SPACING), 2)]),
            np.array([size]),
            {keyword: (value,) for keyword, value in of_data_set(dataset).items()},
        )
    column = column or ()
    count = max(len(column), min(stated, MOST_FRAMES))
    shared = {keyword: (value,) * count for keyword, value in of_data_set(dataset).items()}
    return _of_structs(column, count, size, shared)


def _of_structs(
    column: Sequence[Mapping[str, Any]], count: int, size: tuple[int, int], shared: Mapping[str, Sequence[object]]
) -> Frames:
    """Return frames of their structs, and as many without a position as are missing."""
    rest = count - len(column)
    # Tables give the map as pairs.
    maps = [dict(frame["discriminators"] or ()) for frame in column]
    keywords = dict.fromkeys(keyword for found in maps for keyword in found)
    own = {keyword: [*(found.get(keyword) for found in maps), *[None] * rest] for keyword in keywords}
    return Frames(
        np.array([*(numbers(frame["position"], 3) for frame in column), *[_NOWHERE[3]] * rest]),
        np.array([*(numbers(frame["orientation"], 6) for frame in column), *[_NOWHERE[6]] * rest]),
        np.array([*(numbers(frame["spacing"], 2) for frame in column), *[_NOWHERE[2]] * rest]),
        np.array([size] * count),
        {**shared, **own},
    )


def concatenate(parts: Iterable[Frames]) -> Frames:
    """Return the frames of several files one after the other; a discriminator that one lacks is ``None`` there.

    Parameters
    ----------
    parts
        In the order of the frames.

    """
    found = list(parts)
    keywords = dict.fromkeys(keyword for part in found for keyword in part.discriminators)
    return Frames(
        np.concatenate([part.positions for part in found]) if found else np.empty((0, 3)),
        np.concatenate([part.orientations for part in found]) if found else np.empty((0, 6)),
        np.concatenate([part.spacings for part in found]) if found else np.empty((0, 2)),
        np.concatenate([part.sizes for part in found]) if found else np.empty((0, 2), np.int64),
        {
            keyword: [
                value for part in found for value in part.discriminators.get(keyword, (None,) * len(part.positions))
            ]
            for keyword in keywords
        },
    )


_NOWHERE: Mapping[int, tuple[float, ...]] = {count: (math.nan,) * count for count in (2, 3, 6)}


def numbers(found: Sequence[Any] | None, count: int) -> tuple[float, ...]:
    """Return so many finite numbers; where there are others, NaN for all of them."""
    if not found or len(found) != count:
        return _NOWHERE[count]
    taken = tuple(to_float(value) for value in found)
    return _NOWHERE[count] if any(value is None for value in taken) else tuple(value or 0.0 for value in taken)


def stated_frames(dataset: JsonDataset) -> int:
    """Return Number of Frames, 1 where there is none."""
    return to_int(first_value(dataset, _NUMBER_OF_FRAMES)) or 1


def _size(dataset: JsonDataset) -> tuple[int, int]:
    """Return Rows and Columns."""
    rows, columns = (to_int(first_value(dataset, tag)) for tag in (_ROWS, _COLUMNS))
    return _dimension(rows), _dimension(columns)


def _dimension(stated: int | None) -> int:
    """Return a number of rows or columns; beyond 32 bits there are none."""
    return stated if stated is not None and 0 < stated < 1 << 32 else _NO_SIZE

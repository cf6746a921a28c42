"""What frames are together: slices, spacing, gaps, stacks, and one verdict."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
import numpy.typing as npt

from dicom_assets.dicom.geometry.frames import Frames
from dicom_assets.dicom.geometry.grids import Grids, grids_of
from dicom_assets.dicom.geometry.plane import FloatArray, Orientation, normal_of, orientation_of, unit_directions
from dicom_assets.dicom.geometry.shift import Shift, shift_of
from dicom_assets.dicom.geometry.spacing import Distances, Gap, distances_of
from dicom_assets.dicom.geometry.stacks import IntArray, differ, repeats, tell_apart
from dicom_assets.dicom.geometry.verdict import NotVolume

SAME_PLACE = 1e-3
"""Distance in mm along the normal up to which frames are in the same place."""


@dataclass(frozen=True, slots=True, kw_only=True)
class VolumeGeometry:
    """What frames are together.

    What describes slices is that of the first stack; the others are like it unless :attr:`reason` says otherwise.

    Attributes
    ----------
    orientation
        What the plane of the frames is called; ``None`` where they are in several, or in none that is known.
    slices
        Number of different places along the normal.
    spacing
        Distance of neighbouring slices along the normal in mm, from their positions.
    spacing_deviation
        How far a distance of neighbours is from a whole number of spacings, at most, in mm.
    is_uniform
        Whether all neighbours have the distance ``spacing``, within 1 %; ``None`` for fewer than two slices.
    gaps
        Where slices are missing, distances being whole multiples of the spacing.
    repeated_positions
        Frames in a place that another frame of their stack has.
    tilt
        Angle in degrees between the normal and the line through the positions of the slices.
    stacks
        Number of stacks: 1 for a volume, more for several in the same place (4-D), or where frames do not go together.
    stacks_by
        Keyword of the attribute that tells stacks apart, several separated by ``, ``; ``None`` for one.
    extent
        Size in mm along a row, along a column, and along the normal, each voxel with its whole spacing; along the
        normal zero for a single slice.
    is_volume
        Whether the frames are one volume, or several in the same place: :attr:`stacks` says how many.
    reason
        The first reason why not.
    order
        Shape ``(n,)``: numbers of the frames by stack, then along the normal, row cross column; those without a
        position last.
    stack_of
        Shape ``(n,)``: the stack of each frame, from 0; -1 for one without a position.

    """

    orientation: Orientation | None = None
    slices: int | None = None
    spacing: float | None = None
    spacing_deviation: float | None = None
    is_uniform: bool | None = None
    gaps: tuple[Gap, ...] = ()
    repeated_positions: int = 0
    tilt: float | None = None
    stacks: int = 0
    stacks_by: str | None = None
    extent: tuple[float, float, float] | None = None
    is_volume: bool = False
    reason: NotVolume | None = None
    order: npt.NDArray[np.int64] = field(compare=False)
    stack_of: npt.NDArray[np.int64] = field(compare=False)


def describe_volume(frames: Frames) -> VolumeGeometry:
    """Return what frames are together (PS3.3 C.7.6.2.1.1).

    Parameters
    ----------
    frames
        Of one series, in any order; those of an instance that is there twice once only.

    Returns
    -------
    VolumeGeometry
        Nothing is raised, whatever the frames hold.

    """
    directions = unit_directions(frames.orientations)
    located = np.flatnonzero(np.isfinite(frames.positions).all(axis=1) & np.isfinite(directions).all(axis=(1, 2)))
    if not len(located):
        reason = NotVolume.NO_POSITION if len(frames) else NotVolume.NO_FRAMES
        nowhere = np.full(len(frames), -1)
        return VolumeGeometry(reason=reason, order=np.arange(len(frames)), stack_of=nowhere)
    grids = grids_of(directions[located], frames.sizes[located], frames.spacings[located])
    if grids.count > 1:
        found = _of_several_grids(grids, frames.positions[located], directions[located])
    else:
        found = _of_one_grid(frames, located, directions[located[0]])
    return found if len(located) == len(frames) else _with_the_others(found, located, len(frames))


def _of_several_grids(grids: Grids, positions: FloatArray, directions: FloatArray) -> VolumeGeometry:
    """Describe frames that go on no common grid: each grid is a stack."""
    normals = np.cross(directions[:, 0], directions[:, 1])
    along = np.sum(normals * positions, axis=1)
    same_plane = grids.reason is not NotVolume.ORIENTATIONS_DIFFER
    return VolumeGeometry(
        orientation=orientation_of(normal_of(directions[0])) if same_plane else None,
        stacks=grids.count,
        stacks_by=grids.by,
        reason=grids.reason,
        order=np.lexsort((along, grids.numbers)),
        stack_of=grids.numbers,
    )


def _of_one_grid(frames: Frames, located: IntArray, directions: FloatArray) -> VolumeGeometry:
    """Describe frames in planes that are parallel and alike."""
    normal = normal_of(directions)
    along = frames.positions[located] @ normal
    in_plane = frames.positions[located] @ directions.T
    places = _places(along)
    stacks = tell_apart(places, _of_some(frames, located))
    first = np.flatnonzero(stacks.numbers == 0)
    slices, at = np.unique(places[first], return_index=True)
    distances = distances_of(along[first][at]) if len(slices) > 1 else None
    shift = shift_of(along, in_plane, stacks.numbers)
    repeated = repeats(stacks, places)
    extent = _extent(frames, int(located[0]), along[first], distances)
    found = VolumeGeometry(
        orientation=orientation_of(normal),
        slices=len(slices),
        spacing=distances.spacing if distances else None,
        spacing_deviation=distances.deviation if distances else None,
        is_uniform=distances.regular and not distances.gaps if distances else None,
        gaps=distances.gaps if distances else (),
        repeated_positions=repeated,
        tilt=shift.tilt if distances else None,
        stacks=stacks.count,
        stacks_by=stacks.by,
        extent=extent,
        order=np.lexsort((along, stacks.numbers)),
        stack_of=stacks.numbers,
    )
    reason = _reason(found, shift, differ=differ(stacks, places), regular=distances is None or distances.regular)
    return replace(found, is_volume=reason is None, reason=reason)


def _of_some(frames: Frames, located: IntArray) -> Mapping[str, Sequence[object]]:
    """Return the discriminators of some of the frames."""
    if len(located) == len(frames):
        return frames.discriminators
    return {keyword: [column[at] for at in located] for keyword, column in frames.discriminators.items()}


def _places(along: FloatArray) -> IntArray:
    """Return the number of the place of each frame, places being apart by more than :data:`SAME_PLACE`."""
    order = np.argsort(along, kind="stable")
    begins = np.diff(along[order], prepend=along[order[0]]) > SAME_PLACE
    places = np.empty(len(along), np.int64)
    places[order] = np.cumsum(begins)
    return places


def _extent(
    frames: Frames, at: int, along: FloatArray, distances: Distances | None
) -> tuple[float, float, float] | None:
    """Return the size of a stack in mm, ``None`` where that of its frames is unknown."""
    (rows, columns), (row_distance, column_distance) = frames.sizes[at], frames.spacings[at]
    if rows < 0 or columns < 0 or np.isnan(row_distance):
        return None
    depth = float(np.ptp(along)) + distances.spacing if distances else 0.0
    return float(columns * column_distance), float(rows * row_distance), depth


def _reason(found: VolumeGeometry, shift: Shift, *, differ: bool, regular: bool) -> NotVolume | None:
    """Return the first reason why frames on one grid are no volume."""
    reasons = (
        (found.extent is None, NotVolume.NO_PIXEL_SPACING),
        (found.repeated_positions and shift.side_by_side, NotVolume.TILES),
        (found.repeated_positions, NotVolume.REPEATED_POSITIONS),
        (differ, NotVolume.STACKS_DIFFER),
        (found.slices == 1, NotVolume.SINGLE_SLICE),
        (not shift.straight and shift.proportional, NotVolume.TILTED),
        (not shift.straight, NotVolume.SHIFTED),
        (found.gaps, NotVolume.GAPS),
        (not regular, NotVolume.NOT_UNIFORM),
    )
    return next((reason for holds, reason in reasons if holds), None)


def _with_the_others(found: VolumeGeometry, located: IntArray, count: int) -> VolumeGeometry:
    """Return a description with the frames that have no position: with them it is no volume."""
    stack_of = np.full(count, -1)
    stack_of[located] = found.stack_of
    order = np.concatenate([located[found.order], np.flatnonzero(stack_of < 0)])
    return replace(found, is_volume=False, reason=NotVolume.NO_POSITION, order=order, stack_of=stack_of)

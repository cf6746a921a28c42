"""Rows of series: what all rollups say, numbers, and where the frames are in the patient."""

from itertools import pairwise
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from dicom_assets.dicom.geometry import VolumeGeometry, describe_volume
from dicom_assets.dicom.geometry.limits import MOST_FRAMES
from dicom_assets.dicom.status import ThumbnailStatus
from dicom_assets.extract.rollups import GEOMETRY, RollupStatus, RollupTable
from dicom_assets.pipeline.rollup.frames import FrameGroups, FrameReader, PlacedFrames, placed, several_frames
from dicom_assets.pipeline.rollup.groups import Groups
from dicom_assets.pipeline.rollup.rows import Row, common_rows, number_columns
from dicom_assets.tables import KEY, THUMBNAIL_PATH

_SHOWN = frozenset({"thumbnail_status", "frame_number"})
_FRAMES_AT_ONCE = 100_000
"""Frames of multi-frame files that are kept in memory."""


def series_rows(members: pa.Table, table: RollupTable, reader: FrameReader) -> list[Row]:
    """Return the rows of series.

    Parameters
    ----------
    members
        Of series of one prefix, as :func:`~dicom_assets.pipeline.rollup.due.members_of` orders them.
    table
        ``series``.
    reader
        Reads what the frames of multi-frame files, and headers, say.

    """
    rows, instances = common_rows(members, table)
    every, distinct = Groups(members, table.key).slices(), instances.slices()
    for part in _parts(instances):
        groups = reader.groups(pa.concat_tables(distinct[part]))
        for row, mine, own in zip(rows[part], every[part], distinct[part], strict=True):
            row.update(number_columns(mine, own) | _spatial_or_error(own, groups, reader))
    return rows


def _parts(instances: Groups) -> list[slice]:
    """Cut series into parts with so many frames of multi-frame files that they fit into memory."""
    frames = pc.if_else(several_frames(instances.rows), instances.rows["NumberOfFrames"], 0)
    held = np.minimum(np.array(instances.sums(frames), np.int64), MOST_FRAMES)
    cuts = np.flatnonzero(np.diff(np.cumsum(held) // _FRAMES_AT_ONCE)) + 1
    bounds = [0, *cuts.tolist(), len(held)]
    return [slice(start, end) for start, end in pairwise(bounds) if start < end]


def _spatial_or_error(instances: pa.Table, groups: FrameGroups, reader: FrameReader) -> Row:
    """Return the geometry of one series; what it holds must not stop the others."""
    try:
        return _spatial(instances, groups, reader)
    except (OSError, MemoryError):
        raise
    except Exception as error:  # noqa: BLE001 - whatever a series holds
        # The message stays out: it may quote the patient.
        said = f"its geometry could not be described: {type(error).__name__}"
        nothing = dict.fromkeys(column.name for column in GEOMETRY)
        return {**nothing, **thumbnail_columns(instances, None), "status": RollupStatus.ERROR, "error": said}


def _spatial(instances: pa.Table, groups: FrameGroups, reader: FrameReader) -> Row:
    """Return the geometry of one series, and the thumbnail that stands for it."""
    found = placed(instances, groups)
    geometry = describe_volume(found.frames)
    if geometry.repeated_positions:
        found = reader.told_apart(instances, groups)
        geometry = describe_volume(found.frames)
    middle = _middle_out(geometry, found) if (geometry.stack_of >= 0).any() else None
    return {**geometry_columns(geometry), **thumbnail_columns(instances, middle)}


def geometry_columns(geometry: VolumeGeometry) -> Row:
    """Return a geometry as the columns of a series."""
    return {
        "orientation": geometry.orientation,
        "slices": geometry.slices,
        "slice_spacing": geometry.spacing,
        "spacing_deviation": geometry.spacing_deviation,
        "is_uniform": geometry.is_uniform,
        "gaps": [{"after": gap.after, "missing": gap.missing} for gap in geometry.gaps],
        "repeated_positions": geometry.repeated_positions,
        "tilt": geometry.tilt,
        "stacks": geometry.stacks,
        "stacks_by": geometry.stacks_by,
        "extent": None if geometry.extent is None else list(geometry.extent),
        "is_volume": geometry.is_volume,
        "not_volume_reason": geometry.reason,
    }


def thumbnail_columns(instances: pa.Table, order: npt.NDArray[np.int64] | None) -> Row:
    """Return the instance whose thumbnail stands for a series: the best of those that have one that is whole.

    Parameters
    ----------
    instances
        Of the series.
    order
        Rows of it, the best first; by default those around the middle of the Instance Numbers.

    """
    nothing: Row = {THUMBNAIL_PATH: None, "thumbnail_frame": None}
    if not _SHOWN.issubset(instances.column_names):
        return nothing
    if order is None:
        by_number = np.argsort(instances["InstanceNumber"].fill_null(0).to_numpy(), kind="stable")
        order = by_number[outwards(len(by_number))]
    whole = [status == ThumbnailStatus.OK for status in instances["thumbnail_status"].to_pylist()]
    best = next((place for place in order.tolist() if whole[place]), None)
    if best is None:
        return nothing
    return {THUMBNAIL_PATH: instances[KEY][best].as_py(), "thumbnail_frame": instances["frame_number"][best].as_py()}


def _middle_out(geometry: VolumeGeometry, found: PlacedFrames) -> npt.NDArray[np.int64]:
    """Return the instances of the first of the largest stacks, from its middle to its ends."""
    sizes = np.bincount(geometry.stack_of[geometry.stack_of >= 0])
    ordered = geometry.order
    stack = ordered[geometry.stack_of[ordered] == int(np.argmax(sizes))]
    owners: npt.NDArray[np.int64] = found.owners[stack[outwards(len(stack))]]
    return owners


def outwards(count: int) -> npt.NDArray[np.int64]:
    """Return so many places, from the middle one to both ends."""
    places = np.arange(count)
    order: npt.NDArray[Any] = np.argsort(np.abs(places - count // 2), kind="stable")
    return order.astype(np.int64)

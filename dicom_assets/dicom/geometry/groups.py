"""Where the frames of a multi-frame file are, as a table keeps it: functional groups, and grids of dose.

Two kinds of objects say it: enhanced ones in the functional groups of their frames (PS3.3 C.7.6.16), and RT Dose by a
vector of offsets from the first plane (PS3.3 C.8.8.3.2). Other multi-frame objects have no places in the patient.
"""

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import chain, islice
from typing import Any

import numpy as np

from dicom_assets.dicom.frames import PER_FRAME_GROUPS, SHARED_GROUPS, all_frame_groups
from dicom_assets.dicom.geometry.attributes import macro, of_groups
from dicom_assets.dicom.geometry.frames import numbers, stated_frames
from dicom_assets.dicom.geometry.limits import MOST_BYTES, MOST_FRAMES
from dicom_assets.dicom.geometry.plane import normal_of, unit_directions
from dicom_assets.dicom.header import Header, JsonDataset, values
from dicom_assets.dicom.header.limits import DEFAULT_LIMITS
from dicom_assets.dicom.header.typed_values import to_float

FrameStruct = Mapping[str, Any]
"""``position``, ``orientation``, ``spacing``: a list of numbers or ``None``; ``discriminators``: text by keyword."""

_OFFSETS = "3004000C"
_PLANE_POSITION, _PLANE_ORIENTATION, _PIXEL_MEASURES = "00209113", "00209116", "00289110"
_POSITION, _ORIENTATION, _SPACING = "00200032", "00200037", "00280030"
_LIMITS = replace(DEFAULT_LIMITS, max_read_bytes=MOST_BYTES)
_LONGEST_VECTOR = 17 * MOST_FRAMES
"""Bytes: a DS has 16 and a separator (PS3.5 6.2)."""


def frame_structs(header: Header) -> list[FrameStruct] | None:
    """Return where the frames of a multi-frame file are, one struct for each.

    Functional groups that the header does not keep are read from the file, no more than
    :data:`~dicom_assets.dicom.geometry.limits.MOST_BYTES` of them.

    Parameters
    ----------
    header
        As :func:`~dicom_assets.dicom.header.read_header` returns it.

    Returns
    -------
    list or None
        ``None`` where the position of the one frame is in the data set, where frames have no place in the patient,
        and where there are more than :data:`~dicom_assets.dicom.geometry.limits.MOST_FRAMES`. It is shorter than
        the Number of Frames where the file is cut, or says more than it has.

    Raises
    ------
    OSError
        If the source does.

    """
    dataset = header.dataset
    if PER_FRAME_GROUPS in dataset or SHARED_GROUPS in dataset:
        return _of_groups(header)
    if _OFFSETS in dataset:
        return _of_offsets(header)
    return None


def _of_groups(header: Header) -> list[FrameStruct] | None:
    shared = macro(header.dataset, SHARED_GROUPS)
    stated = stated_frames(header.dataset)
    if stated > MOST_FRAMES:
        return None
    if PER_FRAME_GROUPS not in header.dataset:
        groups: Iterator[JsonDataset] = iter([{}] if stated == 1 else [])
    else:
        groups = all_frame_groups(header, _LIMITS)
    first = next(groups, None)
    # Tiles of a slide have their places in the slide: a hundred thousand groups need not be read for nothing.
    if first is None or not (_PLANE_POSITION in first or _PLANE_POSITION in shared):
        return None
    common = _struct(shared)
    structs = (_with_common(_struct(group), common) for group in islice(chain([first], groups), max(stated, 1)))
    return _shared_values(structs)


def _struct(groups: JsonDataset) -> FrameStruct:
    """Return what functional groups say, be they those of a frame or those that all share."""
    return {
        "position": _stated(numbers(values(macro(groups, _PLANE_POSITION), _POSITION), 3)),
        "orientation": _stated(numbers(values(macro(groups, _PLANE_ORIENTATION), _ORIENTATION), 6)),
        "spacing": _stated(numbers(values(macro(groups, _PIXEL_MEASURES), _SPACING), 2)),
        "discriminators": of_groups(groups),
    }


def _with_common(own: FrameStruct, common: FrameStruct) -> FrameStruct:
    """Return what a frame says, and what is said for all: a macro is in one of the two (PS3.3 C.7.6.16)."""
    made = {name: common[name] if value is None else value for name, value in own.items()}
    return {**made, "discriminators": {**common["discriminators"], **own["discriminators"]}}


def _stated(found: tuple[float, ...]) -> list[float] | None:
    return None if math.isnan(found[0]) else list(found)


def _shared_values(structs: Iterator[FrameStruct]) -> list[FrameStruct]:
    """Return structs that share what is equal from one to the next: most is, and there may be many."""
    made: list[FrameStruct] = []
    before: FrameStruct = {}
    for struct in structs:
        before = {name: before[name] if before and before[name] == value else value for name, value in struct.items()}
        made.append(before)
    return made


def _of_offsets(header: Header) -> list[FrameStruct] | None:
    """Return the planes of a dose grid (PS3.3 C.8.8.3.2).

    Offsets count from the first plane along its normal; where the first is the z of an axial plane itself, they are z
    coordinates.
    """
    dataset = header.dataset
    offsets = _offset_vector(header)
    stated = stated_frames(dataset)
    position = numbers(values(dataset, _POSITION), 3)
    orientation = numbers(values(dataset, _ORIENTATION), 6)
    directions = unit_directions(np.array([orientation]))[0]
    if stated > MOST_FRAMES or not offsets or np.isnan(position).any() or np.isnan(directions).any():
        return None
    normal = normal_of(directions)
    if offsets[0] and offsets[0] == position[2] and abs(normal[2]) == 1:
        normal = np.array([0.0, 0.0, 1.0])
    places = np.array(position) + np.outer(np.array(offsets[:stated]) - offsets[0], normal)
    pixel_spacing = _stated(numbers(values(dataset, _SPACING), 2))
    return [
        {
            "position": place,
            "orientation": list(orientation),
            "spacing": pixel_spacing,
            "discriminators": {},
        }
        for place in places.tolist()
    ]


def _offset_vector(header: Header) -> Sequence[float]:
    """Return Grid Frame Offset Vector, also where it is too long for the header; empty where it is none."""
    element = header.dataset[_OFFSETS]
    place = element.get("BulkData")
    found: Sequence[Any] = element.get("Value", [])
    if place is not None and header.body is not None and place["length"] <= _LONGEST_VECTOR:
        raw = header.body.read(place["offset"], place["length"])
        found = [part.strip(" \0") for part in raw.decode("latin-1").split("\\")]
    taken = [to_float(value) for value in found]
    return [] if any(value is None for value in taken) else [value or 0.0 for value in taken]

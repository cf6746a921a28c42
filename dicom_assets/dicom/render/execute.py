"""Carry out a plan: decode, transform, average, encode.

A pure function of a plan and bytes. For native frames it runs where it is called; for encoded ones it runs in a
process of its own (:mod:`dicom_assets.isolation`), so that only encoded bytes go in and a small
picture comes out.
"""

import math
from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from dicom_assets.dicom.pixels.decoded import Decoded, Extent, Request
from dicom_assets.dicom.pixels.decoders import decode_frame
from dicom_assets.dicom.render.encode import encode_picture
from dicom_assets.dicom.render.grey import Window
from dicom_assets.dicom.render.plan import Rendered, RenderPlan
from dicom_assets.dicom.render.resize import Picture

_LOW_CONTRAST = 64
"""Grey levels between the darkest and the brightest pixel, below which a window is too wide for its frame. The frame
may be stretched then, and what did not show would."""


def execute_plan(plan: RenderPlan, frames: Sequence[bytes]) -> Rendered:
    """Render the frames of a plan as one encoded picture.

    Parameters
    ----------
    plan
        What to do.
    frames
        Encoded frames: one for each tile of the plan, or the candidates to choose from.

    Raises
    ------
    PixelError
        When a frame cannot be decoded or rendered; subclasses name other reasons.

    """
    decoded = _most_foreground(plan, frames) if plan.choose else _mosaic(plan, frames)
    picture, window = _to_picture(plan, decoded)
    if decoded.rough and np.ptp(picture) < _LOW_CONTRAST:
        return execute_plan(replace(plan, step=0.0), frames)
    data, media_type = encode_picture(picture, lossless=plan.pipeline.lossless, quality=plan.quality)
    return Rendered(
        data=data,
        media_type=media_type,
        width=picture.shape[1],
        height=picture.shape[0],
        window_center=window.center if window else None,
        window_width=window.width if window else None,
        chosen=decoded.index,
        partial=decoded.known_rows is not None,
    )


def _decode(plan: RenderPlan, frame: bytes) -> Decoded:
    """Decode one frame at the resolution that its share of the thumbnail needs."""
    layout, enough = plan.layout, None
    if plan.pipeline.may_be_reduced(layout):
        enough = (plan.size[0] * layout.rows / plan.rows, plan.size[1] * layout.columns / plan.columns)
    request = Request(layout, enough, plan.step, plan.max_pixels, plan.cut, plan.first_bit)
    return decode_frame(frame, plan.transfer_syntax, request)


def _mosaic(plan: RenderPlan, frames: Sequence[bytes]) -> Decoded:
    """Return the picture that frames are tiles of; with one frame, that frame. A tile without bytes is black."""
    present = next((index for index, frame in enumerate(frames) if frame), 0)
    first = _decode(plan, frames[present])
    if len(plan.tiles) == 1 and (plan.rows, plan.columns) == (plan.layout.rows, plan.layout.columns):
        return first
    rows, columns = first.samples.shape[:2]
    rough = ends_early = False
    vertical, horizontal = rows / plan.layout.rows, columns / plan.layout.columns
    shape = (math.ceil(plan.rows * vertical), math.ceil(plan.columns * horizontal))
    canvas = np.empty((*shape, *first.samples.shape[2:]), first.samples.dtype)
    photometric = plan.layout.photometric
    canvas[:] = plan.pipeline.fill(first, photometric, white=True)
    black = plan.pipeline.fill(first, photometric, white=False)
    for index, (tile, frame) in enumerate(zip(plan.tiles, frames, strict=True)):
        row, column = int(tile.row * vertical), int(tile.column * horizontal)
        place = canvas[row : row + rows, column : column + columns]
        if not frame:
            place[:] = black
            continue
        decoded = first if index == present else _decode(plan, frame)
        rough |= decoded.rough
        place[:] = decoded.samples[: place.shape[0], : place.shape[1]]
        if decoded.known_rows is not None:
            ends_early = True
            place[decoded.known_rows :] = black
    extent = None
    if first.extent is not None:
        extent = Extent(plan.rows * vertical, plan.columns * horizontal, first.extent.shift)
    known_rows = shape[0] if ends_early else None
    return Decoded(canvas, first.bits, first.rgb, extent, known_rows=known_rows, rough=rough)


def _most_foreground(plan: RenderPlan, frames: Sequence[bytes]) -> Decoded:
    """Return the frame with most values other than 0."""
    best, chosen = -1, None
    for index, frame in enumerate(frames):
        decoded = _decode(plan, frame)
        count = int(np.count_nonzero(decoded.samples))
        if count > best:
            best, chosen = count, replace(decoded, index=index)
    assert chosen is not None
    return chosen


def _to_picture(plan: RenderPlan, decoded: Decoded) -> tuple[Picture, Window | None]:
    """Return the picture; what is missing of it is black, and counts for no window."""
    if decoded.known_rows is None or decoded.known_rows == decoded.samples.shape[0]:
        return plan.pipeline.render(decoded, plan.layout.photometric, plan.size)
    rows = decoded.samples.shape[0]
    height = max(1, round(plan.size[0] * decoded.known_rows / rows))
    there = replace(decoded, samples=decoded.samples[: decoded.known_rows], known_rows=None)
    known, window = plan.pipeline.render(there, plan.layout.photometric, (height, plan.size[1]))
    picture = np.zeros((plan.size[0], *known.shape[1:]), np.uint8)
    picture[: known.shape[0]] = known
    return picture, window

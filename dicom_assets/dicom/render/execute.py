"""Carry out a plan: decode, transform, average, encode.

A pure function of a plan and bytes. For native frames it runs where it is called; for encoded ones it runs in a
process of its own (:mod:`dicom_assets.dicom.pixels.isolation`), so that only encoded bytes go in and a small
picture comes out.
"""

import colorsys
import math
from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from dicom_assets.dicom.pixels.cut_streams import ENDS_EARLY
from dicom_assets.dicom.pixels.decoded import Decoded, Extent, Request
from dicom_assets.dicom.pixels.decoders import ENCAPSULATED_UNCOMPRESSED, NATIVE_SYNTAXES, decode_frame
from dicom_assets.dicom.pixels.errors import CutError, PixelError
from dicom_assets.dicom.pixels.native import Samples, stored_values, unpack_frame, whole_rows
from dicom_assets.dicom.render.colour import Palette, render_colour, render_palette
from dicom_assets.dicom.render.encode import encode_picture
from dicom_assets.dicom.render.grey import GreyPipeline, Window, render_grey
from dicom_assets.dicom.render.plan import Colour, Labels, Mask, Rendered, RenderPlan
from dicom_assets.dicom.render.resize import Picture, average_picture

_LABEL_COLOURS = 256
_GOLDEN_RATIO = 0.618033988749895
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
    lossless = isinstance(plan.pipeline, Mask | Labels)
    data, media_type = encode_picture(picture, lossless=lossless, quality=plan.quality)
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
    layout = plan.layout
    if plan.transfer_syntax in NATIVE_SYNTAXES or plan.transfer_syntax == ENCAPSULATED_UNCOMPRESSED:
        samples = unpack_frame(frame, layout, first_bit=plan.first_bit)
        known_rows = whole_rows(len(frame), layout, first_bit=plan.first_bit)
        if known_rows == 0:
            raise CutError(ENDS_EARLY)
        return Decoded(stored_values(samples, layout), layout.bits_stored, known_rows=known_rows)
    enough = None
    if isinstance(plan.pipeline, Colour) or (
        isinstance(plan.pipeline, GreyPipeline) and plan.pipeline.averages_first and not layout.floating
    ):
        enough = (plan.size[0] * layout.rows / plan.rows, plan.size[1] * layout.columns / plan.columns)
    return decode_frame(frame, plan.transfer_syntax, Request(layout, enough, plan.step, plan.max_pixels, plan.cut))


def _mosaic(plan: RenderPlan, frames: Sequence[bytes]) -> Decoded:
    """Return the picture that frames are tiles of; with one frame, that frame. A tile without bytes is black."""
    present = next((index for index, frame in enumerate(frames) if frame), 0)
    first = _decode(plan, frames[present])
    if len(plan.tiles) == 1 and (plan.rows, plan.columns) == (plan.layout.rows, plan.layout.columns):
        return first
    rows, columns = first.samples.shape[:2]
    rough = first.rough
    vertical, horizontal = rows / plan.layout.rows, columns / plan.layout.columns
    shape = (math.ceil(plan.rows * vertical), math.ceil(plan.columns * horizontal))
    canvas = np.empty((*shape, *first.samples.shape[2:]), first.samples.dtype)
    canvas[:] = _background(plan, first)
    for index, (tile, frame) in enumerate(zip(plan.tiles, frames, strict=True)):
        row, column = int(tile.row * vertical), int(tile.column * horizontal)
        place = canvas[row : row + rows, column : column + columns]
        if not frame:
            place[:] = _black(plan, first)
            continue
        decoded = first if index == present else _decode(plan, frame)
        rough |= decoded.rough
        if decoded.known_rows is not None:
            decoded.samples[decoded.known_rows :] = _black(plan, first)
        place[:] = decoded.samples[: place.shape[0], : place.shape[1]]
    extent = None
    if first.extent is not None:
        extent = Extent(plan.rows * vertical, plan.columns * horizontal, first.extent.shift)
    return Decoded(canvas, first.bits, first.rgb, extent, rough=rough)


def _background(plan: RenderPlan, tile: Decoded) -> list[int] | int:
    """Return what a slide shows where no tile is: white, in the space that tiles are in."""
    return _level(plan, tile, (1 << tile.bits) - 1) if isinstance(plan.pipeline, Colour) else 0


def _black(plan: RenderPlan, tile: Decoded) -> list[int] | int:
    """Return what a slide shows where a tile is missing."""
    return _level(plan, tile, 0)


def _level(plan: RenderPlan, tile: Decoded, level: int) -> list[int] | int:
    """Return a grey level in the space that tiles are in."""
    middle = 1 << (tile.bits - 1)
    in_differences = isinstance(plan.pipeline, Colour) and not tile.rgb and plan.layout.photometric.startswith("YBR_")
    return [level, middle, middle] if in_differences else level


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
        return _picture_of_all(plan, decoded)
    rows = decoded.samples.shape[0]
    height = max(1, round(plan.size[0] * decoded.known_rows / rows))
    there = replace(decoded, samples=decoded.samples[: decoded.known_rows], known_rows=None)
    known, window = _picture_of_all(replace(plan, size=(height, plan.size[1])), there)
    picture = np.zeros((plan.size[0], *known.shape[1:]), np.uint8)
    picture[: known.shape[0]] = known
    return picture, window


def _picture_of_all(plan: RenderPlan, decoded: Decoded) -> tuple[Picture, Window | None]:
    samples, size = decoded.samples, plan.size
    pipeline = plan.pipeline
    if isinstance(pipeline, Colour):
        if samples.ndim != 3 or samples.shape[2] < 3:
            raise PixelError(f"the decoded frame has shape {samples.shape}, colour was expected")
        space = "RGB" if decoded.rgb else plan.layout.photometric
        return render_colour(samples, space, decoded.bits, size, decoded.extent), None
    if samples.ndim != 2:
        raise PixelError(f"the decoded frame has shape {samples.shape}, one sample per pixel was expected")
    if isinstance(pipeline, Palette):
        return render_palette(samples, pipeline, size), None
    if isinstance(pipeline, Mask):
        return _render_mask(samples, pipeline, size), None
    if isinstance(pipeline, Labels):
        return _render_labels(samples, size), None
    grey = render_grey(samples, pipeline, size, decoded.extent)
    return grey.levels, grey.window


def _render_mask(samples: Samples, mask: Mask, size: tuple[int, int]) -> Picture:
    levels = np.clip(samples.astype(np.float32) * (255 / mask.maximum), 0, 255)
    return average_picture((255 - levels if mask.inverted else levels).astype(np.uint8), size)


def _render_labels(samples: Samples, size: tuple[int, int]) -> Picture:
    """Return black for 0 and a colour for every other number; neighbouring numbers are far apart in hue."""
    hues = (number * _GOLDEN_RATIO % 1 for number in range(_LABEL_COLOURS - 1))
    colours = [(0.0, 0.0, 0.0), *(colorsys.hsv_to_rgb(hue, 0.65, 1.0) for hue in hues)]
    table = (np.array(colours) * 255).astype(np.uint8)
    index = np.where(samples > 0, (samples.astype(np.int64) - 1) % (_LABEL_COLOURS - 1) + 1, 0)
    return average_picture(table[index], size)

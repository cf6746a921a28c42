"""From a header to a plan and the bytes it needs: which frame, where it is, how it is to look.

Only the bytes of the chosen frame are read, except for segmentations, whose emptiest frames say nothing.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from dicom_assets.dicom.header import Header, PixelElement, first_value
from dicom_assets.dicom.pixels.attributes import integer, text
from dicom_assets.dicom.pixels.decoders import codec_for
from dicom_assets.dicom.pixels.errors import (
    CutError,
    NoPixelDataError,
    PixelError,
    TooLargeError,
)
from dicom_assets.dicom.pixels.fragments import FrameIndex, read_frame
from dicom_assets.dicom.pixels.frame_access import EncodedFrames, effective_syntax, native_extent, read_native_frame
from dicom_assets.dicom.pixels.layout import PixelLayout, read_layout
from dicom_assets.dicom.render.aspect import pixel_ratio
from dicom_assets.dicom.render.colour import Colour
from dicom_assets.dicom.render.frame_choice import frame_to_show, fullest_native_frame
from dicom_assets.dicom.render.isolated import execute_here, execute_isolated
from dicom_assets.dicom.render.masks import Labels, Mask
from dicom_assets.dicom.render.options import ThumbnailOptions
from dicom_assets.dicom.render.pipeline import Pipeline
from dicom_assets.dicom.render.plan import Rendered, RenderPlan, Tile
from dicom_assets.dicom.render.presentation import is_inverted, read_grey_pipeline
from dicom_assets.dicom.render.resize import thumbnail_size
from dicom_assets.dicom.render.tables import has_palette, read_palette
from dicom_assets.dicom.render.whole_slide import read_mosaic
from dicom_assets.dicom.source import ByteSource
from dicom_assets.dicom.status import ThumbnailStatus
from dicom_assets.dicom.uids import LabelMapSegmentationStorage, SegmentationStorage

_SEGMENTATIONS = frozenset({SegmentationStorage, LabelMapSegmentationStorage})
_SEGMENTATION_TYPE = "00620001"
_MAXIMUM_FRACTIONAL_VALUE = "0062000E"
_MAX_CHOICE_BYTES = 1 << 26
_MAX_CHOICE_FRAMES = 1 << 14
"""Of a segmentation that is read whole to find its fullest frame."""


@dataclass(frozen=True, slots=True)
class Prepared:
    """A plan, the bytes for it, and the frames they are of.

    Attributes
    ----------
    plan
        What to do.
    frames
        The bytes of each frame of the plan.
    numbers
        The frames' numbers in the object, from 1; empty for a mosaic, which no single frame stands for.
    missing
        One sentence on the pixels that the file lacks, shown or not; ``None`` where it lacks none.

    """

    plan: RenderPlan
    frames: list[bytes]
    numbers: Sequence[int]
    missing: str | None = None

    @property
    def trusted(self) -> bool:
        """Whether no native decoder is involved."""
        return codec_for(self.plan.transfer_syntax).trusted

    def execute(self, options: ThumbnailOptions) -> Rendered:
        """Carry out the plan: in the decoder process, unless no native decoder is involved.

        Parameters
        ----------
        options
            What carries it out there, and what it may cost.

        Raises
        ------
        PixelError
            When the frames cannot be rendered.
        IsolationError
            When no process can be started.

        """
        if self.trusted:
            return execute_here(self.plan, self.frames)
        return execute_isolated(self.plan, self.frames, options.renderer, options.limits)


@dataclass(frozen=True, slots=True)
class _Image:
    """What all steps of planning need."""

    header: Header
    pixel: PixelElement
    body: ByteSource
    layout: PixelLayout
    transfer_syntax: str
    options: ThumbnailOptions


def prepare(header: Header, options: ThumbnailOptions) -> Prepared:
    """Return what to render of an image and the bytes for it.

    Parameters
    ----------
    header
        Of the image; its pixel data must be in a file.
    options
        Size and limits.

    Raises
    ------
    PixelError
        When there is no thumbnail; subclasses name the reason.
    OSError
        When the storage fails.

    """
    image = _image(header, options)
    return _prepare_encapsulated(image) if image.pixel.length is None else _prepare_native(image)


def prepare_frame(header: Header, frame: int, options: ThumbnailOptions) -> Prepared:
    """Return what to render of one frame, and its bytes.

    Parameters
    ----------
    header, options
        As for :func:`prepare`.
    frame
        Number of the frame, from 0.

    Raises
    ------
    PixelError
        When there is no such frame, or none that can be rendered; subclasses name the reason.
    OSError
        When the storage fails.

    """
    image = _image(header, options)
    encoded = EncodedFrames(header).read(frame)
    _check_bytes(len(encoded.data), options)
    if not encoded.data:
        raise CutError("the file ends before this frame")
    plan = _plan(image, frame, first_bit=encoded.first_bit)
    return Prepared(replace(plan, cut=not encoded.whole), [encoded.data], (frame + 1,))


def _image(header: Header, options: ThumbnailOptions) -> _Image:
    """Return what all steps of planning need; raises :class:`PixelError` where there is no image, or a huge one."""
    if header.pixel is None or header.body is None:
        raise NoPixelDataError("the object has no pixel data")
    layout = read_layout(header)
    transfer_syntax = effective_syntax(header, header.pixel)
    _check_pixels(layout.rows, layout.columns, options)
    return _Image(header, header.pixel, header.body, layout, transfer_syntax, options)


def _cut_short(there: int, due: int, unit: str) -> str | None:
    return f"the pixel data is cut short: {there} of {due} {unit}" if there < due else None


def _check_pixels(rows: int, columns: int, options: ThumbnailOptions) -> None:
    if rows * columns > options.limits.max_pixels:
        raise TooLargeError(f"{columns} x {rows} pixels, the limit is {options.limits.max_pixels}")


def _check_bytes(length: int, options: ThumbnailOptions) -> None:
    if length > options.limits.max_bytes:
        raise TooLargeError(f"{length} bytes to decode, the limit is {options.limits.max_bytes}")


def _prepare_native(image: _Image) -> Prepared:
    layout, pixel = image.layout, image.pixel
    available = pixel.length or 0
    if pixel.cut:
        available = max(0, min(available, image.body.size - pixel.offset))
    missing = _cut_short(available, -(-layout.frame_bits * layout.declared_frames // 8), "bytes")
    whole = min(layout.declared_frames, available * 8 // layout.frame_bits)
    mosaic = read_mosaic(image.header, layout, layout.declared_frames, image.options.limits.max_pixels)
    tiled = mosaic is not None and len(mosaic.frames) > 1
    if not available or (tiled and not whole):
        raise CutError(missing)
    if mosaic is not None and tiled:
        plan = _plan(image, 0, mosaic.rows, mosaic.columns, mosaic.tiles)
        _check_bytes(layout.frame_bits // 8 * len(mosaic.frames), image.options)
        tiles = [_native_frame(image, frame)[0] if frame < whole else b"" for frame in mosaic.frames]
        return Prepared(plan, tiles, (), missing or mosaic.missing)
    frame = _choose_native(image, whole)
    data, first_bit = _native_frame(image, frame)
    return Prepared(_plan(image, frame, first_bit=first_bit), [data], (frame + 1,), missing)


def _choose_native(image: _Image, whole: int) -> int:
    length = -(-image.layout.frame_bits * whole // 8)
    readable = length <= _MAX_CHOICE_BYTES and whole <= _MAX_CHOICE_FRAMES
    if whole > 1 and _is_segmentation(image.header) and readable:
        data = image.body.read(image.pixel.offset, length)
        return fullest_native_frame(data, image.layout, whole)
    return frame_to_show(image.header, image.layout.declared_frames, whole)


def _native_frame(image: _Image, frame: int) -> tuple[bytes, int]:
    """Return the bytes that hold a frame, and the bit in them that it begins with."""
    first, last, _ = native_extent(image.layout, frame)
    _check_bytes(last - first, image.options)
    return read_native_frame(image.body, image.pixel, image.layout, frame)


def _prepare_encapsulated(image: _Image) -> Prepared:
    if codec_for(image.transfer_syntax).one_stream:
        return _prepare_video(image)
    try:
        return _prepare_fragments(image, FrameIndex(image.header, image.layout.declared_frames))
    except PixelError as error:
        if image.pixel.cut and error.status is ThumbnailStatus.ERROR:
            raise CutError(f"the pixel data is cut short: {error}") from error
        raise


def _prepare_fragments(image: _Image, index: FrameIndex) -> Prepared:
    declared = image.layout.declared_frames
    whole = index.whole if image.pixel.cut else index.available
    missing = _cut_short(whole, declared, "frames")
    mosaic = read_mosaic(image.header, image.layout, declared, image.options.limits.max_pixels)
    if mosaic is not None and len(mosaic.frames) > 1:
        if not whole:
            raise CutError(missing)
        plan = _plan(image, 0, mosaic.rows, mosaic.columns, mosaic.tiles)
        there = iter(_encoded_frames(image, index, tuple(frame for frame in mosaic.frames if frame < whole)))
        tiles = [next(there) if frame < whole else b"" for frame in mosaic.frames]
        return Prepared(plan, tiles, (), missing or mosaic.missing)
    if whole > 1 and _is_segmentation(image.header):
        candidates = _candidates(index, whole)
        plan = _plan(image, candidates[0], choose=len(candidates) > 1)
        frames = _encoded_frames(image, index, candidates)
        return Prepared(plan, frames, tuple(number + 1 for number in candidates), missing)
    frame = frame_to_show(image.header, declared, whole)
    data = _encoded_frames(image, index, (frame,))
    plan = _plan(image, frame)
    if whole:
        return Prepared(plan, data, (frame + 1,), missing)
    return Prepared(replace(plan, cut=True), data, (frame + 1,), _missing_of_frame(index, frame))


def _missing_of_frame(index: FrameIndex, frame: int) -> str | None:
    """Return what is missing of a frame in bytes; nothing is known of fragments that are missing altogether."""
    fragments = index.fragments(frame)
    there, due = (sum(getattr(part, name) for part in fragments) for name in ("length", "stated"))
    return _cut_short(there, due, "bytes")


def _prepare_video(image: _Image) -> Prepared:
    """Return the whole bit stream; the decoder finds its middle."""
    index = FrameIndex(image.header, 1)
    stream = _encoded_frames(image, index, (0,))
    missing = _missing_of_frame(index, 0) if image.pixel.cut else None
    return Prepared(_plan(image, 0), stream, range(1, image.layout.declared_frames + 1), missing)


def _candidates(index: FrameIndex, frames: int) -> tuple[int, ...]:
    """Return the frames among which the fullest is searched; the longest alone when they are too many to decode."""
    lengths = index.lengths()[:frames]
    if sum(lengths) <= _MAX_CHOICE_BYTES and len(lengths) <= _MAX_CHOICE_FRAMES:
        return tuple(range(len(lengths)))
    return (lengths.index(max(lengths)),)


def _encoded_frames(image: _Image, index: FrameIndex, frames: tuple[int, ...]) -> list[bytes]:
    fragments = [index.fragments(frame) for frame in frames]
    _check_bytes(sum(part.length for frame in fragments for part in frame), image.options)
    return [read_frame(image.body, frame) for frame in fragments]


def _is_segmentation(header: Header) -> bool:
    return first_value(header.dataset, "00080016") in _SEGMENTATIONS


def _plan(
    image: _Image,
    frame: int,
    rows: int | None = None,
    columns: int | None = None,
    tiles: tuple[Tile, ...] = (Tile(),),
    *,
    choose: bool = False,
    first_bit: int = 0,
) -> RenderPlan:
    rows, columns = rows or image.layout.rows, columns or image.layout.columns
    ratio = pixel_ratio(image.header, frame)
    pipeline = _pipeline(image.header, image.layout, frame)
    return RenderPlan(
        transfer_syntax=image.transfer_syntax,
        layout=image.layout,
        pipeline=pipeline,
        rows=rows,
        columns=columns,
        size=thumbnail_size(rows, columns, ratio, image.options.longest_side),
        tiles=tiles,
        choose=choose,
        first_bit=first_bit,
        quality=image.options.jpeg_quality,
        max_pixels=image.options.limits.max_pixels,
        step=pipeline.step,
    )


def _pipeline(header: Header, layout: PixelLayout, frame: int) -> Pipeline:
    """Return the pipeline that the image's kind asks for; what names no colour is grey."""
    if layout.samples > 1:
        return Colour()
    if layout.photometric == "PALETTE COLOR" and has_palette(header):
        return read_palette(header)
    if _is_segmentation(header):
        if text(header.dataset, _SEGMENTATION_TYPE).upper() == "LABELMAP":
            return Labels()
        one_bit = layout.bits_stored == 1
        return Mask(1.0 if one_bit else max(1, integer(header.dataset, _MAXIMUM_FRACTIONAL_VALUE, 255)))
    if layout.bits_stored == 1:
        return Mask(1.0, inverted=is_inverted(header, layout))
    return read_grey_pipeline(header, layout, frame)

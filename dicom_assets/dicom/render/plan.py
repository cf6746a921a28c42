"""What to render, as data: made from a header in the caller's process, carried out wherever decoders may run."""

from dataclasses import dataclass

from dicom_assets.dicom.pixels.layout import PixelLayout
from dicom_assets.dicom.render.pipeline import Pipeline


@dataclass(frozen=True, slots=True)
class Tile:
    """Where the upper left pixel of a frame goes in the picture."""

    row: int = 0
    column: int = 0


@dataclass(frozen=True, slots=True)
class RenderPlan:
    """Everything but the bytes of the frames.

    Attributes
    ----------
    transfer_syntax
        UID of the transfer syntax that frames are encoded in.
    layout
        Of a frame.
    pipeline
        From stored values to grey or colour.
    rows, columns
        Of the picture: those of a frame, or of the total pixel matrix that frames are tiles of.
    size
        Rows and columns of the thumbnail.
    tiles
        One for each frame that is rendered.
    choose
        Whether the frames are candidates, of which the one with most foreground is rendered.
    first_bit
        Where in the first byte a native frame begins.
    quality
        Of JPEG.
    max_pixels
        More than that a codestream must not declare.
    cut
        Whether the file ends inside the frame.
    step
        Difference of stored values that does not show; 0 where every bit counts.

    """

    transfer_syntax: str
    layout: PixelLayout
    pipeline: Pipeline
    rows: int
    columns: int
    size: tuple[int, int]
    tiles: tuple[Tile, ...] = (Tile(),)
    choose: bool = False
    first_bit: int = 0
    quality: int = 90
    max_pixels: int = 1 << 28
    step: float = 0.0
    cut: bool = False


@dataclass(frozen=True, slots=True)
class Rendered:
    """A finished thumbnail.

    Attributes
    ----------
    data, media_type
        The encoded picture.
    width, height
        Its size in pixels.
    window_center, window_width
        Of the window that was applied, in modality values; ``None`` when none was.
    partial
        Whether the frame ends early: what is missing is black.
    chosen
        Index of the frame that was rendered among those that were given.

    """

    data: bytes
    media_type: str
    width: int
    height: int
    window_center: float | None = None
    window_width: float | None = None
    chosen: int = 0
    partial: bool = False

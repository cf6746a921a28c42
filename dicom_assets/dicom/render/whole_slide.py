"""Whole-slide images: which of their files has a thumbnail, and where its frames belong (PS3.3 C.8.12)."""

from dataclasses import dataclass
from itertools import islice, product

from dicom_assets.dicom.frames import all_frame_groups
from dicom_assets.dicom.header import Header, JsonDataset, first_value, values
from dicom_assets.dicom.pixels.attributes import integer, items, text
from dicom_assets.dicom.pixels.errors import PixelError, TooLargeError, UnsupportedPixelsError
from dicom_assets.dicom.pixels.layout import PixelLayout
from dicom_assets.dicom.render.plan import Tile
from dicom_assets.dicom.uids import VLWholeSlideMicroscopyImageStorage

_MAX_TILES = 1 << 14
_MAX_PLACES = 1 << 16
"""Frames whose places are read: several may be on one place, in other focal planes and optical paths."""
_DIMENSION_ORGANIZATION_TYPE = "00209311"
_CONCATENATION, _FRAMES_BEFORE = "00209161", "00209228"
_IMAGE_TYPE = "00080008"
_TOTAL_PIXEL_MATRIX_COLUMNS, _TOTAL_PIXEL_MATRIX_ROWS = "00480006", "00480007"
_PLANE_POSITION_SLIDE = "0048021A"
_COLUMN_POSITION, _ROW_POSITION = "0048021E", "0048021F"


@dataclass(frozen=True, slots=True)
class Mosaic:
    """A picture that frames are tiles of.

    Attributes
    ----------
    rows, columns
        Of the total pixel matrix.
    frames
        Indices of the frames that make it up.
    tiles
        Their places, in the same order.
    missing
        One sentence on frames that belong there and whose places are not known; ``None`` where there are none.

    """

    rows: int
    columns: int
    frames: tuple[int, ...]
    tiles: tuple[Tile, ...]
    missing: str | None = None


def read_mosaic(header: Header, layout: PixelLayout, frames: int, max_pixels: int) -> Mosaic | None:
    """Return how the frames of a whole-slide image make up a picture, ``None`` for any other object.

    Parameters
    ----------
    header
        Of the image.
    layout
        Of its frames.
    frames
        How many frames there are.
    max_pixels
        The largest total pixel matrix that is put together.

    Raises
    ------
    UnsupportedPixelsError
        For a slide's label, which shows whose slide it is (Image Type value 3, PS3.3 C.8.12.4.1.1).
    TooLargeError
        For a level beyond `max_pixels`.
    PixelError
        When no frame's place is known.
    OSError
        When the storage fails.

    """
    if first_value(header.dataset, "00080016") != VLWholeSlideMicroscopyImageStorage:
        return None
    flavour = values(header.dataset, _IMAGE_TYPE)
    if len(flavour) > 2 and flavour[2] == "LABEL":
        raise UnsupportedPixelsError("the label of a slide is not shown, it may name a patient")
    rows = integer(header.dataset, _TOTAL_PIXEL_MATRIX_ROWS, layout.rows)
    columns = integer(header.dataset, _TOTAL_PIXEL_MATRIX_COLUMNS, layout.columns)
    if rows < 1 or columns < 1:
        return None
    if rows * columns > max_pixels:
        raise TooLargeError(
            f"a whole-slide level of {columns} x {rows} pixels, the limit is {max_pixels}; "
            "the THUMBNAIL, OVERVIEW or a smaller VOLUME instance shows the slide"
        )
    if -(-rows // layout.rows) * -(-columns // layout.columns) > _MAX_TILES:
        raise TooLargeError(f"a whole-slide level of more than {_MAX_TILES} tiles")
    return (
        None if frames < 2 else _sparse(header, frames, rows, columns) or _full(header, layout, frames, rows, columns)
    )


def _sparse(header: Header, frames: int, rows: int, columns: int) -> Mosaic | None:
    """Return tiles where each frame states its place (TILED_SPARSE); the first on a place counts."""
    found: dict[Tile, int] = {}
    placed = 0
    for frame, group in enumerate(islice(all_frame_groups(header), min(frames, _MAX_PLACES))):
        tile = _place(group)
        if tile is not None:
            placed += 1
            if 0 <= tile.row < rows and 0 <= tile.column < columns:
                found.setdefault(tile, frame)
    if not placed:
        return None
    if not found:
        raise PixelError("no tile of the slide lies within its total pixel matrix")
    missing = f"{frames - placed} of {frames} tiles do not say where they belong" if placed < frames else None
    return Mosaic(rows, columns, tuple(found.values()), tuple(found), missing)


def _place(group: JsonDataset) -> Tile | None:
    """Return the place that a frame's functional groups state, from 0."""
    for position in items(group, _PLANE_POSITION_SLIDE)[:1]:
        row, column = integer(position, _ROW_POSITION, 0), integer(position, _COLUMN_POSITION, 0)
        # Places count from 1, so that 0 is none; those above and to the left of the matrix are negative.
        return Tile(row - 1, column - 1) if row and column else None
    return None


def _full(header: Header, layout: PixelLayout, frames: int, rows: int, columns: int) -> Mosaic:
    """Return tiles in rows from the upper left (TILED_FULL), of the first focal plane and optical path.

    A part of a concatenation (PS3.3 C.7.6.16.2.2.4) goes on where the part before it ends.
    """
    if text(header.dataset, _DIMENSION_ORGANIZATION_TYPE).upper() == "TILED_SPARSE":
        raise PixelError("no tile of the slide says where it belongs")
    grid = [*product(range(0, rows, layout.rows), range(0, columns, layout.columns))]
    before = max(0, integer(header.dataset, _FRAMES_BEFORE, 0))
    tiles = tuple(Tile(row, column) for row, column in grid[before : before + frames])
    if not tiles:
        raise PixelError("this part of the slide has none of its first focal plane")
    whole = len(tiles) == len(grid) or _CONCATENATION in header.dataset
    missing = None if whole else f"{len(tiles)} of {len(grid)} tiles of the slide are there"
    return Mosaic(rows, columns, tuple(range(len(tiles))), tiles, missing)

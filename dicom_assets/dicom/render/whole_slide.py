"""Whole-slide images: which of their files has a thumbnail, and where its frames belong (PS3.3 C.8.12)."""

from dataclasses import dataclass
from itertools import islice, product

from dicom_assets.dicom.header import Header, first_value, values
from dicom_assets.dicom.pixels.elements import PER_FRAME_FUNCTIONAL_GROUPS, integer, items
from dicom_assets.dicom.pixels.errors import TooLargeError, UnsupportedPixelsError
from dicom_assets.dicom.pixels.layout import PixelLayout
from dicom_assets.dicom.render.plan import Tile

WHOLE_SLIDE_MICROSCOPY = "1.2.840.10008.5.1.4.1.1.77.1.6"
_MAX_TILES = 1 << 14
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

    """

    rows: int
    columns: int
    frames: tuple[int, ...]
    tiles: tuple[Tile, ...]


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

    """
    if first_value(header.dataset, "00080016") != WHOLE_SLIDE_MICROSCOPY:
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
    return _sparse(header, frames, rows, columns) or _full(layout, frames, rows, columns)


def _sparse(header: Header, frames: int, rows: int, columns: int) -> Mosaic | None:
    """Return tiles where each frame states its place (TILED_SPARSE); the first on a place counts."""
    found: dict[Tile, int] = {}
    groups = items(header.dataset, PER_FRAME_FUNCTIONAL_GROUPS)[:frames]
    for frame, group in enumerate(groups):
        for position in items(group, _PLANE_POSITION_SLIDE)[:1]:
            tile = Tile(integer(position, _ROW_POSITION, 1) - 1, integer(position, _COLUMN_POSITION, 1) - 1)
            inside = 0 <= tile.row < rows and 0 <= tile.column < columns
            if inside:
                found.setdefault(tile, frame)
    if not found:
        return None
    return Mosaic(rows, columns, tuple(found.values()), tuple(found))


def _full(layout: PixelLayout, frames: int, rows: int, columns: int) -> Mosaic:
    """Return tiles in rows from the upper left (TILED_FULL), of the first focal plane and optical path."""
    places = product(range(0, rows, layout.rows), range(0, columns, layout.columns))
    tiles = tuple(Tile(row, column) for row, column in islice(places, frames))
    return Mosaic(rows, columns, tuple(range(len(tiles))), tiles)

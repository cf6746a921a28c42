"""A picture in a terminal: two pixels a character, the upper one its colour and the lower one its background."""

import io

from PIL import Image, UnidentifiedImageError
from rich.color import Color
from rich.style import Style
from rich.text import Text

from dicom_assets.errors import DataError

UPPER_HALF = "\N{UPPER HALF BLOCK}"


class ThumbnailError(DataError, ValueError):
    """A thumbnail in the tables is no picture."""


def opened(thumbnail: bytes) -> Image.Image:
    """Return a thumbnail as a picture; raises :class:`ThumbnailError` where it is none."""
    try:
        image = Image.open(io.BytesIO(thumbnail))
        image.load()
    except (UnidentifiedImageError, OSError, ValueError, SyntaxError, Image.DecompressionBombError) as error:
        raise ThumbnailError("the thumbnail in the tables is no picture that can be read") from error
    return image


def blocks(image: Image.Image, columns: int, rows: int) -> Text:
    """Return a picture as lines of half blocks.

    Parameters
    ----------
    image
        Any.
    columns, rows
        Characters that it may take; it keeps its proportions, a character being twice as high as wide, and is never
        enlarged.

    """
    rgb = image.convert("RGB")
    scale = min(columns / rgb.width, 2 * rows / rgb.height, 1.0)
    width, lines = max(1, round(rgb.width * scale)), max(1, round(rgb.height * scale / 2))
    small = rgb.resize((width, 2 * lines), Image.Resampling.LANCZOS).tobytes()

    def colour(x: int, y: int) -> Color:
        start = 3 * (y * width + x)
        return Color.from_rgb(*small[start : start + 3])

    text = Text()
    for line in range(lines):
        for x in range(width):
            text.append(UPPER_HALF, Style(color=colour(x, 2 * line), bgcolor=colour(x, 2 * line + 1)))
        text.append("\n")
    return text

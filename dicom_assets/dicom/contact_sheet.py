"""Many thumbnails as one picture, to look at a data set at a glance."""

import io
import math
from collections.abc import Sequence
from dataclasses import dataclass

from PIL import Image, UnidentifiedImageError

from dicom_assets.dicom.showable import may_be_shown
from dicom_assets.dicom.status import HeaderStatus


@dataclass(frozen=True, slots=True)
class SheetEntry:
    """A thumbnail, and what its header, which was read, says of text in the image.

    Attributes
    ----------
    data
        The encoded thumbnail.
    burned_in_annotation
        Burned In Annotation (0028,0301) as in the header: ``YES``, ``NO`` or ``None``.

    """

    data: bytes
    burned_in_annotation: str | None


def contact_sheet(
    entries: Sequence[SheetEntry], *, most: int = 24, columns: int = 6, cell: int = 128, quality: int = 80
) -> bytes | None:
    """Return thumbnails side by side as a JPEG, ``None`` when there is none to show.

    Images that :func:`may_be_shown` holds back are never on it.

    Parameters
    ----------
    entries
        Thumbnails, in the order to show them in.
    most
        More than that are left out.
    columns
        Cells in a row.
    cell
        Width and height of a cell in pixels; thumbnails shrink to fit and are not enlarged.
    quality
        Of the JPEG, 1 to 95.

    """
    shown = [entry for entry in entries if may_be_shown(entry.burned_in_annotation, HeaderStatus.OK)][:most]
    if not shown:
        return None
    columns = min(columns, len(shown))
    sheet = Image.new("RGB", (columns * cell, math.ceil(len(shown) / columns) * cell))
    for position, entry in enumerate(shown):
        row, column = divmod(position, columns)
        try:
            picture = Image.open(io.BytesIO(entry.data)).convert("RGB")
        except (UnidentifiedImageError, OSError):
            # A cell stays black rather than a sheet unmade.
            continue
        picture.thumbnail((cell, cell), Image.Resampling.BOX)
        sheet.paste(picture, (column * cell + (cell - picture.width) // 2, row * cell + (cell - picture.height) // 2))
    out = io.BytesIO()
    sheet.save(out, "JPEG", quality=quality)
    return out.getvalue()

"""Why there is no thumbnail: one exception per status that a row can have.

Messages go into tables and logs, so they hold numbers, tag names and names of formats, never values of the
header that could tell of a patient.
"""

from typing import ClassVar

from dicom_assets.dicom.status import ThumbnailStatus
from dicom_assets.errors import DataError


class PixelError(DataError):
    """The pixel data could not be decoded or rendered."""

    status: ClassVar[ThumbnailStatus] = ThumbnailStatus.ERROR


class CutError(PixelError):
    """The pixel data is cut short, and what is there makes no picture."""


class NoPixelDataError(PixelError):
    """The object is no image."""

    status = ThumbnailStatus.NO_PIXEL_DATA


class UnsupportedPixelsError(PixelError):
    """No decoder for this transfer syntax, or a layout that no pipeline renders."""

    status = ThumbnailStatus.UNSUPPORTED


class TooLargeError(PixelError):
    """A limit on pixels, bytes or memory stopped the work."""

    status = ThumbnailStatus.TOO_LARGE


ERRORS_BY_STATUS: dict[str, type[PixelError]] = {
    str(error.status): error for error in (PixelError, NoPixelDataError, UnsupportedPixelsError, TooLargeError)
}
"""To raise again, on this side of a pipe, what was raised on the other."""

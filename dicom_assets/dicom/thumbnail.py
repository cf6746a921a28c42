"""One small picture of a DICOM object, as a viewer would show it.

:func:`render_thumbnail` is all that other layers need: it chooses a frame, reads its bytes alone, decodes and
transforms them by the standard, and says in a status why there is no picture where there is none.
"""

from dataclasses import dataclass

from dicom_assets.dicom.header import Header
from dicom_assets.dicom.pixels.errors import NoPixelDataError, PixelError
from dicom_assets.dicom.pixels.truncated_frames import ENDS_EARLY
from dicom_assets.dicom.render.icon import prepare_icon
from dicom_assets.dicom.render.options import Limits, ThumbnailOptions
from dicom_assets.dicom.render.planning import Prepared, prepare
from dicom_assets.dicom.status import HeaderStatus, ThumbnailStatus

__all__ = ["Limits", "Thumbnail", "ThumbnailOptions", "render_thumbnail"]

DEFAULT_OPTIONS = ThumbnailOptions()

_UNREADABLE = {
    HeaderStatus.NOT_DICOM: (ThumbnailStatus.NOT_DICOM, None),
    HeaderStatus.EMPTY: (ThumbnailStatus.NOT_DICOM, "the file is empty"),
    HeaderStatus.DICOMDIR: (ThumbnailStatus.NO_PIXEL_DATA, None),
}


@dataclass(frozen=True, slots=True)
class Thumbnail:
    """What rendering came to.

    Attributes
    ----------
    status
        How it went.
    error
        One sentence without patient data when it did not go well.
    data
        The encoded picture.
    media_type
        ``image/jpeg`` or ``image/png``.
    width, height
        Of the picture, in pixels.
    frame_number
        Of the frame that it shows, from 1; ``None`` where it shows an icon or many tiles.
    window_center, window_width
        Of the window that was applied, in modality values such as Hounsfield units; ``None`` where none was.

    """

    status: ThumbnailStatus
    error: str | None = None
    data: bytes | None = None
    media_type: str | None = None
    width: int | None = None
    height: int | None = None
    frame_number: int | None = None
    window_center: float | None = None
    window_width: float | None = None


def render_thumbnail(header: Header, options: ThumbnailOptions = DEFAULT_OPTIONS) -> Thumbnail:
    """Render the thumbnail of a file.

    Parameters
    ----------
    header
        What reading the file's header yielded; its ``body`` is read for the frame.
    options
        Size, quality and limits.

    Returns
    -------
    Thumbnail
        Whatever the file is like.

    Raises
    ------
    OSError
        When the storage fails, or no decoder process can be started; never because of what a file holds.

    """
    if header.status in _UNREADABLE:
        status, error = _UNREADABLE[header.status]
        return Thumbnail(status, error)
    if header.pixel is None and header.status in {HeaderStatus.TRUNCATED, HeaderStatus.ERROR}:
        return Thumbnail(ThumbnailStatus.ERROR, header.error or "the file ends before its pixel data")
    if header.pixel is None and header.status is HeaderStatus.UNSUPPORTED:
        return Thumbnail(ThumbnailStatus.UNSUPPORTED, header.error)
    missing = None
    try:
        prepared = prepare_image_or_icon(header, options)
        missing = prepared.missing
        return _render(prepared, options)
    except PixelError as error:
        too_little = missing is not None and error.status is ThumbnailStatus.ERROR
        return Thumbnail(error.status, f"{missing}, which makes no picture" if too_little else str(error))
    except OSError:
        raise
    except Exception as error:  # noqa: BLE001 - a header can be wrong in more ways than anyone has thought of
        return Thumbnail(ThumbnailStatus.ERROR, f"rendering failed: {type(error).__name__}")


def prepare_image_or_icon(header: Header, options: ThumbnailOptions) -> Prepared:
    """Return what to render: the object's image, or its icon where it has none that can be shown.

    Raises
    ------
    PixelError
        When there is neither.
    OSError
        When the storage fails.

    """
    try:
        return prepare(header, options)
    except NoPixelDataError:
        icon = prepare_icon(header, options)
        if icon is None:
            raise
        return icon


def _render(prepared: Prepared, options: ThumbnailOptions) -> Thumbnail:
    rendered = prepared.execute(options)
    # Of a frame that is cut by no more than its padding or its end marker nothing is missing.
    missing = None if prepared.plan.cut and not rendered.partial else prepared.missing
    if missing is None and rendered.partial:
        missing = ENDS_EARLY
    return Thumbnail(
        status=ThumbnailStatus.OK if missing is None else ThumbnailStatus.PARTIAL,
        error=missing,
        data=rendered.data,
        media_type=rendered.media_type,
        width=rendered.width,
        height=rendered.height,
        frame_number=prepared.numbers[rendered.chosen] if prepared.numbers else None,
        window_center=rendered.window_center,
        window_width=rendered.window_width,
    )

"""Headers and thumbnails of single files, by path, as bytes or as file objects.

The same as :func:`dicom_assets.dicom.header.read_header` and :func:`dicom_assets.dicom.thumbnail.render_thumbnail`,
which work on sources and headers, for those who have a file.
"""

from dicom_assets.dicom import header as headers
from dicom_assets.dicom import thumbnail as thumbnails
from dicom_assets.dicom.header import Header
from dicom_assets.dicom.header.limits import DEFAULT_LIMITS, HeaderLimits
from dicom_assets.dicom.opening import Openable, open_source
from dicom_assets.dicom.thumbnail import DEFAULT_OPTIONS, Thumbnail, ThumbnailOptions

__all__ = ["Openable", "read_header", "render_thumbnail"]


def read_header(file: Openable, limits: HeaderLimits = DEFAULT_LIMITS) -> Header:
    """Read all of a DICOM file but its pixel data.

    Parameters
    ----------
    file
        A path (:class:`str` or :class:`os.PathLike`), the content of a file, or a binary file object that can seek. A
        file object is read from its beginning, keeps its position and stays open.
    limits
        What is inlined, and when to give up.

    Returns
    -------
    Header
        What was read, and how it went, whatever the file holds. Of a path the file is closed again: everything that
        is in the header stays, but what it only has the place of, pixel data and values with ``BulkData``, cannot be
        read through its ``body`` any more, so that no thumbnail can be rendered from it; reading raises
        :class:`OSError`. Of bytes the body stays readable, of a file object for as long as that is open.

    Raises
    ------
    OSError
        When the file cannot be opened or read, or the file object cannot seek.
    TypeError
        When `file` is none of these, or a file object in text mode.

    """
    with open_source(file) as source:
        return headers.read_header(source, limits)


def render_thumbnail(file: Openable, options: ThumbnailOptions = DEFAULT_OPTIONS) -> Thumbnail:
    """Render the thumbnail of a DICOM file.

    Parameters
    ----------
    file
        As for :func:`read_header`. Of its pixel data only what the picture needs is read.
    options
        Size, quality and limits.

    Returns
    -------
    Thumbnail
        Whatever the file holds; its status says how it went.

    Raises
    ------
    OSError
        When the file cannot be opened or read, the file object cannot seek, or no decoder process can be started.
    TypeError
        When `file` is none of these, or a file object in text mode.

    """
    with open_source(file) as source:
        return thumbnails.render_thumbnail(headers.read_header(source), options)

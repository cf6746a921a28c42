"""The functional groups of one frame of a multi-frame image (PS3.3 C.7.6.16)."""

from dicom_assets.dicom.charsets import charset_of
from dicom_assets.dicom.dialect import DIALECTS, UNDEFINED
from dicom_assets.dicom.header import Header, JsonDataset, values
from dicom_assets.dicom.limits import DEFAULT_LIMITS, HeaderLimits
from dicom_assets.dicom.scan import end_of_undefined
from dicom_assets.dicom.scope import Scope
from dicom_assets.dicom.stops import StopError
from dicom_assets.dicom.walker import Walker
from dicom_assets.dicom.window import ReadLimitError, Window

_PER_FRAME_GROUPS = "52009230"
_CHARSET = "00080005"
_ITEM = (0xFFFE, 0xE000)


def frame_groups(header: Header, frame: int, limits: HeaderLimits = DEFAULT_LIMITS) -> JsonDataset | None:
    """Return the item of Per-Frame Functional Groups Sequence of one frame (PS3.3 C.7.6.16.1.2).

    A long sequence keeps only its first items in :attr:`~dicom_assets.dicom.header.Header.dataset`; that of any
    other frame is read from the file.

    Parameters
    ----------
    header
        As :func:`~dicom_assets.dicom.read.read_header` returns it.
    frame
        Number of the frame, from 0.
    limits
        As for :func:`~dicom_assets.dicom.read.read_header`.

    Returns
    -------
    dict or None
        The functional groups; ``None`` when the file has none for this frame, or none that can be read.

    Raises
    ------
    OSError
        If the source does.

    """
    element = header.dataset.get(_PER_FRAME_GROUPS, {})
    kept: list[JsonDataset] = element.get("Value", [])
    cut = "BulkData" in element
    # What the last item of a cut sequence holds may be cut itself.
    if 0 <= frame < len(kept) - cut:
        return kept[frame]
    if frame < 0 or header.body is None or not cut:
        return None
    place = element["BulkData"]
    window = Window(header.body, limits.head_bytes, limits.max_read_bytes, place["offset"])
    try:
        return _read_item(header, window, place["offset"] + place["length"], frame, limits)
    except (StopError, ReadLimitError):
        return None


def _read_item(header: Header, window: Window, end: int, number: int, limits: HeaderLimits) -> JsonDataset | None:
    """Go from item to item, and read the one with this number."""
    dialect = DIALECTS[not header.implicit_vr, header.little_endian]
    position = window.base
    for item in range(number + 1):
        if position + 8 > end or not window.have(position, 8):
            return None
        at = position - window.base
        (length,) = dialect.length32(window.buf, at + 4)
        if dialect.tag(window.buf, at) != _ITEM:
            return None
        position += 8
        if item < number and length == UNDEFINED:
            position, _ = end_of_undefined(window, position, dialect, limits.max_skipped)
        elif item < number:
            position += length
    charset, _ = charset_of(tuple(term or "" for term in values(header.dataset, _CHARSET)))
    undefined = length == UNDEFINED
    scope = Scope(dialect, charset, None if undefined else position + length, delimited=undefined)
    walker = Walker(window, limits)
    walker.read(scope, position)
    walker.finish(header.dataset)
    return scope.dataset

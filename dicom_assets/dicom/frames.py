"""The functional groups of the frames of a multi-frame image (PS3.3 C.7.6.16)."""

from collections.abc import Iterator

from dicom_assets.dicom.header import Header, JsonDataset
from dicom_assets.dicom.header.limits import DEFAULT_LIMITS, HeaderLimits
from dicom_assets.dicom.items import UnreadableItemsError, items_of, kept_items, read_items

SHARED_GROUPS, PER_FRAME_GROUPS = "52009229", "52009230"


def frame_groups(header: Header, frame: int, limits: HeaderLimits = DEFAULT_LIMITS) -> JsonDataset | None:
    """Return the item of Per-Frame Functional Groups Sequence of one frame (PS3.3 C.7.6.16.1.2).

    A long sequence keeps only its first items in :attr:`~dicom_assets.dicom.header.Header.dataset`; that of any
    other frame is read from the file.

    Parameters
    ----------
    header
        As :func:`~dicom_assets.dicom.header.read_header` returns it.
    frame
        Number of the frame, from 0.
    limits
        As for :func:`~dicom_assets.dicom.header.read_header`.

    Returns
    -------
    dict or None
        The functional groups; ``None`` when the file has none for this frame, or none that can be read.

    Raises
    ------
    OSError
        If the source does.

    """
    element = header.dataset.get(PER_FRAME_GROUPS, {})
    kept = kept_items(element)
    if 0 <= frame < len(kept):
        return kept[frame]
    try:
        return None if frame < 0 else next(read_items(header, element, frame, limits), None)
    except UnreadableItemsError:
        return None


def all_frame_groups(header: Header, limits: HeaderLimits = DEFAULT_LIMITS) -> Iterator[JsonDataset]:
    """Yield the items of Per-Frame Functional Groups Sequence of the frames in order, however many the header keeps.

    Those that it does not keep are read from the file in one go. There are fewer than frames where the file has no
    more, or none that can be read.

    Parameters
    ----------
    header, limits
        As for :func:`frame_groups`.

    Raises
    ------
    OSError
        If the source does.

    """
    try:
        yield from items_of(header, header.dataset.get(PER_FRAME_GROUPS, {}), limits)
    except UnreadableItemsError:
        return

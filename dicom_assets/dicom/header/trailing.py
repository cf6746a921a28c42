"""Elements after the pixel data: digital signatures, padding, the private groups of some makers.

Where the pixel data ends is found by :mod:`~dicom_assets.dicom.header.pixel_extent`, without reading it. In an ordinary
file that is the end of the file, and nothing is read here.
"""

from dicom_assets.dicom.header.dataset_context import DatasetContext
from dicom_assets.dicom.header.errors import LimitError, StructureError
from dicom_assets.dicom.header.issues import RAW_CAP, IssueCode
from dicom_assets.dicom.header.plausibility import candidate
from dicom_assets.dicom.header.walker import Walker
from dicom_assets.dicom.read_ahead import ReadLimitError


def read_trailing(walker: Walker, context: DatasetContext, position: int) -> None:
    """Read what comes after the pixel data into the data set it belongs to.

    What cannot be read there is an issue and takes nothing from the rest of the header; zeros are padding.

    Parameters
    ----------
    walker
        After the walk over `context` that met the pixel data.
    context
        The data set of the file.
    position
        Where the pixel data ends, its delimiter included.

    Raises
    ------
    TruncatedError
        If the file ends inside an element after the pixel data.
    OSError
        If the source does.

    """
    if position >= walker.buffer.size:
        return
    try:
        head = walker.buffer.read(position, RAW_CAP)
        if any(head) and not _is_read(walker, context, position, head):
            walker.log.report("", "", IssueCode.STRAY_BYTES, head)
    except (LimitError, ReadLimitError):
        walker.log.report("", "", IssueCode.TRAILING_ELEMENTS)


def _is_read(walker: Walker, context: DatasetContext, position: int, head: bytes) -> bool:
    """Read elements, ``False`` when there are none."""
    if len(head) < 8:
        return False
    context.finished, context.at = False, position
    begin: int | None = position
    if (
        candidate(walker.recovery.search_area(context), position - walker.buffer.base) is None
        and not context.encoding.explicit
    ):
        # Without VRs anything could be an element.
        begin = walker.recovery.next_element(context, position)
    if begin is None:
        return False
    before = len(context.dataset)
    try:
        walker.read(context, begin, context.last)
    except StructureError:
        return len(context.dataset) > before
    return True

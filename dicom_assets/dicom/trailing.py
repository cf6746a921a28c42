"""Elements behind the pixel data: digital signatures, padding, the private groups of some makers.

Where the pixel data ends is found by :mod:`~dicom_assets.dicom.pixel_extent`, without reading it. In an ordinary file
that is the end of the file, and nothing is read here.
"""

from dicom_assets.dicom.issues import RAW_CAP, IssueCode
from dicom_assets.dicom.plausible import candidate
from dicom_assets.dicom.scope import Scope
from dicom_assets.dicom.stops import LimitError, StructureError
from dicom_assets.dicom.walker import Walker
from dicom_assets.dicom.window import ReadLimitError


def read_trailing(walker: Walker, scope: Scope, position: int) -> None:
    """Read what stands behind the pixel data into the data set it belongs to.

    What cannot be read there is an issue and takes nothing from the rest of the header; zeros are padding.

    Parameters
    ----------
    walker
        After the walk over `scope` that met the pixel data.
    scope
        The data set of the file.
    position
        Where the pixel data ends, its delimiter included.

    Raises
    ------
    TruncatedError
        If the file ends inside an element behind the pixel data.
    OSError
        If the source does.

    """
    if position >= walker.window.size:
        return
    try:
        head = walker.window.at(position, RAW_CAP)
        if any(head) and not _is_read(walker, scope, position, head):
            walker.report("", "", IssueCode.STRAY_BYTES, head)
    except (LimitError, ReadLimitError):
        walker.report("", "", IssueCode.TRAILING_ELEMENTS)


def _is_read(walker: Walker, scope: Scope, position: int, head: bytes) -> bool:
    """Read elements, ``False`` when there are none."""
    if len(head) < 8:
        return False
    scope.finished, scope.at = False, position
    begin: int | None = position
    if candidate(walker.sight(scope), position - walker.window.base) is None and not scope.dialect.explicit:
        # Without VRs anything could be an element.
        begin = walker.next_element(scope, position)
    if begin is None:
        return False
    before = len(scope.dataset)
    try:
        walker.read(scope, begin, scope.last)
    except StructureError:
        return len(scope.dataset) > before
    return True

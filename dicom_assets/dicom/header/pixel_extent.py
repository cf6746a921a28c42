"""Where pixel data ends, and whether all of it is in the file, found without reading it (PS3.5 8, A.4).

Encapsulated pixel data of a whole file ends with a Sequence Delimitation Item, and most files end with it: one small
read at the end of the file tells so. Where it is not found there, the headers of the items are walked, from the last
frame on where an offset table says where that begins. What has to be inflated is walked forward in any case.
"""

import struct
from base64 import b64decode
from dataclasses import dataclass, replace

from dicom_assets.dicom.header.encoding import EXPLICIT_LITTLE, UNDEFINED, states_vr
from dicom_assets.dicom.header.errors import HeaderParseError
from dicom_assets.dicom.header.issues import IssueCode
from dicom_assets.dicom.header.model import Element, JsonDataset, PixelElement, first_value
from dicom_assets.dicom.header.plausibility import Plausibility, SearchArea, candidate
from dicom_assets.dicom.header.undefined_length import end_of_undefined
from dicom_assets.dicom.inflate import InflatedSource
from dicom_assets.dicom.read_ahead import ITEM_STEP, ReadAheadBuffer
from dicom_assets.dicom.source import ByteSource, BytesSource

SEQUENCE_DELIMITER = b"\xfe\xff\xdd\xe0\0\0\0\0"
_ITEM = b"\xfe\xff\x00\xe0"
_ITEM_HEADER = 8
_ITEM_DELIMITER = b"\xfe\xff\x0d\xe0\0\0\0\0"
_PIXEL_DATA = 0x7FE00010
_TAILS = (4096, 64 * 1024)
"""Bytes at the end of the file that are seen in one read: trailing padding and some private elements, or more."""
_MOST_DELIMITERS = 32
"""Delimiters in them that are tried: noise may be full of them."""
_MAX_ITEMS = 1 << 20
_NUMBER_OF_FRAMES = "00280008"
_EXTENDED_OFFSET_TABLE = "7FE00001"


@dataclass(frozen=True, slots=True)
class PixelExtent:
    """The end of pixel data.

    Attributes
    ----------
    end
        Position after the pixel data, its delimiter included; ``None`` where the file ends before.
    whole
        Whether all bytes are there that its length or its items state, and all items that an offset table or the
        number of frames asks for.
    delimited
        Whether the delimiter that it needs is there.

    """

    end: int | None
    whole: bool
    delimited: bool = True


_CUT = PixelExtent(None, whole=False)


def pixel_extent(pixel: PixelElement, source: ByteSource, dataset: JsonDataset) -> PixelExtent:
    """Return the extent of the pixel data of a header.

    Parameters
    ----------
    pixel, source, dataset
        Where the pixel data begins, what that counts in, and the data set that it belongs to.

    Raises
    ------
    OSError
        If the source does.

    """
    if pixel.length is not None:
        return native_extent(source, pixel.offset, pixel.length)
    frames = first_value(dataset, _NUMBER_OF_FRAMES)
    return encapsulated_extent(
        source,
        pixel.offset,
        frames=frames if isinstance(frames, int) else 1,
        last_frame=_last_of_extended_table(source, dataset.get(_EXTENDED_OFFSET_TABLE, {})),
    )


def checked_pixels(
    pixel: PixelElement, source: ByteSource, dataset: JsonDataset
) -> tuple[PixelElement, IssueCode | None, int | None]:
    """Return pixel data that says whether it is cut, the issue that its end has, and the position after it.

    Parameters
    ----------
    pixel, source, dataset
        As for :func:`pixel_extent`.

    Raises
    ------
    OSError
        If the source does.

    """
    if pixel.length is not None and not isinstance(source, InflatedSource):
        # Most files: the answer of pixel_extent, at once.
        end = pixel.offset + pixel.length
        return (pixel, None, end) if end <= source.size else (replace(pixel, cut=True), IssueCode.PIXEL_DATA_CUT, None)
    extent = pixel_extent(pixel, source, dataset)
    if not extent.whole:
        return replace(pixel, cut=True), IssueCode.PIXEL_DATA_CUT, None
    return pixel, None if extent.delimited else IssueCode.MISSING_DELIMITER, extent.end


def _last_of_extended_table(source: ByteSource, element: Element) -> int | None:
    place = element.get("BulkData")
    if isinstance(place, dict):
        entry = source.read(place["offset"] + place["length"] - 8, 8)
    else:
        entry = b64decode(str(element.get("InlineBinary", "")))[-8:]
    return int.from_bytes(entry, "little") if len(entry) == 8 else None


def native_extent(source: ByteSource, start: int, length: int) -> PixelExtent:
    """Return the extent of pixel data of a stated length.

    Parameters
    ----------
    source
        What the offset counts in.
    start, length
        Of the value, in bytes.

    Raises
    ------
    OSError
        If the source does.

    """
    return PixelExtent(start + length, whole=True) if _reaches(source, start + length) else _CUT


def encapsulated_extent(
    source: ByteSource, start: int, *, frames: int = 1, last_frame: int | None = None
) -> PixelExtent:
    """Return the extent of encapsulated pixel data (PS3.5 A.4).

    Parameters
    ----------
    source
        What the offset counts in.
    start
        Of the Basic Offset Table item.
    frames
        Number of Frames: no fewer fragments make whole pixel data.
    last_frame
        Offset of the last frame by an Extended Offset Table (PS3.3 C.7.6.3.1.8), where there is one.

    Raises
    ------
    OSError
        If the source does.

    """
    if not isinstance(source, InflatedSource):
        end = _end_by_tail(source, start)
        if end is not None:
            return PixelExtent(end, whole=True)
    head = source.read(start, _ITEM_HEADER)
    if not _is_item(head):
        return _behind_the_last_item(source, start, head, enough=len(head) == _ITEM_HEADER)
    (length,) = struct.unpack_from("<I", head, 4)
    first = start + _ITEM_HEADER + length
    entry = source.read(first - 4, 4) if length and not length % 4 else b""
    if last_frame is None and len(entry) == 4:
        (last_frame,) = struct.unpack("<I", entry)
    if last_frame and _is_item(source.read(first + last_frame, _ITEM_HEADER)):
        return _walk(source, first + last_frame, 1)
    found = _walk(source, start, frames + 1)
    # A table with the offset of a frame beyond the end of the file.
    return _CUT if last_frame and found.end is None and not _reaches(source, first + last_frame + 1) else found


def _end_by_tail(source: ByteSource, start: int) -> int | None:
    """Return where pixel data ends if the last bytes of the file show it."""
    size = source.size
    for most in _TAILS:
        begin = max(start, size - most)
        tail = source.read(begin, size - begin)
        at = tail.find(SEQUENCE_DELIMITER)
        for _ in range(_MOST_DELIMITERS):
            behind = at + len(SEQUENCE_DELIMITER)
            if at < 0 or behind == len(tail):
                break
            if _is_rest_of_a_data_set(tail, behind):
                return begin + behind
            at = tail.find(SEQUENCE_DELIMITER, at + 1)
        if tail.endswith(SEQUENCE_DELIMITER) and not _ends_with_a_sequence(tail):
            return size
        if begin == start:
            break
    return None


def _ends_with_a_sequence(tail: bytes) -> bool:
    """Say whether the delimiter at the end of a file is that of a sequence: data sets are in its items."""
    if tail[: -len(SEQUENCE_DELIMITER)].endswith(_ITEM_DELIMITER):
        return True
    at = tail.find(_ITEM)
    while at >= 0:
        begin = at + _ITEM_HEADER
        if states_vr(tail[begin + 4 : begin + 6]):
            element = candidate(SearchArea(tail, len(tail), EXPLICIT_LITTLE), begin)
            if element is not None and element.plausibility is Plausibility.STRONG:
                return True
        at = tail.find(_ITEM, at + 1)
    return False


def _is_rest_of_a_data_set(tail: bytes, at: int) -> bool:
    """Say whether only elements with higher tags than the pixel data follow (PS3.5 A.4: explicit VR), or zeros."""
    area = SearchArea(tail, len(tail), EXPLICIT_LITTLE)
    floor = _PIXEL_DATA
    while any(tail[at:]):
        found = candidate(area, at)
        if found is None or found.tag <= floor:
            return False
        floor, at = found.tag, found.following
        if found.length == UNDEFINED:
            try:
                at, _ = end_of_undefined(
                    ReadAheadBuffer(BytesSource(tail), len(tail), 0), at, EXPLICIT_LITTLE, len(tail)
                )
            except HeaderParseError:
                return False
    return True


def _walk(source: ByteSource, position: int, least: int) -> PixelExtent:
    """Follow items to their delimiter, of which there are at least so many where all is whole."""
    # What is inflated is not read ahead: looking whether it reaches to the end of an item would go back again.
    step = _ITEM_HEADER if isinstance(source, InflatedSource) else ITEM_STEP
    buffer = ReadAheadBuffer(source, step, base=position, largest_step=step)
    for count in range(_MAX_ITEMS):
        head = buffer.read(position, _ITEM_HEADER)
        if not _is_item(head):
            return _behind_the_last_item(source, position, head, enough=count >= least)
        following = position + _ITEM_HEADER + struct.unpack_from("<I", head, 4)[0]
        if not _reaches(source, following):
            return _CUT
        position = following
    return PixelExtent(None, whole=True)


def _behind_the_last_item(source: ByteSource, position: int, head: bytes, *, enough: bool) -> PixelExtent:
    """Return the extent of items that end here; `head` is what follows them."""
    if head == SEQUENCE_DELIMITER:
        return PixelExtent(position + len(head), whole=True)
    # Part of an item's header, or of the delimiter: only what is no beginning of the latter was a further item.
    ends = not _reaches(source, position + _ITEM_HEADER)
    begun = ends and bool(head) and not SEQUENCE_DELIMITER.startswith(head)
    return PixelExtent(None, whole=enough and not begun, delimited=False)


def _is_item(head: bytes) -> bool:
    return len(head) == _ITEM_HEADER and head[:4] == _ITEM


def _reaches(source: ByteSource, end: int) -> bool:
    return source.reaches(end) if isinstance(source, InflatedSource) else end <= source.size

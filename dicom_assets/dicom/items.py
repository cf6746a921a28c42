"""The items of a sequence, however long it is: those that the header keeps, and after them those left in the file.

A header keeps the first items of a long sequence only (:class:`~dicom_assets.dicom.header.limits.HeaderLimits`).
Whoever needs the others, frames of a segmentation or contours of a structure set, reads them here, one at a time.
"""

from collections.abc import Iterator
from itertools import count

from dicom_assets.dicom.header import Element, Header, JsonDataset, values
from dicom_assets.dicom.header.charsets import charset_of
from dicom_assets.dicom.header.dataset_context import DatasetContext
from dicom_assets.dicom.header.encoding import ENCODINGS, UNDEFINED
from dicom_assets.dicom.header.errors import HeaderParseError
from dicom_assets.dicom.header.limits import DEFAULT_LIMITS, HeaderLimits
from dicom_assets.dicom.header.undefined_length import end_of_undefined
from dicom_assets.dicom.header.walker import Walker
from dicom_assets.dicom.read_ahead import ReadAheadBuffer, ReadLimitError
from dicom_assets.errors import DataError

_CHARSET = "00080005"
_ITEM, _SEQUENCE_END = (0xFFFE, 0xE000), (0xFFFE, 0xE0DD)


class UnreadableItemsError(DataError):
    """The items of a sequence cannot be read any further: the file is damaged there, or a limit is reached."""


def kept_items(element: Element) -> list[JsonDataset]:
    """Return the items that the header keeps whole: what the last one of a cut sequence holds may be cut itself."""
    found: list[JsonDataset] = element.get("Value", [])
    return found[:-1] if "BulkData" in element else found


def items_of(header: Header, element: Element, limits: HeaderLimits = DEFAULT_LIMITS) -> Iterator[JsonDataset]:
    """Yield all items of a sequence in order, however many the header keeps (PS3.5 7.5).

    Parameters
    ----------
    header
        As :func:`~dicom_assets.dicom.header.read_header` returns it.
    element
        A sequence of its data set, or of an item at any depth, also of one that was yielded here.
    limits
        As for :func:`~dicom_assets.dicom.header.read_header`, for each item anew; of ``max_read_bytes`` for all of
        them.

    Raises
    ------
    UnreadableItemsError
        There are more items, but they cannot be read.
    OSError
        If the source does.

    """
    kept = kept_items(element)
    yield from kept
    yield from read_items(header, element, len(kept), limits)


def read_items(
    header: Header, element: Element, first: int, limits: HeaderLimits = DEFAULT_LIMITS
) -> Iterator[JsonDataset]:
    """Yield the items of a cut sequence from one on, read from the file; none of a sequence that is kept whole.

    Parameters
    ----------
    header, element, limits
        As for :func:`items_of`.
    first
        Number of an item, from 0. Those before it are passed over.

    Raises
    ------
    UnreadableItemsError, OSError
        As :func:`items_of` does.

    """
    place = element.get("BulkData")
    if header.body is None or place is None:
        return
    try:
        buffer = ReadAheadBuffer(header.body, limits.head_bytes, limits.max_read_bytes, place["offset"])
        yield from _from_file(header, buffer, place["offset"] + place["length"], first, limits)
    except HeaderParseError as error:
        raise UnreadableItemsError(str(error)) from error
    except ReadLimitError as error:
        raise UnreadableItemsError(f"more than {limits.max_read_bytes} bytes to be read") from error


def _from_file(
    header: Header, buffer: ReadAheadBuffer, end: int, first: int, limits: HeaderLimits
) -> Iterator[JsonDataset]:
    """Go from item to item, and read those from one on."""
    encoding = ENCODINGS[not header.implicit_vr, header.little_endian]
    charset, _ = charset_of(tuple(term or "" for term in values(header.dataset, _CHARSET)))
    position = buffer.base
    for item in count():
        if position + 8 > end:
            return
        if not buffer.ensure(position, 8):
            raise UnreadableItemsError(f"the file ends inside a sequence, behind byte {position}")
        at = position - buffer.base
        (length,) = encoding.length32(buffer.data, at + 4)
        tag = encoding.tag(buffer.data, at)
        if tag == _SEQUENCE_END:
            return
        if tag != _ITEM:
            raise UnreadableItemsError(f"there is no item at byte {position}")
        position += 8
        undefined = length == UNDEFINED
        if item >= first:
            stop = None if undefined else min(position + length, end)
            context = DatasetContext(encoding, charset, stop, delimited=undefined)
            walker = Walker(buffer, limits)
            position = walker.read(context, position)
            walker.finish(header.dataset)
            yield context.dataset
        elif undefined:
            position, _ = end_of_undefined(buffer, position, encoding, limits.max_skipped)
        else:
            position += length

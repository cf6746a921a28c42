"""The functional groups of the frames of a multi-frame image (PS3.3 C.7.6.16)."""

from collections.abc import Iterator
from itertools import count

from dicom_assets.dicom.header import Header, JsonDataset, values
from dicom_assets.dicom.header.charsets import charset_of
from dicom_assets.dicom.header.dataset_context import DatasetContext
from dicom_assets.dicom.header.encoding import ENCODINGS, UNDEFINED
from dicom_assets.dicom.header.errors import HeaderParseError
from dicom_assets.dicom.header.limits import DEFAULT_LIMITS, HeaderLimits
from dicom_assets.dicom.header.undefined_length import end_of_undefined
from dicom_assets.dicom.header.walker import Walker
from dicom_assets.dicom.read_ahead import ReadAheadBuffer, ReadLimitError

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
    kept = _kept(header)
    if 0 <= frame < len(kept):
        return kept[frame]
    return None if frame < 0 else next(_read_groups(header, frame, limits), None)


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
    kept = _kept(header)
    yield from kept
    yield from _read_groups(header, len(kept), limits)


def _kept(header: Header) -> list[JsonDataset]:
    """Return the items that the header keeps whole: what the last one of a cut sequence holds may be cut itself."""
    element = header.dataset.get(_PER_FRAME_GROUPS, {})
    found: list[JsonDataset] = element.get("Value", [])
    return found[:-1] if "BulkData" in element else found


def _read_groups(header: Header, first: int, limits: HeaderLimits) -> Iterator[JsonDataset]:
    """Yield the items of a cut sequence from one of them on, as far as they can be read."""
    place = header.dataset.get(_PER_FRAME_GROUPS, {}).get("BulkData")
    if header.body is None or place is None:
        return
    buffer = ReadAheadBuffer(header.body, limits.head_bytes, limits.max_read_bytes, place["offset"])
    try:
        yield from _read_items(header, buffer, place["offset"] + place["length"], first, limits)
    except (HeaderParseError, ReadLimitError):
        return


def _read_items(
    header: Header, buffer: ReadAheadBuffer, end: int, first: int, limits: HeaderLimits
) -> Iterator[JsonDataset]:
    """Go from item to item, and read those from one on."""
    encoding = ENCODINGS[not header.implicit_vr, header.little_endian]
    charset, _ = charset_of(tuple(term or "" for term in values(header.dataset, _CHARSET)))
    position = buffer.base
    for item in count():
        if position + 8 > end or not buffer.ensure(position, 8):
            return
        at = position - buffer.base
        (length,) = encoding.length32(buffer.data, at + 4)
        if encoding.tag(buffer.data, at) != _ITEM:
            return
        position += 8
        undefined = length == UNDEFINED
        if item >= first:
            context = DatasetContext(encoding, charset, None if undefined else position + length, delimited=undefined)
            walker = Walker(buffer, limits)
            position = walker.read(context, position)
            walker.finish(header.dataset)
            yield context.dataset
        elif undefined:
            position, _ = end_of_undefined(buffer, position, encoding, limits.max_skipped)
        else:
            position += length

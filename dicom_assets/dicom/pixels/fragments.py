"""Where the frames of encapsulated pixel data stand, found without reading them (PS3.5 A.4).

Frames are sequences of fragments. An Extended or Basic Offset Table says where each frame begins; without one,
or where it points into nothing, the headers of the fragments are walked: eight bytes each, plus the four that
tell whether a codestream begins there.
"""

import struct
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from dicom_assets.dicom.header import Header, PixelElement
from dicom_assets.dicom.pixels.attributes import element_bytes
from dicom_assets.dicom.pixels.errors import PixelError, TooLargeError
from dicom_assets.dicom.read_ahead import ITEM_STEP, ReadAheadBuffer
from dicom_assets.dicom.source import ByteSource

_ITEM = b"\xfe\xff\x00\xe0"
_CODESTREAM_STARTS = (b"\xff\xd8\xff", b"\xff\x4f\xff\x51", b"\x00\x00\x00\x0c", b"\xff\x0a")
"""Of JPEG and JPEG-LS, JPEG 2000, the JPEG 2000 and JPEG XL file formats, and bare JPEG XL."""
_ITEM_HEADER = 8
_MAX_FRAGMENTS = 1 << 20
_EXTENDED_OFFSET_TABLE = "7FE00001"


@dataclass(frozen=True, slots=True)
class Fragment:
    """One item of encapsulated pixel data: where its value is, and its first bytes.

    Attributes
    ----------
    offset, length
        Of the part of its value that is in the file.
    start
        Its first bytes.
    stated
        Length that the item states.

    """

    offset: int
    length: int
    start: bytes
    stated: int


def read_offset_table(header: Header, pixel: PixelElement, body: ByteSource, frames: int) -> tuple[int, list[int]]:
    """Return where the first fragment's item stands in `body`, and the offsets of the frames from there.

    Returns
    -------
    tuple
        The position after the Basic Offset Table item, and one offset per frame; no offsets when neither the
        Extended (PS3.3 C.7.6.3.1.8) nor the Basic Offset Table (PS3.5 A.4) has as many as there are frames.

    Raises
    ------
    PixelError
        When the value does not begin with an item.

    """
    item = body.read(pixel.offset, _ITEM_HEADER)
    if item[:4] != _ITEM or len(item) < _ITEM_HEADER:
        raise PixelError("encapsulated pixel data does not begin with an item")
    (length,) = struct.unpack("<I", item[4:])
    first = pixel.offset + _ITEM_HEADER + length
    if frames == 1:
        return first, []
    extended = header.dataset.get(_EXTENDED_OFFSET_TABLE)
    if extended:
        data = element_bytes(header, extended)
        if len(data) == 8 * frames:
            return first, list(struct.unpack(f"<{frames}Q", data))
    if length != 4 * frames:
        return first, []
    table = body.read(pixel.offset + _ITEM_HEADER, length)
    return first, list(struct.unpack(f"<{frames}I", table)) if len(table) == length else []


def walk_fragments(body: ByteSource, offset: int, end: int | None = None) -> Iterator[Fragment]:
    """Yield the fragments from an item's position up to `end`, the sequence delimiter or the end of the file.

    Raises
    ------
    TooLargeError
        When there are more than a million.

    """
    buffer = ReadAheadBuffer(body, ITEM_STEP, base=offset, largest_step=ITEM_STEP)
    for _ in range(_MAX_FRAGMENTS):
        if end is not None and offset >= end:
            return
        head = buffer.read(offset, 12)
        if len(head) < 8 or head[:4] != _ITEM:
            return
        (length,) = struct.unpack_from("<I", head, 4)
        available = max(0, min(length, body.size - offset - 8))
        yield Fragment(offset + 8, available, head[8 : 8 + min(4, available)], length)
        offset += _ITEM_HEADER + length
    raise TooLargeError(f"more than {_MAX_FRAGMENTS} fragments")


class FrameIndex:
    """Finds the fragments of frames; walks the file at most once however many frames are asked for.

    Parameters
    ----------
    header
        Of a file with encapsulated pixel data.
    frames
        How many frames there are by Number of Frames.

    """

    def __init__(self, header: Header, frames: int) -> None:
        if header.pixel is None or header.body is None:
            raise PixelError("the pixel data is not in the file")
        self._body = header.body
        self._frames = frames
        self._first, self._offsets = read_offset_table(header, header.pixel, header.body, frames)
        self._walked: list[list[Fragment]] | None = None

    def fragments(self, frame: int) -> list[Fragment]:
        """Return the fragments of one frame, counted from 0.

        Raises
        ------
        PixelError
            When the frame is not there.

        """
        found = self._by_table(frame) or self._by_walk(frame)
        if not found or not any(fragment.length for fragment in found):
            raise PixelError(f"frame {frame + 1} of {self._frames} is not in the file")
        return found

    @property
    def available(self) -> int:
        """How many frames there are, at least 1: all by the offset table, else as many as fragments make up."""
        if self._frames == 1 or self._offsets:
            return self._frames
        return max(1, min(self._frames, len(self._by_frames())))

    @property
    def whole(self) -> int:
        """How many frames are in the file as a whole, counted from the first one."""
        if self._offsets:
            size = self._body.size
            begun = sum(self._first + offset + _ITEM_HEADER < size for offset in self._offsets)
            last = self._by_table(begun - 1) if begun else []
            return begun if is_whole(last) else max(0, begun - 1)
        frames = self._by_frames()
        return min(self._frames, len(frames) if frames and is_whole(frames[-1]) else max(0, len(frames) - 1))

    def lengths(self) -> list[int]:
        """Return the encoded length of every frame in bytes; walks the file when there is no offset table.

        With a table, a frame of several fragments counts their headers but for the first.
        """
        if self._offsets:
            last = sum(fragment.length for fragment in self._by_table(self._frames - 1))
            pairs = zip(self._offsets, self._offsets[1:], strict=False)
            return [*(following - offset - _ITEM_HEADER for offset, following in pairs), last]
        return [sum(fragment.length for fragment in frame) for frame in self._by_frames()]

    def _by_table(self, frame: int) -> list[Fragment]:
        if not self._offsets:
            return []
        following = self._offsets[frame + 1] if frame + 1 < self._frames else None
        end = None if following is None else self._first + following
        return list(walk_fragments(self._body, self._first + self._offsets[frame], end))

    def _by_walk(self, frame: int) -> list[Fragment]:
        found = self._by_frames()
        return found[frame] if frame < len(found) else []

    def _by_frames(self) -> list[list[Fragment]]:
        if self._walked is None:
            self._walked = group_fragments(list(walk_fragments(self._body, self._first)), self._frames)
        return self._walked


def is_whole(fragments: Sequence[Fragment]) -> bool:
    """Say whether all of a frame is in the file."""
    return bool(fragments) and all(fragment.length == fragment.stated for fragment in fragments)


def group_fragments(fragments: Sequence[Fragment], frames: int) -> list[list[Fragment]]:
    """Return fragments frame by frame, where no table says which belong together.

    One fragment per frame where the numbers agree, everything for a single frame, and otherwise a frame for every
    fragment that begins a codestream. Of what never begins with one, such as RLE, a fragment is a frame (PS3.5 A.4.2).
    """
    if frames == 1:
        return [list(fragments)]
    starts = any(fragment.start.startswith(_CODESTREAM_STARTS) for fragment in fragments)
    if len(fragments) == frames or (len(fragments) < frames and not starts):
        return [[fragment] for fragment in fragments]
    groups: list[list[Fragment]] = []
    for fragment in fragments:
        if not groups or fragment.start.startswith(_CODESTREAM_STARTS):
            groups.append([])
        groups[-1].append(fragment)
    return groups


def read_frame(body: ByteSource, fragments: Sequence[Fragment]) -> bytes:
    """Return the encoded bytes of one frame; its fragments lie next to each other and are read at once."""
    first, last = fragments[0], fragments[-1]
    data = body.read(first.offset, last.offset + last.length - first.offset)
    if len(fragments) == 1:
        return data
    view = memoryview(data)
    return b"".join(view[f.offset - first.offset :][: f.length] for f in fragments)

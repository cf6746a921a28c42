"""What a codestream says of itself before it is decoded: size, precision, levels.

A few bytes of marker segments are enough to refuse an image that would not fit into memory, and to learn how far
a decoder can go down in resolution. Parsed in Python, so that nothing hostile runs native code to be measured.
"""

import struct
from dataclasses import dataclass

from dicom_assets.dicom.pixels.errors import PixelError

_DHP = 0xDE
_JPEG_FRAME_MARKERS = frozenset({*range(0xC0, 0xD0), _DHP, 0xF7}) - {0xC4, 0xC8, 0xCC}
"""Start Of Frame of every JPEG process (ISO 10918-1 B.1.1.3) and of JPEG-LS (ISO 14495-1 C.1.1), and the marker that
stands before the frames of a hierarchical one and looks the same (B.3.2)."""
_STANDALONE = frozenset({0x01, *range(0xD0, 0xD9)})
_END_OF_CODESTREAM = b"\xff\xd9"
_SHORTEST_TILE_PART = 14
_TAIL = 64
_SOC_SIZ = b"\xff\x4f\xff\x51"


@dataclass(frozen=True, slots=True)
class Codestream:
    """The declared shape of an encoded frame.

    Attributes
    ----------
    rows, columns
        Of the picture it decodes to.
    components
        Samples per pixel.
    precision
        Bits of a sample.
    signed
        Whether samples are signed; JPEG and JPEG-LS have no such samples.
    levels
        How often the resolution can be halved; JPEG 2000 only.
    subsampled
        Whether components differ in resolution.
    frame_marker
        Second byte of the marker that declares the frame, which names the JPEG process; 0 for JPEG 2000.
    jfif
        Whether there is a JFIF APP0 segment.
    adobe_transform
        Colour transform of an Adobe APP14 segment: 0 none, 1 YCbCr; ``None`` without one.
    start
        Where the codestream begins; not 0 inside a JP2 file.

    """

    rows: int
    columns: int
    components: int
    precision: int
    signed: bool = False
    levels: int = 0
    subsampled: bool = False
    frame_marker: int = 0
    jfif: bool = False
    adobe_transform: int | None = None
    start: int = 0


def read_jpeg(data: bytes) -> Codestream:
    """Return what a JPEG or JPEG-LS codestream declares, from its Start Of Frame (ISO 10918-1 B.2.2).

    Raises
    ------
    PixelError
        When there is none.

    """
    offset, transform, jfif = data.find(b"\xff\xd8") + 2, None, False
    while 2 <= offset < len(data) - 9:
        if data[offset] != 0xFF:
            offset += 1
            continue
        marker = data[offset + 1]
        if marker == 0xFF or marker in _STANDALONE:
            offset += 1 if marker == 0xFF else 2
            continue
        (length,) = struct.unpack_from(">H", data, offset + 2)
        if marker in _JPEG_FRAME_MARKERS:
            precision, rows, columns, components = struct.unpack_from(">BHHB", data, offset + 4)
            factors = {data[offset + 11 + 3 * i] for i in range(components) if offset + 11 + 3 * i < len(data)}
            return Codestream(
                rows,
                columns,
                components,
                precision,
                subsampled=len(factors) > 1,
                frame_marker=marker,
                jfif=jfif,
                adobe_transform=transform,
            )
        if marker == 0xEE and data[offset + 4 : offset + 9] == b"Adobe" and length >= 14:
            transform = data[offset + 15]
        jfif |= marker == 0xE0 and data[offset + 4 : offset + 9] == b"JFIF\0"
        offset += 2 + length
    raise PixelError("the frame is no JPEG codestream")


def read_jpeg2000(data: bytes) -> Codestream:
    """Return what a JPEG 2000 codestream declares, from SIZ and COD (ISO 15444-1 A.5.1, A.6.1).

    Raises
    ------
    PixelError
        When there is no such segment.

    """
    start = data.find(_SOC_SIZ)
    if start < 0 or len(data) < start + 48:
        raise PixelError("the frame is no JPEG 2000 codestream")
    x1, y1, x0, y0 = struct.unpack_from(">4I", data, start + 8)
    (components,) = struct.unpack_from(">H", data, start + 40)
    parts = [data[start + 42 + 3 * i : start + 45 + 3 * i] for i in range(min(components, 4))]
    if x1 <= x0 or y1 <= y0 or not parts or not all(len(part) == 3 and part[1] and part[2] for part in parts):
        raise PixelError("the JPEG 2000 codestream declares an empty image")
    return Codestream(
        rows=-(-y1 // parts[0][2]) - -(-y0 // parts[0][2]),
        columns=-(-x1 // parts[0][1]) - -(-x0 // parts[0][1]),
        components=components,
        precision=(parts[0][0] & 0x7F) + 1,
        signed=bool(parts[0][0] & 0x80),
        levels=_decomposition_levels(data, start + 2),
        subsampled=len({part[1:] for part in parts}) > 1,
        start=start,
    )


def end_of_jpeg2000(data: bytes) -> int | None:
    """Return where the last tile-part of a bare JPEG 2000 codestream ends, by the lengths that they state (A.4.2).

    ``None`` when they are not all there.

    Parameters
    ----------
    data
        From its SOC marker on. Where it makes no sense, that is for a decoder to say.

    """
    x1, y1, _, _, width, height, left, top = struct.unpack_from(">8I", data, 8)
    tiles = max(1, -(-(x1 - left) // max(width, 1))) * max(1, -(-(y1 - top) // max(height, 1)))
    offset, seen = 2, set()
    while data[offset : offset + 1] == b"\xff" and data[offset + 1 : offset + 2] != b"\x90" and offset + 4 <= len(data):
        offset += 2 + int.from_bytes(data[offset + 2 : offset + 4], "big")
    while data[offset : offset + 2] == b"\xff\x90" and offset + 10 <= len(data):
        tile, length = struct.unpack_from(">HI", data, offset + 4)
        if length < _SHORTEST_TILE_PART:
            # Up to the end of the codestream, which only its marker shows.
            end = data.rfind(_END_OF_CODESTREAM, max(offset, len(data) - _TAIL))
            return end if end >= 0 else None
        seen.add(tile)
        offset += length
    return offset if offset <= len(data) and len(seen) >= tiles else None


def _decomposition_levels(data: bytes, offset: int) -> int:
    """Return the fewest decomposition levels of the main header's COD and COC segments."""
    levels = []
    while offset < len(data) - 12 and data[offset] == 0xFF and data[offset + 1] != 0x90:
        marker = data[offset + 1]
        (length,) = struct.unpack_from(">H", data, offset + 2)
        if marker == 0x52:
            levels.append(data[offset + 9])
        if marker == 0x53:
            levels.append(data[offset + 6])
        offset += 2 + length
    return min(levels, default=0)

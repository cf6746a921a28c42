"""Digests by which files are told to hold the same image, or the same header, without decoding anything.

What is stored is what is compared: two files have one pixel digest where their samples are encoded alike and are to be
understood alike (Image Pixel Module, PS3.3 C.7.6.3). How native samples are wrapped makes no difference: byte order,
implicit or explicit VR, deflated or not, padding. Neither does how a compressed frame is cut into fragments, or whether
an offset table tells where frames begin. A copy that was compressed anew, even without loss, has another digest.
"""

import hashlib
import struct
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import orjson

from dicom_assets.dicom.header import Element, Header, JsonDataset, PixelElement, values
from dicom_assets.dicom.pixels.attributes import words
from dicom_assets.dicom.pixels.errors import CutError, NoPixelDataError, PixelError, TooLargeError
from dicom_assets.dicom.pixels.layout import PixelLayout, read_layout
from dicom_assets.dicom.pixels.native import swapped
from dicom_assets.dicom.source import ByteSource

_BLOCK = 1 << 20
"""Bytes read at once; a multiple of every word length."""
_ITEM, _DELIMITER = 0xFFFEE000, 0xFFFEE0DD
_MOST_FRAGMENTS = 1 << 20
_PALETTES = ("00281101", "00281102", "00281103", "00281201", "00281202", "00281203")
"""Descriptors and data of the Red, Green and Blue Palette Color Lookup Tables (PS3.3 C.7.6.3.1.5, C.7.6.3.1.6)."""
_ENCODING = frozenset({"7FE00001", "7FE00002", "FFFCFFFC"})
"""Extended offset tables and trailing padding: they tell of the encoding, not of the object."""


def pixel_digest(header: Header) -> tuple[str, int]:
    """Return the digest of the pixel data of an object.

    The pixel data is read once, from its beginning to its end, a block at a time.

    Parameters
    ----------
    header
        Of the object; its ``body`` is read.

    Returns
    -------
    SHA-256 in hexadecimal, and how many bytes of pixel data it is of.

    Raises
    ------
    NoPixelDataError
        The object has no pixel data, or does not say how many rows and columns it has.
    CutError
        The pixel data is cut short.
    PixelError
        It cannot be followed, or its layout is none; subclasses name the reason.
    OSError
        The storage fails.

    """
    pixel, body = header.pixel, header.body
    if pixel is None or body is None:
        raise NoPixelDataError("the object has no pixel data")
    layout = read_layout(header)
    hasher, length = hashlib.sha256(_description(header, pixel, layout)), 0
    for part in _native(body, pixel, layout) if pixel.length is not None else _encapsulated(body, pixel):
        hasher.update(part)
        length += len(part)
    if not length:
        raise CutError("the pixel data is empty")
    return hasher.hexdigest(), length


def header_digest(header: Header) -> str:
    """Return the digest of a data set without its pixel data: SHA-256 in hexadecimal.

    File meta information, group lengths and what tells of the encoding alone are no part of it. Values that the header
    does not hold are read.

    Raises
    ------
    OSError
        The storage fails.

    """
    settled = orjson.dumps(_settled(header, header.dataset), option=orjson.OPT_SORT_KEYS)
    return hashlib.sha256(settled).hexdigest()


def _description(header: Header, pixel: PixelElement, layout: PixelLayout) -> bytes:
    """Return how the pixel data is to be understood, as text."""
    native = pixel.length is not None
    # The byte order of native samples is made one; planes are of samples that are more than one.
    alike = replace(layout, little_endian=True, words=False, planar=layout.planar and layout.samples > 1)
    told: dict[str, Any] = {name: getattr(alike, name) for name in PixelLayout.__slots__}
    told["encoding"] = "native" if native else header.transfer_syntax
    told["tag"] = pixel.tag
    if layout.photometric == "PALETTE COLOR":
        told["palette"] = [_palette(header, tag) for tag in _PALETTES]
    return orjson.dumps(told, option=orjson.OPT_SORT_KEYS) + b"\n"


def _palette(header: Header, tag: str) -> list[Any]:
    """Return the values of a palette's descriptor, or the entries of its data as they are stored."""
    element = header.dataset.get(tag)
    if element is None:
        return []
    return words(header, element, bits=16).tolist() if tag.startswith("002812") else values(header.dataset, tag)


def _native(body: ByteSource, pixel: PixelElement, layout: PixelLayout) -> Iterator[bytes]:
    """Yield native samples in little endian, without padding; raises :class:`CutError`."""
    bits = layout.frame_bits * layout.declared_frames
    wanted, unit = -(-bits // 8), _swapped_unit(layout)
    available = min(pixel.length or 0, max(0, body.size - pixel.offset))
    if available < wanted:
        raise CutError(f"the pixel data has {available} of {wanted} bytes")
    stored = min(available, -(-wanted // unit) * unit)
    left = wanted
    for start in range(0, stored, _BLOCK):
        asked = min(_BLOCK, stored - start)
        data = body.read(pixel.offset + start, asked)
        if len(data) < asked:
            raise CutError("the file ends in its pixel data")
        part = swapped(data, unit)[:left]
        left -= len(part)
        # Single bits need not end on a byte (PS3.5 8.1.1), and what is behind them is nobody's.
        yield part[:-1] + bytes([part[-1] & (1 << bits % 8) - 1]) if not left and bits % 8 else part


def _swapped_unit(layout: PixelLayout) -> int:
    """Return the length of the words whose bytes are to be swapped, 1 where none are."""
    if layout.words:
        return 2
    return layout.bits_allocated // 8 if not layout.little_endian and layout.bits_allocated in {16, 32, 64} else 1


def _encapsulated(body: ByteSource, pixel: PixelElement) -> Iterator[memoryview]:
    """Yield what the fragments hold, in their order (PS3.5 A.4).

    Raises
    ------
    CutError
        The file ends before the pixel data does.
    PixelError
        Something else stands where a fragment should.
    TooLargeError
        There are more than a million fragments.

    """
    stream = _Stream(body, pixel.offset)
    for number in range(_MOST_FRAGMENTS):
        group, element, length = struct.unpack("<HHI", b"".join(stream.pieces(8)))
        tag = group << 16 | element
        if tag == _DELIMITER:
            return
        if tag != _ITEM or length == 0xFFFFFFFF:
            raise PixelError(f"no fragment stands where fragment {number} should")
        for part in stream.pieces(length):
            if number:  # the first item is the Basic Offset Table
                yield part
    raise TooLargeError(f"more than {_MOST_FRAGMENTS} fragments")


class _Stream:
    """A source that is read from a position on, a block at a time, no byte twice."""

    def __init__(self, body: ByteSource, position: int) -> None:
        self._body = body
        self._position = position
        self._left = memoryview(b"")

    def pieces(self, length: int) -> Iterator[memoryview]:
        """Yield the next bytes, so many in all; raises :class:`CutError` where the file ends before."""
        while length:
            if not self._left:
                self._left = memoryview(self._body.read(self._position, _BLOCK))
                self._position += len(self._left)
                if not self._left:
                    raise CutError("the file ends in its pixel data")
            part, self._left = self._left[:length], self._left[length:]
            length -= len(part)
            yield part


def _settled(header: Header, dataset: JsonDataset) -> JsonDataset:
    """Return a data set with nothing in it that depends on where and how it is stored."""
    return {
        tag: _settled_element(header, element)
        for tag, element in dataset.items()
        if tag not in _ENCODING and not tag.endswith("0000")
    }


def _settled_element(header: Header, element: Element) -> Element:
    place = element.get("BulkData")
    if place is not None and header.body is not None:
        hasher = hashlib.sha256()
        end = place["offset"] + place["length"]
        for start in range(place["offset"], end, _BLOCK):
            hasher.update(header.body.read(start, min(_BLOCK, end - start)))
        return {"vr": element["vr"], "sha256": hasher.hexdigest()}
    if element["vr"] == "SQ":
        return {"vr": "SQ", "Value": [_settled(header, item) for item in element.get("Value", ())]}
    return element

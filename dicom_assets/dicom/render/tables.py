"""Lookup tables of a header: Modality LUT, VOI LUT, palettes (PS3.3 C.11, C.7.6.3.1.5, C.7.9)."""

import numpy as np
import numpy.typing as npt

from dicom_assets.dicom.header import Header, JsonDataset
from dicom_assets.dicom.pixels.attributes import numbers, words
from dicom_assets.dicom.pixels.errors import PixelError
from dicom_assets.dicom.render.colour import Palette
from dicom_assets.dicom.render.grey import LookupTable

_MAX_ENTRIES = 1 << 16
_DISCRETE, _LINEAR, _INDIRECT = 0, 1, 2


def read_lookup_table(header: Header, item: JsonDataset, *, signed_input: bool) -> LookupTable | None:
    """Return the table of a Modality LUT or VOI LUT item, ``None`` when it is unusable.

    Parameters
    ----------
    header
        The header that the item stands in.
    item
        An item of Modality LUT Sequence or VOI LUT Sequence.
    signed_input
        Whether the second value of LUT Descriptor, the first input mapped, is signed.

    """
    descriptor = numbers(item, "00283002")
    if len(descriptor) < 3 or "00283006" not in item:
        return None
    count, first, bits = _descriptor(descriptor, signed_input=signed_input)
    entries = _entries(header, item, "00283006", count, bits)
    if not entries.size:
        return None
    # LUT Descriptor often says 16 of a table that ends at 4095, and sometimes 8 of one that goes beyond 255.
    used = int(entries.max()).bit_length()
    return LookupTable(first, entries, used if used > bits or used <= bits - 2 else bits)


def has_palette(header: Header) -> bool:
    """Tell whether a header has the three descriptors of a palette."""
    return all(len(numbers(header.dataset, f"0028110{channel}")) >= 3 for channel in "123")


def read_palette(header: Header) -> Palette:
    """Return the palette of a PALETTE COLOR image.

    Parameters
    ----------
    header
        One that :func:`has_palette`.

    Raises
    ------
    PixelError
        When one of the three tables is missing or broken.
    OSError
        When the storage fails.

    """
    channels = []
    first = 0
    for channel in "123":
        descriptor = numbers(header.dataset, f"0028110{channel}")
        count, first, bits = _descriptor(descriptor, signed_input=False)
        segmented = f"0028122{channel}"
        if segmented in header.dataset:
            element = words(header, header.dataset[segmented], bits=bits)
            entries = expand_segments(element, count)
        else:
            entries = _entries(header, header.dataset, f"0028120{channel}", count, bits)
        if not entries.size:
            raise PixelError("the palette has no entries")
        # Entries of 8 bits in 16-bit tables are as common as the standard's full range.
        wide = int(entries.max()) > 0xFF
        channels.append((entries >> 8 if wide else entries).astype(np.uint8))
    length = min(len(channel) for channel in channels)
    return Palette(first, np.stack([channel[:length] for channel in channels], axis=1))


def _descriptor(descriptor: list[float], *, signed_input: bool) -> tuple[int, int, int]:
    """Return count, first input and bits; a count of 0 stands for 65,536 (PS3.3 C.11.1.1)."""
    count = int(descriptor[0]) & 0xFFFF or _MAX_ENTRIES
    first = int(descriptor[1])
    if signed_input and first > 0x7FFF:
        first -= 0x10000
    return count, first, int(descriptor[2])


def _entries(header: Header, dataset: JsonDataset, tag: str, count: int, bits: int) -> npt.NDArray[np.uint16]:
    """Return at most `count` entries; 8-bit ones may be packed as bytes or stand in words of their own."""
    element = dataset.get(tag, {})
    entries = words(header, element, bits=16)
    if bits <= 8 and not element.get("Value") and entries.size < count:
        entries = words(header, element, bits=8)
    return entries[:count]


def expand_segments(segments: npt.NDArray[np.uint16], count: int) -> npt.NDArray[np.uint16]:
    """Return the entries of a Segmented Palette Color Lookup Table (PS3.3 C.7.9.2).

    Parameters
    ----------
    segments
        Segments one after another: an operation code, a length, and what the operation needs.
    count
        Entries that the descriptor announces; more than those are not made.

    Raises
    ------
    PixelError
        When a segment breaks off or its operation is unknown.

    """
    expansion = _Expansion(segments.tolist(), count)
    expansion.run(0)
    return np.array(expansion.entries[:count], np.uint16)


class _Expansion:
    """The entries that segments have made so far, within a budget of steps: segments can call for one another."""

    def __init__(self, segments: list[int], count: int) -> None:
        self.entries: list[int] = []
        self._segments = segments
        self._count = count
        self._budget = _MAX_ENTRIES

    def run(self, position: int, most: int | None = None) -> None:
        """Expand at most so many segments from a position on; with a limit, as part of an indirect one."""
        nested, segments = most is not None, self._segments
        while position + 1 < len(segments) and len(self.entries) < self._count and most != 0:
            code, length = segments[position], segments[position + 1]
            position, most, self._budget = position + 2, None if most is None else most - 1, self._budget - 1
            if code == _DISCRETE and self._budget:
                self.entries.extend(segments[position : position + length])
                position += length
            elif code == _LINEAR and self._budget and position < len(segments):
                self._interpolate(segments[position], length)
                position += 1
            elif code == _INDIRECT and self._budget and not nested and position + 1 < len(segments):
                self.run(segments[position] + (segments[position + 1] << 16), most=length)
                position += 2
            else:
                raise PixelError("the segmented palette is broken")

    def _interpolate(self, end: int, length: int) -> None:
        start = self.entries[-1] if self.entries else 0
        self.entries.extend(round(start + (end - start) * step / length) for step in range(1, length + 1))

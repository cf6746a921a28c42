"""The Image Pixel Module as one value: how samples lie in a frame (PS3.3 C.7.6.3, PS3.5 8)."""

from dataclasses import dataclass

from dicom_assets.dicom.header import Header
from dicom_assets.dicom.pixels.attributes import integer, text
from dicom_assets.dicom.pixels.errors import NoPixelDataError, UnsupportedPixelsError
from dicom_assets.dicom.uids import PrivateGEImplicitVRBigEndian

FLOAT_BITS = {"7FE00008": 32, "7FE00009": 64}
"""Bits of Float Pixel Data and Double Float Pixel Data (PS3.3 C.7.6.24, C.7.6.25)."""


@dataclass(frozen=True, slots=True)
class PixelLayout:
    """How the samples of one frame lie in memory.

    Attributes
    ----------
    rows, columns
        Of a frame, in pixels.
    samples
        Per pixel: 1, or 3 for colour.
    photometric
        Photometric Interpretation, such as ``MONOCHROME2``.
    bits_allocated, bits_stored, high_bit
        Of a sample; the high bit counts from 0.
    signed
        Whether stored values are two's complement.
    planar
        Whether samples lie plane by plane rather than pixel by pixel (Planar Configuration).
    floating
        Whether samples are IEEE 754 numbers.
    little_endian
        Byte order of words in native frames.
    words
        Whether native bytes are swapped as words, as 8-bit samples in OW of a big endian file are.
    declared_frames
        Number of Frames, at least 1.

    """

    rows: int
    columns: int
    samples: int = 1
    photometric: str = "MONOCHROME2"
    bits_allocated: int = 8
    bits_stored: int = 8
    high_bit: int = 7
    signed: bool = False
    planar: bool = False
    floating: bool = False
    little_endian: bool = True
    words: bool = False
    declared_frames: int = 1

    @property
    def pixels(self) -> int:
        """Pixels in a frame."""
        return self.rows * self.columns

    @property
    def frame_bits(self) -> int:
        """Length of a native frame in bits; frames of one-bit samples need not end on a byte (PS3.5 8.1.1)."""
        if self.photometric == "YBR_FULL_422" and self.samples == 3:
            # Two pixels share one pair of colour differences, and a row is of even length (C.7.6.3.1.2).
            return self.rows * (self.columns + self.columns % 2) * 2 * self.bits_allocated
        return self.pixels * self.samples * self.bits_allocated


def read_layout(header: Header) -> PixelLayout:
    """Return how the pixels of a header's image lie in memory.

    Attributes that are missing or beyond their range take the value that makes the others true, since archives
    hold images whose pixels are sound and whose Bits Stored is not.

    Raises
    ------
    NoPixelDataError
        When Rows or Columns are absent or 0.
    UnsupportedPixelsError
        When samples are wider than 64 bits, or neither one nor three make a pixel.

    """
    dataset = header.dataset
    rows, columns = integer(dataset, "00280010", 0), integer(dataset, "00280011", 0)
    if rows < 1 or columns < 1:
        raise NoPixelDataError("Rows or Columns are missing")
    samples = integer(dataset, "00280002", 1)
    if samples not in {1, 3}:
        raise UnsupportedPixelsError(f"{samples} samples per pixel")
    tag = header.pixel.tag if header.pixel else "7FE00010"
    allocated = FLOAT_BITS.get(tag) or integer(dataset, "00280100", 8)
    if not 1 <= allocated <= 64:
        raise UnsupportedPixelsError(f"{allocated} bits allocated")
    stored = integer(dataset, "00280101", allocated)
    stored = stored if 1 <= stored <= allocated else allocated
    high = integer(dataset, "00280102", stored - 1)
    return PixelLayout(
        rows=rows,
        columns=columns,
        samples=samples,
        photometric=text(dataset, "00280004").upper() or ("MONOCHROME2" if samples == 1 else "RGB"),
        bits_allocated=allocated,
        bits_stored=stored,
        high_bit=high if stored - 1 <= high < allocated else stored - 1,
        signed=integer(dataset, "00280103", 0) == 1,
        planar=integer(dataset, "00280006", 0) == 1,
        floating=tag in FLOAT_BITS,
        little_endian=header.little_endian and header.transfer_syntax != PrivateGEImplicitVRBigEndian,
        words=not header.little_endian and allocated <= 8 and header.pixel is not None and header.pixel.vr == "OW",
        declared_frames=max(1, integer(dataset, "00280008", 1)),
    )

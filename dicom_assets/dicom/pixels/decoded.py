"""What goes into a decoder and what comes out of it."""

from dataclasses import dataclass

from dicom_assets.dicom.pixels.codestream import Codestream
from dicom_assets.dicom.pixels.errors import PixelError, TooLargeError
from dicom_assets.dicom.pixels.layout import PixelLayout
from dicom_assets.dicom.pixels.native import Samples, sign_extend


@dataclass(frozen=True, slots=True)
class Request:
    """One frame to decode.

    Attributes
    ----------
    layout
        What the header says of the frame.
    enough
        Rows and columns that the frame will be shown at, so that it may be decoded at a reduced resolution. ``None``
        asks for every pixel.
    step
        Difference of stored values that does not show, so that a frame of reduced resolution may be decoded at a
        reduced precision, too. 0 asks for every bit.
    max_pixels
        More than that a codestream must not declare.
    cut
        Whether the file ends inside the frame.
    first_bit
        Where in the first byte a native frame begins.

    """

    layout: PixelLayout
    enough: tuple[float, float] | None = None
    step: float = 0.0
    max_pixels: int = 1 << 28
    cut: bool = False
    first_bit: int = 0

    def check(self, stream: Codestream) -> None:
        """Refuse a codestream that declares too many pixels, before memory is asked for.

        Raises
        ------
        TooLargeError
            When it does.

        """
        if stream.rows * stream.columns > self.max_pixels:
            raise TooLargeError(
                f"the codestream declares {stream.columns} x {stream.rows} pixels, the limit is {self.max_pixels}"
            )

    def halvings(self, rows: int, columns: int, most: int, *, share: float = 1.0) -> int:
        """Return how often a picture can be halved and still be large enough.

        Parameters
        ----------
        rows, columns
            Of the full picture.
        most
            How often the decoder can halve it.
        share
            Of the sides in `enough` that suffices.

        """
        count = 0
        if self.enough is not None:
            height, width = self.enough[0] * share, self.enough[1] * share
            while count < most and rows / 2 ** (count + 1) >= height and columns / 2 ** (count + 1) >= width:
                count += 1
        return count


@dataclass(frozen=True, slots=True)
class Extent:
    """Where a picture lies in samples of a reduced resolution.

    Attributes
    ----------
    rows, columns
        How many samples the picture covers. Of a reduced one the last row and column cover less than others.
    shift
        How far down and to the right the picture begins: a wavelet's coarse samples stand on the first pixel of
        those they stand for, not amid them.

    """

    rows: float
    columns: float
    shift: float = 0.0


@dataclass(frozen=True, slots=True)
class Decoded:
    """A decoded frame.

    Attributes
    ----------
    samples
        Shape ``(rows, columns)`` or ``(rows, columns, samples)``: stored values, sign applied. Rows and columns
        are those of the frame divided by a power of two where a reduced resolution was allowed.
    bits
        Of a sample: the range that colour is scaled from.
    rgb
        Whether the decoder has turned colour into RGB, whatever Photometric Interpretation says.
    extent
        Where the picture lies in its samples, when not right within them.
    index
        Of the frame among those that were given, from 0; other than 0 for video only.
    known_rows
        Rows from the top that are there, where the frame ends early; ``None`` where it does not. It may be all of
        them where a reduced resolution was allowed. What the samples of other rows are means nothing.
    rough
        Whether bits were left out that the request said do not show.

    """

    samples: Samples
    bits: int
    rgb: bool = False
    extent: Extent | None = None
    index: int = 0
    known_rows: int | None = None
    rough: bool = False

    def plane(self) -> Samples:
        """Return the samples of a frame that has one per pixel, shape ``(rows, columns)``.

        Raises
        ------
        PixelError
            When it has more.

        """
        if self.samples.ndim != 2:
            raise PixelError(f"the decoded frame has shape {self.samples.shape}, one sample per pixel was expected")
        return self.samples


def coded_values(samples: Samples, precision: int, layout: PixelLayout) -> tuple[Samples, int]:
    """Return the stored values of a codestream of unsigned samples, and how many bits they have.

    Where codestream and header disagree, the codestream's own precision counts (PS3.5 8.2.1, 8.2.3, 8.2.4): a value
    beyond Bits Stored is a value, for overlays in unused bits must not be encoded. Of the sign such a codestream
    knows nothing, so Pixel Representation tells, from the highest bit of what was encoded: Bits Stored of them when
    no sample needs more, else all.

    Parameters
    ----------
    samples
        As decoded, unsigned.
    precision
        Bits of a sample by the codestream.
    layout
        What the header says.

    """
    unused = layout.high_bit + 1 - layout.bits_stored
    if unused > 0 and precision > layout.high_bit:
        # Whole words were encoded, and the value stands at their upper end.
        samples, precision = samples >> unused, precision - unused
    bits = min(precision, layout.bits_stored)
    if bits < precision and int(samples.max(initial=0)) >> bits:
        bits = precision
    return (sign_extend(samples, bits) if layout.signed else samples), bits

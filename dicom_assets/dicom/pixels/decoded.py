"""What goes into a decoder and what comes out of it."""

from dataclasses import dataclass

from dicom_assets.dicom.pixels.codestream import Codestream
from dicom_assets.dicom.pixels.errors import TooLargeError
from dicom_assets.dicom.pixels.layout import PixelLayout
from dicom_assets.dicom.pixels.native import Samples


@dataclass(frozen=True, slots=True)
class Request:
    """One frame to decode.

    Attributes
    ----------
    layout
        What the header says of the frame.
    enough
        A resolution at or above which the result may be reduced: neither of the returned picture's sides may be
        smaller than that of `enough` rows and columns. ``None`` asks for every pixel.
    max_pixels
        More than that a codestream must not declare.

    """

    layout: PixelLayout
    enough: tuple[int, int] | None = None
    max_pixels: int = 1 << 28

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

    def halvings(self, rows: int, columns: int, most: int) -> int:
        """Return how often a picture can be halved, at most `most` times, and still be large enough."""
        count = 0
        if self.enough is not None:
            while (
                count < most
                and rows >> (count + 1) >= self.enough[0]
                and columns >> (count + 1) >= self.enough[1]
            ):
                count += 1
        return count


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
    shift
        How far down and to the right the picture lies in its samples, as a share of one: a wavelet's coarse
        samples stand on the first pixel of those they stand for, not amid them.

    """

    samples: Samples
    bits: int
    rgb: bool = False
    shift: float = 0.0

"""JPEG 2000 and High-Throughput JPEG 2000 (PS3.5 8.2.4, 8.2.14), decoded at the resolution that is enough.

The wavelet stores an image as a pyramid, and most of the work lies in the finest level: leaving out two levels of
a radiograph saves nine tenths of the time. Pillow's OpenJPEG can leave them out, imagecodecs' cannot. Of the levels
that are left, bits finer than what shows are left out too (:mod:`~dicom_assets.dicom.pixels.jpeg2000_reduction`).
"""

import contextlib
import io
from collections.abc import Callable
from dataclasses import replace

import numpy as np
from PIL import ImageFile

from dicom_assets.dicom.pixels.codestream import Codestream, end_of_jpeg2000, read_jpeg2000
from dicom_assets.dicom.pixels.decoded import Decoded, Extent, Request, coded_values
from dicom_assets.dicom.pixels.errors import CutError
from dicom_assets.dicom.pixels.jpeg2000_reduction import reduce_codestream
from dicom_assets.dicom.pixels.layout import PixelLayout
from dicom_assets.dicom.pixels.native import Samples
from dicom_assets.dicom.pixels.truncated_frames import ENDS_EARLY, ends_early

_ENOUGH = 0.85
"""Share of the thumbnail's sides that a level must have. The last step up is interpolated, which no one sees, and
saves two thirds of the time of a radiograph: structural similarity to the full decoding stays above 0.95."""


class _ReducedCodestream(ImageFile.ImageFile):
    """A codestream as Pillow opens it, at a size that we know better.

    Pillow's own plugin rounds the size of a reduced image to the nearest pixel where the standard rounds up
    (ISO 15444-1 B.5), and then calls three of four odd sizes a broken stream.
    """

    format = "JPEG2000"

    def __init__(self, data: bytes, stream: Codestream, reduce: int) -> None:
        self._stream = stream
        self._reduce = reduce
        self._length = len(data)
        super().__init__(io.BytesIO(data))

    def _open(self) -> None:
        power = 1 << self._reduce
        self._size = (-(-self._stream.columns // power), -(-self._stream.rows // power))
        self._mode = "RGB" if self._stream.components == 3 else "I;16" if self._stream.precision > 8 else "L"
        self.tile = [
            ImageFile._Tile("jpeg2k", (0, 0, *self._size), 0, ("j2k", self._reduce, 0, -1, self._length))  # noqa: SLF001
        ]


def decode_jpeg2000(data: bytes, request: Request) -> Decoded:
    """Decode a frame of JPEG 2000, reduced where that is allowed.

    Parameters
    ----------
    data
        A codestream, bare or in a JP2 file.
    request
        What is known of the frame.

    Raises
    ------
    PixelError
        When it is no JPEG 2000 codestream.

    """
    import imagecodecs

    return _decode(data, request, imagecodecs.jpeg2k_decode)


def decode_htj2k(data: bytes, request: Request) -> Decoded:
    """Decode a frame of High-Throughput JPEG 2000, reduced where that is allowed.

    OpenJPH lets the overshoot of a reduced image wrap around; OpenJPEG clamps it, so that is the one that reduces.

    Parameters
    ----------
    data
        A codestream, bare or in a JPH file.
    request
        What is known of the frame.

    Raises
    ------
    PixelError
        When it is no JPEG 2000 codestream.

    """
    import imagecodecs

    return _decode(data, request, imagecodecs.htj2k_decode)


def _decode(data: bytes, request: Request, decode_fully: Callable[[bytes], Samples]) -> Decoded:
    import imagecodecs

    stream = read_jpeg2000(data)
    request.check(stream)
    data = data[stream.start :] if stream.start else data
    reduce = _possible_reduction(stream, request)
    end = end_of_jpeg2000(data)
    whole = end is not None
    if whole and ends_early(data):
        data = data[:end] + b"\xff\xd9"
    if reduce:
        smaller = reduce_codestream(data, reduce, request.step or 1.0) if request.step or not whole else None
        if not whole and smaller is None:
            raise CutError(ENDS_EARLY)
        # What is declined here, such as an image that does not begin at the origin, is decoded in full.
        with contextlib.suppress(OSError, imagecodecs.Jpeg2kError):
            # A reduced codestream is never of high throughput, whatever the transfer syntax says.
            samples = imagecodecs.jpeg2k_decode(smaller) if smaller else _with_pillow(data, stream, reduce)
            decoded = _finish(samples, stream, request.layout, reduce)
            known_rows = None if whole else decoded.samples.shape[0]
            return replace(decoded, rough=smaller is not None, known_rows=known_rows)
    if not whole:
        # A wavelet has no rows: what is missing is missing everywhere, and decoders guess it.
        raise CutError(ENDS_EARLY)
    return _finish(decode_fully(data), stream, request.layout, 0)


def _possible_reduction(stream: Codestream, request: Request) -> int:
    """Return how many resolution levels may be left out and can be.

    None when values of one sign were encoded as those of the other: the step between -1 and 0 is then one of full
    range, and a mean across it means nothing.
    """
    if (request.layout.signed and not stream.signed) or _is_wrapped(stream, request.layout):
        return 0
    if stream.subsampled or stream.components not in {1, 3} or stream.precision > 16:
        return 0
    if stream.components == 3 and stream.precision > 8:
        return 0
    return request.halvings(stream.rows, stream.columns, stream.levels, share=_ENOUGH)


def _with_pillow(data: bytes, stream: Codestream, reduce: int) -> Samples:
    """Return samples at a reduced resolution, moved back to where Pillow took them from.

    Pillow fills its 8 or 16 bits: ``(value + bias) << (width - precision)``, with a bias for signed samples.
    """
    with _ReducedCodestream(data, stream, reduce) as picture:
        raw = np.array(picture)
    width = raw.dtype.itemsize * 8
    values: Samples = raw >> (width - stream.precision)
    if stream.signed:
        values = values.astype(np.int32) - (1 << (stream.precision - 1))
    return values


def _is_wrapped(stream: Codestream, layout: PixelLayout) -> bool:
    """Tell whether signed samples stand for unsigned values.

    Colours and palette indices have no sign (PS3.3 C.7.6.3.1.2), so a codestream that gives them one holds their
    words. Grey values may have one, and then the codestream is right and not Pixel Representation (PS3.5 8.2.4).
    """
    return stream.signed and not layout.signed and (layout.samples > 1 or layout.photometric == "PALETTE COLOR")


def _finish(samples: Samples, stream: Codestream, layout: PixelLayout, reduce: int) -> Decoded:
    """Return samples as values, where codestream and header may disagree on sign and precision."""
    bits = stream.precision
    if not stream.signed:
        samples, bits = coded_values(samples, bits, layout)
    elif _is_wrapped(stream, layout):
        samples = samples.astype(np.int64) & ((1 << bits) - 1)
    # The codestream itself says whether it holds a colour transform, and OpenJPEG has undone it.
    rgb = layout.photometric in {"YBR_ICT", "YBR_RCT", "RGB"}
    scale = 0.5**reduce
    extent = Extent(stream.rows * scale, stream.columns * scale, shift=(1 - scale) / 2)
    return Decoded(samples, bits, rgb, extent if reduce else None)

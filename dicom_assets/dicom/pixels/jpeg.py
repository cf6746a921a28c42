"""JPEG, whatever its process (PS3.5 8.2.1).

The codestream's own frame marker says which process made it, and it counts: transfer syntaxes are mistaken for one
another, and many of them are retired. 8-bit frames go through Pillow's raw ``jpeg`` decoder, which takes the colour
space as an argument: no guess from markers or component numbers comes between Photometric Interpretation and the
result. It also scales by 1/2, 1/4 and 1/8 while it decodes. 12-bit and lossless frames go through imagecodecs, whose
libjpeg-turbo reads both. Either reads sequential and progressive frames, in Huffman and in arithmetic coding.
"""

import contextlib
from dataclasses import replace

import numpy as np

from dicom_assets.dicom.pixels.codestream import Codestream, read_jpeg
from dicom_assets.dicom.pixels.decoded import Decoded, Extent, Request, coded_values
from dicom_assets.dicom.pixels.errors import CutError, UnsupportedPixelsError
from dicom_assets.dicom.pixels.layout import PixelLayout
from dicom_assets.dicom.pixels.native import Samples
from dicom_assets.dicom.pixels.truncated_frames import ENDS_EARLY, components_in_scans, decode_continued, ends_early

_MAX_SCALE_EXPONENT = 3
_LOSSLESS = 0xC3
_UNSUPPORTED = dict.fromkeys((0xC5, 0xC6, 0xC7, 0xCD, 0xCE, 0xCF, 0xDE), "hierarchical") | {0xCB: "arithmetic lossless"}
"""Processes that no decoder at hand knows, by frame marker (ISO 10918-1 table B.1)."""


def decode_jpeg(data: bytes, request: Request) -> Decoded:
    """Decode a frame of JPEG, reduced where that is allowed.

    Parameters
    ----------
    data
        One JPEG codestream.
    request
        What is known of the frame.

    Raises
    ------
    UnsupportedPixelsError
        When it is of a process that no decoder knows.
    PixelError
        When it is no JPEG codestream.

    """
    stream = read_jpeg(data)
    request.check(stream)
    if stream.frame_marker in _UNSUPPORTED:
        raise UnsupportedPixelsError(f"no decoder for {_UNSUPPORTED[stream.frame_marker]} JPEG")
    if stream.frame_marker == _LOSSLESS:
        # Its samples are what Photometric Interpretation says, untransformed, whatever markers say of lossy ones.
        return _decode_as_far_as_it_goes(data, stream, request)
    transformed = stream.components == 3 and _is_ycbcr(stream, request.layout)
    if stream.precision == 8 and stream.components in {1, 3} and not request.cut:
        # What Pillow declines, such as a frame that ends early, goes to a decoder that takes what there is.
        with contextlib.suppress(ValueError, OSError):
            return _decode_with_pillow(data, stream, request, transformed=transformed)
    return _decode_as_far_as_it_goes(data, stream, request, transformed=transformed)


def _decode_with_pillow(data: bytes, stream: Codestream, request: Request, *, transformed: bool) -> Decoded:
    from PIL import Image

    exponent = request.halvings(stream.rows, stream.columns, _MAX_SCALE_EXPONENT)
    scale = 1 << exponent
    size = (-(-stream.columns // scale), -(-stream.rows // scale))
    mode = "L" if stream.components == 1 else "RGB"
    space = "L" if stream.components == 1 else "YCbCr" if transformed else "RGB"
    picture = Image.frombytes(mode, size, data, "jpeg", mode, space, scale, int(scale > 1))
    extent = Extent(stream.rows / scale, stream.columns / scale) if scale > 1 else None
    return Decoded(np.asarray(picture), 8, transformed, extent)


def _is_ycbcr(stream: Codestream, layout: PixelLayout) -> bool:
    """Tell whether components are luminance and colour differences.

    Photometric Interpretation says so (PS3.5 8.2.1). Only a statement of the encoder itself speaks against it: the
    transform flag of an Adobe APP14 segment, a JFIF segment, whose colour is YCbCr by definition (ISO 10918-5), or
    subsampled colour, which RGB never has.
    """
    if stream.adobe_transform is not None:
        return stream.adobe_transform == 1
    return stream.jfif or stream.subsampled or layout.photometric.startswith("YBR")


def _decode_as_far_as_it_goes(
    data: bytes, stream: Codestream, request: Request, *, transformed: bool = False
) -> Decoded:
    """Decode in full; of a codestream without its end, say how many rows are there."""
    whole = _decode_with_imagecodecs
    if not (request.cut or ends_early(data)):
        return whole(data, stream, request.layout, transformed=transformed)
    if components_in_scans(data) < stream.components:
        raise CutError(ENDS_EARLY)
    decoded: list[Decoded] = []

    def decode(continued: bytes) -> Samples:
        decoded.append(whole(continued, stream, request.layout, transformed=transformed))
        return decoded[-1].samples

    _, known_rows = decode_continued(data, decode)
    return replace(decoded[0], known_rows=known_rows)


def _decode_with_imagecodecs(
    data: bytes, stream: Codestream, layout: PixelLayout, *, transformed: bool = False
) -> Decoded:
    import imagecodecs

    # Both spaces are stated, so that libjpeg does not convert by a guess of its own.
    space = {1: "GRAYSCALE", 3: "RGB", 4: "CMYK"}.get(stream.components, "UNKNOWN")
    try:
        samples: Samples = imagecodecs.jpeg8_decode(
            data, colorspace="YCBCR" if transformed else space, outcolorspace=space
        )
    except imagecodecs.Jpeg8Error:
        samples = imagecodecs.ljpeg_decode(data)
        if samples.size == 0:
            raise
    return Decoded(*coded_values(samples, stream.precision, layout), rgb=transformed)

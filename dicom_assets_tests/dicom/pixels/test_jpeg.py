"""JPEG whose transfer syntax, markers and Photometric Interpretation do not say the same."""

import base64
import io

import imagecodecs
import numpy as np
import pytest
from PIL import Image

from dicom_assets.dicom.pixels.decoded import Request
from dicom_assets.dicom.pixels.decoders import decode_frame
from dicom_assets.dicom.pixels.errors import UnsupportedPixelsError
from dicom_assets.dicom.pixels.layout import PixelLayout
from dicom_assets.dicom.status import ThumbnailStatus
from dicom_assets_tests.support.dicom.images import encapsulated, image, thumbnail_of

BASELINE, LOSSLESS = "1.2.840.10008.1.2.4.50", "1.2.840.10008.1.2.4.70"
RETIRED = [f"1.2.840.10008.1.2.4.{number}" for number in (*range(52, 57), *range(58, 67))]
GREY = (np.add.outer(np.arange(16), np.arange(24)) * 6).astype(np.uint8)
RGB = np.stack([GREY, GREY[::-1], GREY[:, ::-1]], axis=2)
ARITHMETIC = {
    "sequential": "/9j/4AAQSkZJRgABAQAAAQABAAD/2wBDAAIBAQEBAQIBAQECAgICAgQDAgICAgUEBAMEBgUGBgYFBgYGBwkIBgcJBwYG"
    "CAsICQoKCgoKBggLDAsKDAkKCgr/yQALCAAQABgBAREA/8wABgAQEAX/2gAIAQEAAD8A/wDu6T4l9HqolQzAVcaU+ASm"
    "+CFcwKkNKi7dbGYJ7LRqng+vnSP+jPXqGyPW/9k=",
    "progressive": "/9j/4AAQSkZJRgABAQAAAQABAAD/2wBDAAIBAQEBAQIBAQECAgICAgQDAgICAgUEBAMEBgUGBgYFBgYGBwkIBgcJBwYG"
    "CAsICQoKCgoKBggLDAsKDAkKCgr/ygALCAAQABgBAREA/8wABAAQ/9oACAEBAAAAAf8A3csO1223ff/MAAQQBf/aAAgB"
    "AQABBQIWYVzgok6J0TgcGboy/8wABBAF/9oACAEBAAY/Agrwks+W+4D/zAAEEAX/2gAIAQEAAT8hUhwdtlgHav/aAAgB"
    "AQAAABBQ/8wABBAF/9oACAEBAAE/ENNNvH71/wBQ/9k=",
}
"""`GREY` in arithmetic coding, which no encoder for Python writes: made by libjpeg's cjpeg at quality 95."""


def progressive(array: np.ndarray) -> bytes:
    out = io.BytesIO()
    Image.fromarray(array).save(out, "JPEG", progressive=True, quality=95)
    return out.getvalue()


STREAMS = {
    "baseline": (imagecodecs.jpeg8_encode(GREY, level=95), 0xC0),
    "progressive": (progressive(GREY), 0xC2),
    "lossless": (imagecodecs.jpeg8_encode(GREY, lossless=True, predictor=4), 0xC3),
    "arithmetic": (base64.b64decode(ARITHMETIC["sequential"]), 0xC9),
    "arithmetic progressive": (base64.b64decode(ARITHMETIC["progressive"]), 0xCA),
}


def layout_of(array: np.ndarray, photometric: str = "MONOCHROME2") -> PixelLayout:
    return PixelLayout(*array.shape[:2], 3 if array.ndim == 3 else 1, photometric)


@pytest.mark.parametrize("syntax", [BASELINE, LOSSLESS, *RETIRED])
@pytest.mark.parametrize("process", STREAMS)
def test_the_codestream_says_its_process_whatever_the_transfer_syntax(process, syntax):
    stream, marker = STREAMS[process]
    assert bytes([0xFF, marker]) in stream
    decoded = decode_frame(stream, syntax, Request(layout_of(GREY)))
    np.testing.assert_allclose(decoded.samples.astype(int), GREY, atol=4)


def test_twelve_bits_of_a_retired_syntax_are_decoded():
    array = GREY.astype(np.uint16) * 16
    stream = imagecodecs.jpeg8_encode(array, level=95, bitspersample=12)
    layout = PixelLayout(*array.shape, bits_allocated=16, bits_stored=12, high_bit=11)
    decoded = decode_frame(stream, "1.2.840.10008.1.2.4.53", Request(layout))
    np.testing.assert_allclose(decoded.samples.astype(int), array, atol=64)


def test_a_file_of_a_retired_syntax_has_a_thumbnail():
    dataset = encapsulated(image(GREY), [progressive(GREY)], "1.2.840.10008.1.2.4.55")
    assert thumbnail_of(dataset).status is ThumbnailStatus.OK


@pytest.mark.parametrize(
    ("marker", "name"), [(0xC5, "hierarchical"), (0xCF, "hierarchical"), (0xCB, "arithmetic lossless")]
)
def test_a_process_that_no_decoder_knows_is_unsupported_and_named(marker, name):
    stream = STREAMS["baseline"][0].replace(b"\xff\xc0", bytes([0xFF, marker]), 1)
    with pytest.raises(UnsupportedPixelsError, match=f"no decoder for {name} JPEG"):
        decode_frame(stream, "1.2.840.10008.1.2.4.59", Request(layout_of(GREY)))


def test_a_hierarchical_codestream_is_not_taken_for_its_first_frame():
    stream = STREAMS["baseline"][0]
    frame = stream.index(b"\xff\xc0")
    segment = stream[frame : frame + 2 + int.from_bytes(stream[frame + 2 : frame + 4], "big")]
    hierarchical = stream[:frame] + b"\xff\xde" + segment[2:] + stream[frame:]
    with pytest.raises(UnsupportedPixelsError, match="hierarchical"):
        decode_frame(hierarchical, "1.2.840.10008.1.2.4.59", Request(layout_of(GREY)))


def with_segment(stream: bytes, marker: int, content: bytes) -> bytes:
    """Return a codestream without application segments but one."""
    kept, offset = [stream[:2]], 2
    while stream[offset + 1] != 0xDA:
        length = int.from_bytes(stream[offset + 2 : offset + 4], "big")
        if not 0xE0 <= stream[offset + 1] <= 0xEF:
            kept.append(stream[offset : offset + 2 + length])
        offset += 2 + length
    segment = bytes([0xFF, marker]) + (len(content) + 2).to_bytes(2, "big") + content
    return b"".join([kept[0], segment, *kept[1:], stream[offset:]])


JFIF = (0xE0, b"JFIF\0\1\2\0\0\1\0\1\0\0")
OTHER = (0xE0, b"AVI1\0\1\2\0\0\1\0\1\0\0")


@pytest.mark.parametrize(("segment", "transformed"), [(JFIF, True), (OTHER, False)])
@pytest.mark.parametrize("syntax", [BASELINE, LOSSLESS])
def test_a_jfif_marker_says_ycbcr_under_rgb(segment, transformed, syntax):
    space = "YCBCR" if transformed else "RGB"
    stream = imagecodecs.jpeg8_encode(RGB, level=100, colorspace="RGB", outcolorspace=space, subsampling="444")
    decoded = decode_frame(with_segment(stream, *segment), syntax, Request(layout_of(RGB, "RGB")))
    np.testing.assert_allclose(decoded.samples.astype(int), RGB, atol=6)
    assert decoded.rgb is transformed


def test_the_transform_flag_of_adobe_goes_before_a_jfif_marker():
    stream = imagecodecs.jpeg8_encode(RGB, level=100, colorspace="RGB", outcolorspace="RGB", subsampling="444")
    stream = with_segment(stream, 0xEE, b"Adobe\0\x64\0\0\0\0\0")
    marker, content = JFIF
    both = stream[:2] + bytes([0xFF, marker]) + (len(content) + 2).to_bytes(2, "big") + content + stream[2:]
    decoded = decode_frame(both, BASELINE, Request(layout_of(RGB, "RGB")))
    np.testing.assert_allclose(decoded.samples.astype(int), RGB, atol=6)


def test_lossless_colour_is_what_photometric_interpretation_says_with_a_jfif_marker_too():
    stream = imagecodecs.jpeg8_encode(RGB, lossless=True, predictor=1)
    decoded = decode_frame(with_segment(stream, *JFIF), LOSSLESS, Request(layout_of(RGB, "RGB")))
    assert not decoded.rgb
    np.testing.assert_array_equal(decoded.samples, RGB)

"""Codestreams whose sign or precision is not that of Pixel Representation and Bits Stored (PS3.5 8.2.4)."""

import imagecodecs
import numpy as np
import pytest

from dicom_assets.dicom.pixels.decoded import Request
from dicom_assets.dicom.pixels.decoders import decode_frame
from dicom_assets.dicom.pixels.layout import PixelLayout
from dicom_assets.dicom.status import ThumbnailStatus
from dicom_assets_tests.support.dicom.images import encapsulated, image, thumbnail_of
from dicom_assets_tests.support.dicom.oracles import picture_of

JPEG_LOSSLESS, JPEG_LS = "1.2.840.10008.1.2.4.70", "1.2.840.10008.1.2.4.80"
JPEG_2000, HTJ2K, JPEG_XL = "1.2.840.10008.1.2.4.90", "1.2.840.10008.1.2.4.201", "1.2.840.10008.1.2.4.110"
ENCODERS = {
    JPEG_LOSSLESS: lambda array: imagecodecs.jpeg8_encode(array, lossless=True, predictor=1, bitspersample=16),
    JPEG_LS: imagecodecs.jpegls_encode,
    JPEG_2000: lambda array: imagecodecs.jpeg2k_encode(array, level=0, codecformat="j2k", mct=False),
    HTJ2K: lambda array: imagecodecs.htj2k_encode(array, reversible=True),
    JPEG_XL: lambda array: imagecodecs.jpegxl_encode(array, lossless=True),
}
EIGHT_BITS = ENCODERS | {JPEG_LOSSLESS: lambda array: imagecodecs.jpeg8_encode(array, lossless=True, predictor=1)}
WAVELETS = [JPEG_2000, HTJ2K]
RAMP = (np.add.outer(np.arange(64), np.arange(48)) * 36).astype(np.int16)
"""From 0 to 3,960."""


def layout_of(array: np.ndarray, *, stored: int = 16, high: int | None = None, signed: bool = False) -> PixelLayout:
    high_bit = stored - 1 if high is None else high
    return PixelLayout(*array.shape, bits_allocated=16, bits_stored=stored, high_bit=high_bit, signed=signed)


@pytest.mark.parametrize("syntax", WAVELETS)
@pytest.mark.parametrize("enough", [None, (8, 6)])
def test_a_signed_wavelet_under_unsigned_pixels_keeps_its_values(syntax, enough):
    values = RAMP - np.int16(1024)
    decoded = decode_frame(ENCODERS[syntax](values), syntax, Request(layout_of(values), enough))
    assert decoded.samples.min() < -900
    assert decoded.samples.max() < 3000
    if enough is None:
        np.testing.assert_array_equal(decoded.samples, values)


def test_air_of_a_signed_ct_under_unsigned_pixels_is_black():
    values = np.where(RAMP > 1000, 40, -1000).astype(np.int16)
    dataset = image(values.view(np.uint16), WindowCenter=40, WindowWidth=400)
    thumbnail = thumbnail_of(encapsulated(dataset, [ENCODERS[JPEG_2000](values)], JPEG_2000))
    assert thumbnail.status is ThumbnailStatus.OK
    assert picture_of(thumbnail)[0, 0] == 0
    assert 100 < picture_of(thumbnail)[63, 47] < 160


@pytest.mark.parametrize("syntax", WAVELETS)
def test_unsigned_words_of_signed_pixels_are_sign_extended(syntax):
    values = RAMP - np.int16(1024)
    decoded = decode_frame(ENCODERS[syntax](values.view(np.uint16)), syntax, Request(layout_of(values, signed=True)))
    np.testing.assert_array_equal(decoded.samples, values)


def test_colour_that_a_wavelet_calls_signed_is_read_as_words():
    plane = np.tile(np.arange(64, dtype=np.uint8) * 4, (64, 1))
    rgb = np.stack([plane, plane[:, ::-1], plane.T], axis=2)
    stream = ENCODERS[JPEG_2000](rgb.view(np.int8))
    layout = PixelLayout(64, 64, 3, "RGB")
    decoded = decode_frame(stream, JPEG_2000, Request(layout, (8, 8)))
    np.testing.assert_array_equal(decoded.samples, rgb)


@pytest.mark.parametrize("syntax", ENCODERS)
def test_values_beyond_bits_stored_are_values(syntax):
    values = RAMP.astype(np.uint16) * 3
    decoded = decode_frame(ENCODERS[syntax](values), syntax, Request(layout_of(values, stored=12)))
    np.testing.assert_array_equal(decoded.samples, values)


@pytest.mark.parametrize("syntax", ENCODERS)
def test_signed_words_wider_than_bits_stored_are_extended_from_where_they_end(syntax):
    values = RAMP - np.int16(2000)
    layout = layout_of(values, stored=12, signed=True)
    for words in (values.view(np.uint16), values.view(np.uint16) & np.uint16(0xFFF)):
        decoded = decode_frame(ENCODERS[syntax](words), syntax, Request(layout))
        np.testing.assert_array_equal(decoded.samples, values)


@pytest.mark.parametrize("syntax", ENCODERS)
def test_values_at_the_upper_end_of_words_are_moved_down(syntax):
    values = RAMP.astype(np.uint16)
    decoded = decode_frame(ENCODERS[syntax](values << 4), syntax, Request(layout_of(values, stored=12, high=15)))
    np.testing.assert_array_equal(decoded.samples, values)


@pytest.mark.parametrize("syntax", EIGHT_BITS)
def test_a_codestream_of_fewer_bits_than_the_high_bit_is_not_moved(syntax):
    values = (RAMP // 16).astype(np.uint8)
    decoded = decode_frame(EIGHT_BITS[syntax](values), syntax, Request(layout_of(values, stored=12, high=15)))
    np.testing.assert_array_equal(decoded.samples, values)


@pytest.mark.parametrize("syntax", [JPEG_LS, JPEG_2000])
def test_eight_bit_colour_in_wide_words_is_not_black(syntax):
    rgb = np.repeat((RAMP // 16).astype(np.uint16)[..., None], 3, axis=2)
    decoded = decode_frame(ENCODERS[syntax](rgb), syntax, Request(PixelLayout(64, 48, 3, "RGB")))
    assert decoded.bits == 8

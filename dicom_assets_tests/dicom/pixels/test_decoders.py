"""One image through every transfer syntax, and what decoders do with frames that are none."""

import zlib

import imagecodecs
import numpy as np
import pydicom.uid
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dicom_assets.dicom.pixels.codestream import read_jpeg, read_jpeg2000
from dicom_assets.dicom.pixels.decoded import Request
from dicom_assets.dicom.pixels.decoders import (
    CODECS,
    codec_for,
    decode_frame,
)
from dicom_assets.dicom.pixels.errors import PixelError, TooLargeError, UnsupportedPixelsError
from dicom_assets.dicom.pixels.layout import PixelLayout


def ramp(rows: int, columns: int, bits: int) -> np.ndarray:
    """Return a smooth image of all values of so many bits."""
    down, across = np.mgrid[0:rows, 0:columns]
    values = (down / rows + across / columns) / 2 * ((1 << bits) - 1)
    return values.astype(np.uint8 if bits <= 8 else np.uint16)


def rgb(rows: int, columns: int) -> np.ndarray:
    plane = ramp(rows, columns, 8)
    return np.stack([plane, plane[::-1], plane[:, ::-1]], axis=2)


def rle(array: np.ndarray) -> bytes:
    from pydicom.pixels.encoders import RLELosslessEncoder

    rows, columns = array.shape[:2]
    samples = array.shape[2] if array.ndim == 3 else 1
    bits = array.dtype.itemsize * 8
    return RLELosslessEncoder.encode(
        array,
        rows=rows,
        columns=columns,
        samples_per_pixel=samples,
        bits_allocated=bits,
        bits_stored=bits,
        pixel_representation=0,
        photometric_interpretation="RGB" if samples == 3 else "MONOCHROME2",
        number_of_frames=1,
        planar_configuration=0,
    )


def deflated(array: np.ndarray) -> bytes:
    packer = zlib.compressobj(wbits=-15)
    return packer.compress(array.tobytes()) + packer.flush()


def jpeg_lossless(array: np.ndarray) -> bytes:
    return imagecodecs.jpeg8_encode(array, lossless=True, predictor=1, bitspersample=array.dtype.itemsize * 8)


def jpeg2000(array: np.ndarray) -> bytes:
    return imagecodecs.jpeg2k_encode(array, level=0, codecformat="j2k", mct=False, resolutions=4)


def htj2k(array: np.ndarray) -> bytes:
    return imagecodecs.htj2k_encode(array, reversible=True)


LOSSLESS_ENCODERS = {
    "1.2.840.10008.1.2.4.57": jpeg_lossless,
    "1.2.840.10008.1.2.4.70": jpeg_lossless,
    "1.2.840.10008.1.2.4.80": imagecodecs.jpegls_encode,
    "1.2.840.10008.1.2.4.81": imagecodecs.jpegls_encode,
    "1.2.840.10008.1.2.4.90": jpeg2000,
    "1.2.840.10008.1.2.4.91": jpeg2000,
    "1.2.840.10008.1.2.4.110": lambda array: imagecodecs.jpegxl_encode(array, lossless=True),
    "1.2.840.10008.1.2.4.112": lambda array: imagecodecs.jpegxl_encode(array, lossless=True),
    "1.2.840.10008.1.2.4.201": htj2k,
    "1.2.840.10008.1.2.4.202": htj2k,
    "1.2.840.10008.1.2.4.203": htj2k,
    "1.2.840.10008.1.2.5": rle,
    "1.2.840.10008.1.2.8.1": deflated,
}


def layout_of(array: np.ndarray, **more) -> PixelLayout:
    bits = array.dtype.itemsize * 8
    attributes = {
        "samples": 3 if array.ndim == 3 else 1,
        "photometric": "RGB" if array.ndim == 3 else "MONOCHROME2",
        "bits_allocated": bits,
        "bits_stored": bits,
        "high_bit": bits - 1,
        "signed": array.dtype.kind == "i",
    }
    return PixelLayout(*array.shape[:2], **attributes | more)


@pytest.mark.parametrize("syntax", LOSSLESS_ENCODERS)
@pytest.mark.parametrize("array", [ramp(45, 70, 8), ramp(45, 70, 16), rgb(45, 70)], ids=["8 bits", "16 bits", "RGB"])
def test_lossless_syntaxes_give_back_what_was_encoded(syntax, array):
    decoded = decode_frame(LOSSLESS_ENCODERS[syntax](array), syntax, Request(layout_of(array)))
    np.testing.assert_array_equal(decoded.samples, array)


@pytest.mark.parametrize("syntax", ["1.2.840.10008.1.2.4.80", "1.2.840.10008.1.2.4.70", "1.2.840.10008.1.2.5"])
def test_signed_values_are_sign_extended_from_bits_stored(syntax):
    values = ramp(20, 30, 12).astype(np.int16) - 2048
    stored = (values & 0xFFF).astype(np.uint16)
    layout = layout_of(values, bits_stored=12, high_bit=11)
    decoded = decode_frame(LOSSLESS_ENCODERS[syntax](stored), syntax, Request(layout))
    np.testing.assert_array_equal(decoded.samples, values)


@pytest.mark.parametrize("encode", [jpeg2000, htj2k])
def test_a_wavelet_of_signed_values_keeps_them(encode):
    values = ramp(64, 64, 12).astype(np.int16) - 2048
    syntax = "1.2.840.10008.1.2.4.90" if encode is jpeg2000 else "1.2.840.10008.1.2.4.201"
    decoded = decode_frame(encode(values), syntax, Request(layout_of(values)))
    np.testing.assert_array_equal(decoded.samples, values)


@pytest.mark.parametrize("encode", [jpeg2000, htj2k])
@pytest.mark.parametrize("shape", [(128, 128), (131, 201), (97, 64)])
def test_a_wavelet_is_decoded_at_the_level_that_is_enough(encode, shape):
    array = ramp(*shape, 12) + np.uint16(1)
    syntax = "1.2.840.10008.1.2.4.90" if encode is jpeg2000 else "1.2.840.10008.1.2.4.201"
    decoded = decode_frame(encode(array), syntax, Request(layout_of(array), enough=(shape[0] / 4, shape[1] / 4)))
    assert decoded.samples.shape == (-(-shape[0] // 4), -(-shape[1] // 4))
    assert (decoded.extent.rows, decoded.extent.columns) == (shape[0] / 4, shape[1] / 4)
    # The coarse sample stands for the first of the pixels that it covers.
    np.testing.assert_allclose(decoded.samples, array[::4, ::4], atol=24)


def test_signed_values_in_an_unsigned_wavelet_are_never_averaged():
    values = np.tile(np.array([-3, 2], np.int16), (64, 32))
    stream = jpeg2000(values.view(np.uint16))
    decoded = decode_frame(stream, "1.2.840.10008.1.2.4.90", Request(layout_of(values), enough=(8, 8)))
    np.testing.assert_array_equal(decoded.samples, values)


def test_twelve_bit_jpeg_is_decoded():
    array = ramp(64, 64, 12)
    stream = imagecodecs.jpeg8_encode(array, level=100, bitspersample=12)
    layout = layout_of(array, bits_stored=12, high_bit=11)
    decoded = decode_frame(stream, "1.2.840.10008.1.2.4.51", Request(layout))
    np.testing.assert_allclose(decoded.samples.astype(int), array, atol=16)


@pytest.mark.parametrize(
    ("enough", "scale"), [(None, 1), ((64, 64), 1), ((40, 40), 1), ((32, 32), 2), ((8, 8), 8), ((1, 1), 8)]
)
def test_jpeg_is_scaled_while_it_is_decoded(enough, scale):
    array = ramp(64, 64, 8)
    stream = imagecodecs.jpeg8_encode(array, level=100)
    decoded = decode_frame(stream, "1.2.840.10008.1.2.4.50", Request(layout_of(array), enough))
    means = array.reshape(64 // scale, scale, 64 // scale, scale).mean(axis=(1, 3))
    np.testing.assert_allclose(decoded.samples.astype(float), means, atol=3)


@pytest.mark.parametrize(("photometric", "converts"), [("RGB", False), ("YBR_FULL", True), ("YBR_FULL_422", True)])
def test_colour_of_jpeg_goes_by_photometric_interpretation(photometric, converts):
    array = rgb(64, 64)
    space = "YCBCR" if converts else "RGB"
    stream = imagecodecs.jpeg8_encode(array, level=100, colorspace="RGB", outcolorspace=space, subsampling="444")
    stream = without_app_segments(stream)
    assert read_jpeg(stream).adobe_transform is None
    layout = layout_of(array, photometric=photometric)
    decoded = decode_frame(stream, "1.2.840.10008.1.2.4.50", Request(layout))
    assert decoded.rgb is converts
    np.testing.assert_allclose(decoded.samples.astype(int), array, atol=6)


def without_app_segments(stream: bytes) -> bytes:
    """Return a JPEG codestream without the segments that decoders guess from."""
    kept, offset = [stream[:2]], 2
    while stream[offset + 1] != 0xDA:
        length = int.from_bytes(stream[offset + 2 : offset + 4], "big")
        if not 0xE0 <= stream[offset + 1] <= 0xEF:
            kept.append(stream[offset : offset + 2 + length])
        offset += 2 + length
    return b"".join([*kept, stream[offset:]])


def test_subsampled_jpeg_is_no_rgb_whatever_the_header_says():
    stream = without_app_segments(imagecodecs.jpeg8_encode(rgb(64, 64), level=95, subsampling="420"))
    decoded = decode_frame(stream, "1.2.840.10008.1.2.4.50", Request(layout_of(rgb(64, 64))))
    assert decoded.rgb
    np.testing.assert_allclose(decoded.samples.astype(int), rgb(64, 64), atol=12)


def test_a_jpeg_that_ends_early_shows_what_there_is():
    array = rgb(64, 64)
    stream = imagecodecs.jpeg8_encode(array, level=95, subsampling="444")
    layout = layout_of(array, photometric="YBR_FULL")
    decoded = decode_frame(stream[: len(stream) * 2 // 3], "1.2.840.10008.1.2.4.50", Request(layout))
    assert decoded.samples.shape == (64, 64, 3)
    assert decoded.rgb
    np.testing.assert_allclose(decoded.samples[:16].astype(int), array[:16], atol=16)


def test_a_wavelet_that_does_not_begin_at_the_origin_is_decoded_in_full():
    array = ramp(64, 64, 8)
    stream = bytearray(jpeg2000(array))
    # The image becomes the part of the reference grid from (3, 5) on: SIZ holds the origin after the size.
    stream[16:24] = (3).to_bytes(4, "big") + (5).to_bytes(4, "big")
    declared = read_jpeg2000(bytes(stream))
    assert (declared.rows, declared.columns) == (59, 61)
    decoded = decode_frame(bytes(stream), "1.2.840.10008.1.2.4.90", Request(layout_of(array[5:, 3:]), enough=(15, 15)))
    assert (decoded.extent, decoded.samples.shape) == (None, (59, 61))


def test_an_unknown_syntax_is_unsupported_and_named():
    with pytest.raises(UnsupportedPixelsError, match=r"1\.2\.840\.10008\.1\.2\.4\.94"):
        codec_for("1.2.840.10008.1.2.4.94")


def test_every_transfer_syntax_that_holds_an_image_is_served():
    known = {str(uid) for uid in pydicom.uid.AllTransferSyntaxes}
    served = set(CODECS)
    assert {pydicom.uid.UID(uid).name for uid in known - served} == {
        "JPIP HTJ2K Referenced",
        "JPIP HTJ2K Referenced Deflate",
        "JPEG 2000 Part 2 Multi-component Image Compression (Lossless Only)",
        "JPEG 2000 Part 2 Multi-component Image Compression",
        "SMPTE ST 2110-20 Uncompressed Progressive Active Video",
        "SMPTE ST 2110-20 Uncompressed Interlaced Active Video",
        "SMPTE ST 2110-30 PCM Digital Audio",
    }


def test_a_codestream_that_declares_too_many_pixels_is_refused_before_it_is_decoded():
    array = ramp(16, 16, 8)
    stream = bytearray(jpeg2000(array))
    stream[8:16] = (60_000).to_bytes(4, "big") * 2
    with pytest.raises(TooLargeError, match="60000 x 60000 pixels"):
        decode_frame(bytes(stream), "1.2.840.10008.1.2.4.90", Request(layout_of(array), max_pixels=1 << 26))


@pytest.mark.parametrize("syntax", [uid for uid, codec in CODECS.items() if not codec.trusted and not codec.one_stream])
@pytest.mark.parametrize(
    "junk", [b"", b"\0" * 100, b"\xff\xd8\xff", bytes(range(256))], ids=["empty", "zeros", "start", "bytes"]
)
def test_what_is_no_frame_is_declined(syntax, junk):
    with pytest.raises(PixelError):
        decode_frame(junk, syntax, Request(layout_of(ramp(16, 16, 8))))


@settings(max_examples=200)
@given(st.binary(max_size=80))
def test_reading_a_codestream_never_does_more_than_decline(data):
    for read, start in ((read_jpeg, b"\xff\xd8"), (read_jpeg2000, b"\xff\x4f\xff\x51")):
        try:
            stream = read(start + data)
        except PixelError:
            continue
        assert stream.rows >= 0


def test_a_codestream_without_components_is_refused():
    stream = bytearray(jpeg2000(ramp(16, 16, 8)))
    stream[40:42] = b"\0\0"
    with pytest.raises(PixelError, match="empty image"):
        read_jpeg2000(bytes(stream))


def test_a_codestream_says_what_it_is():
    stream = read_jpeg2000(imagecodecs.jpeg2k_encode(ramp(137, 153, 12), level=0, codecformat="jp2", resolutions=4))
    assert (stream.rows, stream.columns, stream.components, stream.levels) == (137, 153, 1, 3)
    assert stream.start > 0
    stream = read_jpeg(imagecodecs.jpeg8_encode(rgb(37, 53), level=90))
    assert (stream.rows, stream.columns, stream.components, stream.precision) == (37, 53, 3, 8)

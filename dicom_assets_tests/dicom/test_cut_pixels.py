"""Images that end too early: what is there is shown, what is missing is black, and both are told. For every syntax."""

import time

import imagecodecs
import numpy as np
import pytest

from dicom_assets.dicom.header import read_header
from dicom_assets.dicom.header.issues import IssueCode
from dicom_assets.dicom.pixels.decoded import Request
from dicom_assets.dicom.pixels.decoders import decode_frame
from dicom_assets.dicom.pixels.layout import PixelLayout
from dicom_assets.dicom.source import BytesSource
from dicom_assets.dicom.status import HeaderStatus, ThumbnailStatus
from dicom_assets.dicom.thumbnail import render_thumbnail
from dicom_assets_tests.support.dicom import compressed as c
from dicom_assets_tests.support.dicom.images import LOSSLESS, encapsulated, file_bytes, image, thumbnail_of
from dicom_assets_tests.support.dicom.oracles import picture_of

ALL = (*c.NATIVE, *c.ENCODERS)
WHOLE_ONLY = [syntax for syntax in ALL if syntax not in c.BY_ROWS]


def cut_at(content, share):
    """Return a file without the last part of its pixel data, and the issues of its header."""
    start = read_header(BytesSource(content)).pixel.offset
    if read_header(BytesSource(content)).transfer_syntax == c.DEFLATED:
        start = 400
    cut = read_header(BytesSource(content[: start + int((len(content) - start) * share)]))
    return cut, [issue.code for issue in cut.issues]


@pytest.mark.parametrize("syntax", c.BY_ROWS)
@pytest.mark.parametrize("share", [0.3, 0.75])
def test_the_rows_that_are_there_are_shown_and_others_are_black(syntax, share):
    content = c.compressed_file(syntax)
    whole = render_thumbnail(read_header(BytesSource(content)), LOSSLESS)
    assert (whole.status, whole.error) == (ThumbnailStatus.OK, None)
    header, codes = cut_at(content, share)
    assert header.status is HeaderStatus.ISSUES
    assert codes == [IssueCode.PIXEL_DATA_CUT]
    cut = render_thumbnail(header, LOSSLESS)
    if syntax == c.RLE and share < 0.5:
        # Of the lower halves of its words nothing is there.
        assert (cut.status, cut.data) == (ThumbnailStatus.ERROR, None)
        return
    assert cut.status is ThumbnailStatus.PARTIAL
    assert cut.error.startswith("the pixel data is cut short: ")
    assert cut.error.endswith(" bytes")
    expected, shown = picture_of(whole).astype(int), picture_of(cut).astype(int)
    assert shown.shape == expected.shape
    black = (shown < 24).all(axis=1)
    rows = int(np.argmax(black))
    assert 0.05 < rows / len(shown) < 0.95
    assert black[rows + 4 :].all(), "what is missing is black"
    assert not (shown[: rows - 4] < 24).any()
    assert np.abs(expected[: rows - 4] - shown[: rows - 4]).mean() < 3, "what is there is what it always was"


@pytest.mark.parametrize("syntax", WHOLE_ONLY)
def test_a_codestream_that_has_no_rows_shows_nothing(syntax):
    content = c.compressed_file(syntax)
    assert render_thumbnail(read_header(BytesSource(content)), LOSSLESS).status is ThumbnailStatus.OK
    header, codes = cut_at(content, 0.6)
    assert codes == [IssueCode.PIXEL_DATA_CUT]
    thumbnail = render_thumbnail(header, LOSSLESS)
    assert (thumbnail.status, thumbnail.data) == (ThumbnailStatus.ERROR, None)
    assert thumbnail.error.startswith("the pixel data is cut short: ")


@pytest.mark.parametrize("syntax", [c.JPEG_2000, c.JPEG_2000_LOSSY])
def test_a_wavelet_whose_coarse_levels_are_there_is_shown_and_said_to_be_cut(syntax):
    content = c.compressed_file(syntax, size=(1024, 1024))
    whole = render_thumbnail(read_header(BytesSource(content)), LOSSLESS)
    header, _ = cut_at(content, 0.9)
    cut = render_thumbnail(header, LOSSLESS)
    assert cut.status is ThumbnailStatus.PARTIAL
    assert np.abs(picture_of(cut).astype(int) - picture_of(whole)).mean() < 2


@pytest.mark.parametrize("syntax", ALL)
def test_another_frame_that_is_whole_is_shown_instead(syntax):
    content = c.compressed_file(syntax, frames=4)
    assert render_thumbnail(read_header(BytesSource(content))).frame_number == 3
    header, codes = cut_at(content, 0.6)
    assert codes == [IssueCode.PIXEL_DATA_CUT]
    thumbnail = render_thumbnail(header)
    assert thumbnail.status is ThumbnailStatus.PARTIAL
    assert thumbnail.frame_number == 2
    assert thumbnail.error.startswith("the pixel data is cut short: ")


@pytest.mark.parametrize("table", [True, False])
@pytest.mark.parametrize("syntax", c.ENCODERS)
def test_frames_that_are_missing_are_missed_though_all_items_are_whole(syntax, table):
    whole = c.compressed_file(syntax, frames=4, table=table)
    start = read_header(BytesSource(whole)).pixel.offset
    at = whole.index(b"\xfe\xff\x00\xe0", start + 8)
    for _ in range(2):
        at += 8 + int.from_bytes(whole[at + 4 : at + 8], "little")
    header = read_header(BytesSource(whole[:at]))
    assert [issue.code for issue in header.issues] == [IssueCode.PIXEL_DATA_CUT]
    thumbnail = render_thumbnail(header)
    assert thumbnail.status is ThumbnailStatus.PARTIAL
    assert thumbnail.error == "the pixel data is cut short: 2 of 4 frames"


@pytest.mark.parametrize("syntax", c.ENCODERS)
def test_a_missing_delimiter_is_no_cut_frame(syntax):
    content = c.compressed_file(syntax)
    header = read_header(BytesSource(content[:-8]))
    assert [issue.code for issue in header.issues] == [IssueCode.MISSING_DELIMITER]
    assert render_thumbnail(header).status is ThumbnailStatus.OK


END_MARKED = [syntax for syntax in c.ENCODERS if syntax.startswith("1.2.840.10008.1.2.4") and syntax != c.JPEG_XL]


@pytest.mark.parametrize("syntax", END_MARKED)
def test_a_missing_end_marker_is_no_missing_picture(syntax):
    encode, bits = c.ENCODERS[syntax]
    frame = c.scene(96, 80, bits)
    stream = encode(frame)
    assert stream.endswith(b"\xff\xd9")
    dataset = image(frame, BitsStored=bits, HighBit=bits - 1)
    unmarked = thumbnail_of(encapsulated(dataset, [stream[:-2]], syntax))
    marked = thumbnail_of(encapsulated(dataset, [stream], syntax))
    assert (unmarked.status, unmarked.error) == (ThumbnailStatus.OK, None)
    assert np.abs(picture_of(unmarked).astype(int) - picture_of(marked)).mean() < 1


@pytest.mark.parametrize("syntax", [c.JPEG_EXTENDED, c.JPEG_BASELINE, c.JPEG_LOSSLESS, c.JPEG_LS])
def test_a_codestream_that_was_cut_before_it_was_encapsulated_is_partial(syntax):
    encode, bits = c.ENCODERS[syntax]
    frame = c.scene(96, 80, bits)
    stream = encode(frame)
    dataset = image(frame, BitsStored=bits, HighBit=bits - 1)
    thumbnail = thumbnail_of(encapsulated(dataset, [stream[: len(stream) // 2]], syntax))
    assert thumbnail.status is ThumbnailStatus.PARTIAL
    assert thumbnail.error == "the pixel data is cut short: its codestream ends early"


@pytest.mark.parametrize("share", [0.5, 0.9])
def test_behind_the_end_of_a_jpeg_ls_codestream_nothing_is_looked_for(share):
    frame = c.scene(96, 80, 16)
    stream = c.ENCODERS[c.JPEG_LS][0](frame)
    start = time.process_time()
    decoded = decode_frame(
        stream[: int(len(stream) * share)], c.JPEG_LS, Request(PixelLayout(96, 80, 1, "MONOCHROME2"))
    )
    assert time.process_time() - start < 2, "of CharLS alone it takes some ten seconds"
    assert 96 * share * 0.8 < decoded.known_rows < 96


@pytest.mark.parametrize("syntax", [c.JPEG_2000, c.HTJ2K])
def test_a_wavelet_that_was_cut_before_it_was_encapsulated_shows_no_guess(syntax):
    frame = c.scene(96, 80, 16)
    stream = c.ENCODERS[syntax][0](frame)
    thumbnail = thumbnail_of(encapsulated(image(frame), [stream[: len(stream) * 9 // 10]], syntax))
    assert thumbnail.status is ThumbnailStatus.ERROR
    assert thumbnail.error == "the pixel data is cut short: its codestream ends early"


def test_a_missing_pad_byte_is_no_missing_picture():
    content = file_bytes(image(c.scene(9, 7, 8)))
    header = read_header(BytesSource(content[:-1]))
    assert [issue.code for issue in header.issues] == [IssueCode.PIXEL_DATA_CUT]
    assert render_thumbnail(header).status is ThumbnailStatus.OK


@pytest.mark.parametrize("bits", [1, 8, 16, 32])
def test_native_pixels_of_every_depth_are_shown_as_far_as_they_go(bits):
    size = (64, 64)
    ones = np.full(size, (1 << bits) - 1, np.uint8 if bits <= 8 else f"u{bits // 8}")
    if bits > 1:
        ones[:, ::2] -= 1 << (bits - 3)  # of one level alone a picture is black
    dataset = image(ones, BitsAllocated=bits, BitsStored=bits, HighBit=bits - 1)
    if bits == 1:
        dataset.PixelData = b"\xff" * (64 * 64 // 8)
    dataset.WindowCenter, dataset.WindowWidth = float(1 << (bits - 1)), float(1 << bits)
    content = file_bytes(dataset)
    thumbnail = render_thumbnail(read_header(BytesSource(content[: -64 * 24 * bits // 8])), LOSSLESS)
    assert thumbnail.status is ThumbnailStatus.PARTIAL
    assert thumbnail.error == f"the pixel data is cut short: {64 * 40 * bits // 8} of {64 * 64 * bits // 8} bytes"
    shown = picture_of(thumbnail)
    assert (shown[:38] > 200).all()
    assert (shown[42:] == 0).all()


@pytest.mark.parametrize("photometric", ["MONOCHROME1", "RGB"])
def test_what_is_missing_is_black_whatever_zero_means(photometric):
    frame = np.zeros((64, 64, 3) if photometric == "RGB" else (64, 64), np.uint8)
    frame[:, ::2] = 40
    dataset = image(frame + 50, PhotometricInterpretation=photometric, WindowCenter=128, WindowWidth=256)
    content = file_bytes(dataset)
    thumbnail = render_thumbnail(read_header(BytesSource(content[: -frame.nbytes // 2])), LOSSLESS)
    assert thumbnail.status is ThumbnailStatus.PARTIAL
    shown = picture_of(thumbnail)
    assert (shown[:30] > 40).all()
    assert (shown[34:] == 0).all()


def test_pixel_data_that_is_shorter_than_its_image_is_partial():
    dataset = image(c.scene(64, 64, 8))
    dataset.PixelData = dataset.PixelData[: 64 * 30]
    thumbnail = thumbnail_of(dataset)
    assert thumbnail.status is ThumbnailStatus.PARTIAL
    assert thumbnail.error == "the pixel data is cut short: 1920 of 4096 bytes"


def test_planes_that_are_missing_are_no_picture():
    """Of scans of one component each, those that are missing would be plain grey, or nothing."""
    pyjpegls = pytest.importorskip("jpeg_ls")
    frame = np.stack([c.scene(64, 64, 8, seed) for seed in range(3)], axis=-1)
    stream = bytes(pyjpegls.encode_array(np.ascontiguousarray(frame.transpose(2, 0, 1)), interleave_mode=0))
    whole = thumbnail_of(encapsulated(image(frame), [stream], c.JPEG_LS))
    np.testing.assert_array_equal(picture_of(whole), picture_of(thumbnail_of(image(frame))))
    for share in (0.5, 0.9):
        cut = thumbnail_of(encapsulated(image(frame), [stream[: int(len(stream) * share)]], c.JPEG_LS))
        assert (cut.status, cut.data) == (ThumbnailStatus.ERROR, None)


def test_scans_that_are_missing_are_no_picture():
    frame = np.stack([c.scene(64, 64, 8, seed) for seed in range(3)], axis=-1)
    scans = bytearray(imagecodecs.jpeg8_encode(frame, level=95, subsampling="444"))
    start = scans.find(b"\xff\xda")
    # One component in the scan of three: what a file is like whose further scans are missing.
    scans[start : start + 14] = b"\xff\xda\x00\x08\x01\x01\x00\x00\x3f\x00"
    thumbnail = thumbnail_of(encapsulated(image(frame), [bytes(scans[:-2])], c.JPEG_BASELINE))
    assert (thumbnail.status, thumbnail.data) == (ThumbnailStatus.ERROR, None)

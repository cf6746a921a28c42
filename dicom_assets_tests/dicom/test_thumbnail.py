import io
import time
from dataclasses import replace

import imagecodecs
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image
from pydicom.dataset import Dataset
from pydicom.sequence import Sequence

from dicom_assets.dicom.header import Header, read_header
from dicom_assets.dicom.source import BytesSource
from dicom_assets.dicom.status import HeaderStatus, ThumbnailStatus
from dicom_assets.dicom.thumbnail import Limits, ThumbnailOptions, render_thumbnail
from dicom_assets_tests.support.dicom import hostile
from dicom_assets_tests.support.dicom.images import (
    LOSSLESS,
    CountingSource,
    encapsulated,
    file_bytes,
    image,
    thumbnail_of,
)
from dicom_assets_tests.support.dicom.oracles import picture_of

JPEG2000 = "1.2.840.10008.1.2.4.90"
RLE = "1.2.840.10008.1.2.5"
SEGMENTATION = "1.2.840.10008.5.1.4.1.1.66.4"
LABEL_MAP = "1.2.840.10008.5.1.4.1.1.66.7"
SLIDE = "1.2.840.10008.5.1.4.1.1.77.1.6"


def item(**attributes) -> Dataset:
    dataset = Dataset()
    for keyword, value in attributes.items():
        setattr(dataset, keyword, value)
    return dataset


def gradient(rows: int = 64, columns: int = 64) -> np.ndarray:
    return np.tile(np.linspace(0, 4000, columns).astype(np.uint16), (rows, 1))


def frames_of_one_level(count: int) -> np.ndarray:
    """Return frames whose left half is black and whose right half tells their number: 10 times it."""
    frames = np.zeros((count, 8, 8), np.uint8)
    frames[:, :, 4:] = np.arange(1, count + 1)[:, None, None] * 10
    return frames


WIDE = {"WindowCenter": 128, "WindowWidth": 256}


# Which frame


def test_the_middle_frame_stands_for_an_object():
    thumbnail = thumbnail_of(image(frames_of_one_level(7), NumberOfFrames=7, **WIDE))
    assert thumbnail.frame_number == 4
    assert picture_of(thumbnail)[4, 6] == 40


def test_a_representative_frame_goes_before_the_middle_one():
    thumbnail = thumbnail_of(image(frames_of_one_level(7), NumberOfFrames=7, RepresentativeFrameNumber=6, **WIDE))
    assert thumbnail.frame_number == 6
    assert picture_of(thumbnail)[4, 6] == 60


@pytest.mark.parametrize("stated", [0, 8, -3])
def test_a_representative_frame_that_does_not_exist_is_not_followed(stated):
    dataset = image(frames_of_one_level(7), NumberOfFrames=7, **WIDE)
    if stated >= 0:
        dataset.RepresentativeFrameNumber = stated
    assert thumbnail_of(dataset).frame_number == 4


def test_frames_that_the_file_lacks_are_not_chosen():
    dataset = image(frames_of_one_level(7), NumberOfFrames=7, **WIDE)
    dataset.NumberOfFrames = 100
    assert thumbnail_of(dataset).frame_number == 4


@pytest.mark.parametrize("table", [True, False])
def test_encoded_frames_that_the_file_lacks_are_not_chosen(table):
    frames = [imagecodecs.jpeg2k_encode(frame, level=0, codecformat="j2k") for frame in frames_of_one_level(5)]
    dataset = encapsulated(image(frames_of_one_level(5), NumberOfFrames=5, **WIDE), frames, JPEG2000, table=table)
    dataset.NumberOfFrames = 60
    thumbnail = thumbnail_of(dataset)
    assert thumbnail.frame_number == 3
    assert picture_of(thumbnail)[4, 6] == 30


def test_only_the_chosen_native_frame_is_read():
    frames = np.zeros((50, 128, 128), np.uint16)
    frames[:, 5:60] = 100
    source = CountingSource(file_bytes(image(frames, NumberOfFrames=50)))
    header = read_header(source)
    before = source.bytes_read
    assert render_thumbnail(header).status is ThumbnailStatus.OK
    assert source.bytes_read - before == 128 * 128 * 2


# Segmentations and masks


def test_a_segmentation_shows_its_fullest_frame_from_bits():
    masks = np.zeros((5, 9, 7), np.uint8)
    masks[3, 2:7, 2:5] = 1
    masks[1, 0, 0] = 1
    bits = np.packbits(masks.ravel(), bitorder="little").tobytes()
    dataset = image(masks, NumberOfFrames=5, SOPClassUID=SEGMENTATION, SegmentationType="BINARY")
    dataset.BitsAllocated, dataset.BitsStored, dataset.HighBit = 1, 1, 0
    dataset.PixelData = bits + b"\0" * (len(bits) % 2)
    thumbnail = thumbnail_of(dataset)
    assert thumbnail.frame_number == 4
    assert thumbnail.media_type == "image/png"
    np.testing.assert_array_equal(picture_of(thumbnail), masks[3] * 255)


def test_a_fractional_segmentation_is_scaled_by_its_maximum():
    mask = np.zeros((8, 8), np.uint8)
    mask[4:] = 50
    thumbnail = thumbnail_of(
        image(mask, SOPClassUID=SEGMENTATION, SegmentationType="FRACTIONAL", MaximumFractionalValue=100)
    )
    assert picture_of(thumbnail)[6, 6] == 127


def test_the_fullest_frame_of_an_encoded_segmentation_is_found_by_decoding():
    masks = np.zeros((4, 32, 32), np.uint8)
    masks[0] = np.random.default_rng(0).integers(0, 2, (32, 32))  # the longest when encoded
    masks[2] = 1
    dataset = image(masks, NumberOfFrames=4, SOPClassUID=LABEL_MAP, SegmentationType="LABELMAP")
    frames = [imagecodecs.jpeg2k_encode(mask, level=0, codecformat="j2k") for mask in masks]
    thumbnail = thumbnail_of(encapsulated(dataset, frames, JPEG2000))
    assert thumbnail.frame_number == 3
    assert thumbnail.media_type == "image/png"


def test_labels_have_a_colour_each():
    labels = np.zeros((8, 8), np.uint8)
    labels[:, 3:5], labels[:, 6:] = 1, 2
    picture = picture_of(thumbnail_of(image(labels, SOPClassUID=LABEL_MAP, SegmentationType="LABELMAP")))
    assert tuple(picture[0, 0]) == (0, 0, 0)
    assert len({tuple(picture[0, column]) for column in (0, 3, 6)}) == 3


# Enhanced objects


def test_functional_groups_of_the_frame_go_before_shared_ones_and_those_before_the_top():
    def group(center):
        return item(FrameVOILUTSequence=Sequence([item(WindowCenter=center, WindowWidth=100)]))

    rescale = item(PixelValueTransformationSequence=Sequence([item(RescaleSlope=2, RescaleIntercept=-100)]))
    shared = item(**{element.keyword: element.value for part in (group(-80), rescale) for element in part})
    dataset = image(frames_of_one_level(3), NumberOfFrames=3, WindowCenter=-70, WindowWidth=100, RescaleSlope=7)
    dataset.SharedFunctionalGroupsSequence = Sequence([shared])
    assert thumbnail_of(dataset).window_center == -80
    dataset.PerFrameFunctionalGroupsSequence = Sequence([Dataset(), group(-60), Dataset()])
    thumbnail = thumbnail_of(dataset)
    assert (thumbnail.window_center, thumbnail.window_width) == (-60, 100)
    # 20 stored is -60, the buffer's centre; the other half is -100.
    np.testing.assert_array_equal(picture_of(thumbnail)[0, [0, 7]], [26, 129])


def test_functional_groups_of_a_frame_beyond_those_that_the_header_keeps():
    count = 12_000
    dataset = image(frames_of_one_level(3), NumberOfFrames=count)
    dataset.PixelData = dataset.PixelData[: len(dataset.PixelData) // 3] * count
    dataset.PerFrameFunctionalGroupsSequence = Sequence(
        item(FrameVOILUTSequence=Sequence([item(WindowCenter=number / 1000, WindowWidth=20)]))
        for number in range(count)
    )
    thumbnail = thumbnail_of(dataset)
    assert thumbnail.window_center == (thumbnail.frame_number - 1) / 1000


def test_rt_dose_is_scaled():
    dose = np.arange(64, dtype=np.uint32).reshape(8, 8) * 1000
    thumbnail = thumbnail_of(image(dose, SOPClassUID="1.2.840.10008.5.1.4.1.1.481.2", DoseGridScaling="0.001"))
    assert thumbnail.window_center == pytest.approx(31.5)


def test_parametric_maps_are_stretched_between_percentiles():
    values = np.linspace(-0.5, 0.5, 4096, dtype=np.float32).reshape(64, 64)
    dataset = image(values.view(np.uint32))
    del dataset.PixelData, dataset.BitsStored, dataset.HighBit, dataset.PixelRepresentation
    dataset.BitsAllocated = 32
    dataset.FloatPixelData = values.tobytes()
    thumbnail = thumbnail_of(dataset)
    assert thumbnail.status is ThumbnailStatus.OK
    assert thumbnail.window_center == pytest.approx(0, abs=0.01)
    assert picture_of(thumbnail)[63, 63] == 255


def test_a_parametric_map_under_a_window_of_width_one_is_no_threshold():
    values = np.linspace(-0.5, 0.5, 4096, dtype=np.float32).reshape(64, 64)
    dataset = image(values.view(np.uint32), WindowCenter=0, WindowWidth=1)
    del dataset.PixelData, dataset.BitsStored, dataset.HighBit, dataset.PixelRepresentation
    dataset.FloatPixelData = values.tobytes()
    thumbnail = thumbnail_of(dataset)
    assert thumbnail.window_width == pytest.approx(0.98, abs=0.01)
    assert len(np.unique(picture_of(thumbnail))) > 200


# Presentation


@pytest.mark.parametrize(
    ("photometric", "shape", "dark_left"),
    [
        ("MONOCHROME2", None, True),
        ("MONOCHROME2", "IDENTITY", True),
        ("MONOCHROME2", "INVERSE", False),
        ("MONOCHROME1", None, False),
        ("MONOCHROME1", "INVERSE", False),
        ("MONOCHROME1", "IDENTITY", True),
    ],
)
def test_inversion_is_stated_once_in_either_way(photometric, shape, dark_left):
    more = {} if shape is None else {"PresentationLUTShape": shape}
    picture = picture_of(thumbnail_of(image(gradient(), PhotometricInterpretation=photometric, **more)))
    assert (picture[0, 0] < picture[0, 63]) == dark_left


def test_a_voi_lut_goes_before_a_window():
    lut = item(LUTDescriptor=[4, 0, 8], LUTData=[255, 0, 255, 0])
    stored = np.array([[0, 1], [2, 3]], np.uint8).repeat(8, axis=0).repeat(8, axis=1)
    dataset = image(stored, VOILUTSequence=Sequence([lut]), **WIDE)
    dataset.VOILUTSequence[0]["LUTDescriptor"].VR = dataset.VOILUTSequence[0]["LUTData"].VR = "US"
    thumbnail = thumbnail_of(dataset)
    assert (thumbnail.window_center, thumbnail.window_width) == (None, None)
    np.testing.assert_array_equal(picture_of(thumbnail)[[0, 0, 8, 8], [0, 8, 0, 8]], [255, 0, 255, 0])


def test_a_large_lookup_table_is_read_from_where_it_stands():
    entries = np.linspace(65535, 0, 4096).astype("<u2")
    lut = item(LUTDescriptor=[4096, 0, 16])
    lut["LUTDescriptor"].VR = "US"
    lut.add_new("LUTData", "OW", entries.tobytes())
    picture = picture_of(thumbnail_of(image(gradient(), VOILUTSequence=Sequence([lut]))))
    assert picture[0, 0] == 255
    assert picture[0, 63] == pytest.approx(255 * (1 - 4000 / 4095), abs=2)


@pytest.mark.parametrize(("center", "width"), [("x", "10"), (None, None), (40, 0)])
def test_without_a_usable_window_percentiles_are_stretched(center, width):
    dataset = image(gradient())
    if center is not None:
        dataset.add_new("WindowCenter", "LO", str(center))
        dataset.add_new("WindowWidth", "LO", str(width))
    thumbnail = thumbnail_of(dataset)
    assert thumbnail.window_center == pytest.approx(2000, abs=40)
    picture = picture_of(thumbnail)
    assert (picture.min(), picture.max()) == (0, 255)


def test_padding_stored_with_the_other_sign_is_recognised():
    stored = np.full((32, 32), -2000, np.int16)
    stored[8:24, 8:24] = np.arange(16)
    dataset = image(stored)
    dataset.add_new("PixelPaddingValue", "US", 63536)
    thumbnail = thumbnail_of(dataset)
    assert thumbnail.window_center == pytest.approx(7.5, abs=0.6)


@pytest.mark.parametrize(
    ("attributes", "shape"),
    [
        ({}, (60, 100)),
        ({"PixelSpacing": [2, 1]}, (120, 100)),
        ({"PixelSpacing": [1, 2]}, (60, 200)),
        ({"ImagerPixelSpacing": [1, 2]}, (60, 200)),
        ({"PixelAspectRatio": [2, 1]}, (120, 100)),
        ({"PixelAspectRatio": [1, 1], "PixelSpacing": [0, 0]}, (60, 100)),
    ],
)
def test_pixels_that_are_no_squares_are_made_squares(attributes, shape):
    thumbnail = thumbnail_of(image(gradient(60, 100), **attributes))
    assert (thumbnail.height, thumbnail.width) == shape
    assert picture_of(thumbnail).shape == shape


def test_overlays_in_unused_bits_are_not_shown():
    stored = gradient() | np.uint16(0x8000)
    dataset = image(stored, WindowCenter=2048, WindowWidth=4096)
    dataset.BitsStored, dataset.HighBit = 12, 11
    np.testing.assert_array_equal(
        picture_of(thumbnail_of(dataset)),
        picture_of(thumbnail_of(image(gradient(), WindowCenter=2048, WindowWidth=4096))),
    )


@pytest.mark.parametrize("photometric", ["PALETTE COLOR", "RGB", "", "BOGUS"])
def test_one_sample_without_colours_is_grey(photometric):
    thumbnail = thumbnail_of(image(gradient(), PhotometricInterpretation=photometric))
    assert thumbnail.status is ThumbnailStatus.OK
    assert picture_of(thumbnail).ndim == 2


def test_pixels_of_a_private_syntax_are_big_endian_in_a_little_endian_file():
    dataset = image(gradient(), WindowCenter=2000, WindowWidth=4000)
    plain = picture_of(thumbnail_of(dataset))
    dataset.PixelData = gradient().astype(">u2").tobytes()
    header = replace(read_header(BytesSource(file_bytes(dataset))), transfer_syntax="1.2.840.113619.5.2")
    np.testing.assert_array_equal(picture_of(render_thumbnail(header, LOSSLESS)), plain)


def test_small_and_lossless_pictures_are_png_and_others_jpeg():
    assert thumbnail_of(image(gradient(64, 64))).media_type == "image/png"
    assert thumbnail_of(image(gradient(200, 200))).media_type == "image/jpeg"


def test_the_longest_side_is_a_choice():
    thumbnail = thumbnail_of(image(gradient(300, 600)), ThumbnailOptions(longest_side=100))
    assert (thumbnail.width, thumbnail.height) == (100, 50)


# Whole slides


def tiles(order: list[int] | None = None):
    """Return a slide of 2 x 3 tiles of 16 x 16 pixels, the last column cut to half a tile, and the whole picture."""
    whole = np.random.default_rng(7).integers(0, 256, (2, 3, 3)).astype(np.uint8)
    picture = whole.repeat(16, axis=0).repeat(16, axis=1)
    frames = np.stack([picture[r : r + 16, c : c + 16] for r in (0, 16) for c in (0, 16, 32)])
    dataset = image(frames, NumberOfFrames=6, SOPClassUID=SLIDE, ImageType=["ORIGINAL", "PRIMARY", "VOLUME", "NONE"])
    dataset.TotalPixelMatrixRows, dataset.TotalPixelMatrixColumns = 32, 40
    if order:
        dataset.PixelData = frames[order].tobytes()
        dataset.PerFrameFunctionalGroupsSequence = Sequence([])
        for number in order:
            row, column = divmod(number, 3)
            position = item(
                RowPositionInTotalImagePixelMatrix=row * 16 + 1, ColumnPositionInTotalImagePixelMatrix=column * 16 + 1
            )
            dataset.PerFrameFunctionalGroupsSequence.append(item(PlanePositionSlideSequence=Sequence([position])))
    return dataset, picture[:, :40]


@pytest.mark.parametrize("order", [None, [5, 3, 1, 0, 2, 4]])
def test_a_slide_level_is_put_together_from_its_tiles(order):
    dataset, picture = tiles(order)
    thumbnail = thumbnail_of(dataset)
    assert thumbnail.frame_number is None
    np.testing.assert_array_equal(picture_of(thumbnail), picture)


def test_a_slide_of_encoded_tiles_is_put_together_too():
    dataset, picture = tiles()
    raw = np.frombuffer(dataset.PixelData, np.uint8).reshape(6, 16, 16, 3)
    frames = [imagecodecs.jpeg2k_encode(np.ascontiguousarray(tile), level=0, codecformat="j2k") for tile in raw]
    shown = picture_of(thumbnail_of(encapsulated(dataset, frames, JPEG2000)))
    np.testing.assert_allclose(shown.astype(int), picture, atol=1)


@pytest.mark.parametrize(
    "encode",
    [imagecodecs.jpeg8_encode, pytest.param(imagecodecs.jpegls_encode, marks=pytest.mark.slow)],
    ids=["JPEG", "JPEG-LS"],
)
def test_a_tile_whose_codestream_ends_early_makes_a_slide_partial(encode):
    whole = np.random.default_rng(7).integers(0, 64, (2, 64, 64, 3)).astype(np.uint8)
    dataset = image(whole, NumberOfFrames=2, SOPClassUID=SLIDE, ImageType=["ORIGINAL", "PRIMARY", "VOLUME", "NONE"])
    dataset.TotalPixelMatrixRows, dataset.TotalPixelMatrixColumns = 64, 128
    first, second = (encode(tile) for tile in whole)
    syntax = "1.2.840.10008.1.2.4.50" if encode is imagecodecs.jpeg8_encode else "1.2.840.10008.1.2.4.80"
    thumbnail = thumbnail_of(encapsulated(dataset, [first, second[: len(second) // 2]], syntax))
    assert thumbnail.status is ThumbnailStatus.PARTIAL, thumbnail.error
    picture = picture_of(thumbnail)
    assert picture[0, 64:].any()
    assert not picture[60:, 64:].any()


def test_missing_tiles_are_white():
    dataset, _ = tiles([0, 1])
    dataset.NumberOfFrames = 2
    assert (picture_of(thumbnail_of(dataset))[20:, 20:] == 255).all()


def long_groups(dataset: Dataset, *, undefined: bool = False) -> Dataset:
    """Return a slide whose functional groups are longer than a header keeps."""
    for group in dataset.PerFrameFunctionalGroupsSequence:
        group.add_new(0x00091001, "OB", b"x" * 600)
        group.is_undefined_length_sequence_item = undefined
    dataset.PerFrameFunctionalGroupsSequence.is_undefined_length = undefined
    return dataset


def sparse_slide(side: int) -> tuple[Dataset, np.ndarray]:
    """Return a slide of single dark pixels, each a tile of its own, in an order of no sense."""
    picture = np.random.default_rng(3).integers(0, 128, (side, side, 3)).astype(np.uint8)
    order = np.random.default_rng(4).permutation(side * side)
    frames = picture.reshape(-1, 1, 1, 3)[order]
    dataset = image(frames, NumberOfFrames=side * side, SOPClassUID=SLIDE, ImageType=["ORIGINAL", "PRIMARY", "VOLUME"])
    dataset.TotalPixelMatrixRows = dataset.TotalPixelMatrixColumns = side
    dataset.DimensionOrganizationType = "TILED_SPARSE"
    dataset.PerFrameFunctionalGroupsSequence = Sequence(
        item(
            PlanePositionSlideSequence=Sequence(
                [
                    item(
                        RowPositionInTotalImagePixelMatrix=int(number) // side + 1,
                        ColumnPositionInTotalImagePixelMatrix=int(number) % side + 1,
                    )
                ]
            )
        )
        for number in order
    )
    return dataset, picture


@pytest.mark.parametrize("undefined", [True, False])
def test_tiles_beyond_the_groups_that_the_header_keeps_have_their_places(undefined):
    dataset, picture = sparse_slide(32)
    header = read_header(BytesSource(file_bytes(long_groups(dataset, undefined=undefined))))
    assert len(header.dataset["52009230"]["Value"]) < 1024
    thumbnail = render_thumbnail(header, LOSSLESS)
    assert (thumbnail.status, thumbnail.error) == (ThumbnailStatus.OK, None)
    np.testing.assert_array_equal(picture_of(thumbnail), picture)


def test_the_groups_of_all_tiles_are_read_once():
    source = CountingSource(file_bytes(long_groups(sparse_slide(32)[0])))
    header = read_header(source)
    before = source.bytes_read
    assert render_thumbnail(header).status is ThumbnailStatus.OK
    assert source.bytes_read - before < 2 * len(source.data)


@pytest.mark.parametrize("keyword", ["RowPositionInTotalImagePixelMatrix", "PlanePositionSlideSequence"])
def test_tiles_that_do_not_say_where_they_belong_make_a_slide_partial(keyword):
    dataset, _ = tiles([5, 3, 1, 0, 2, 4])
    for group in dataset.PerFrameFunctionalGroupsSequence[2:4]:
        del (group if keyword in group else group.PlanePositionSlideSequence[0])[keyword]
    thumbnail = thumbnail_of(dataset)
    assert (thumbnail.status, thumbnail.error) == (
        ThumbnailStatus.PARTIAL,
        "2 of 6 tiles do not say where they belong",
    )
    # The tiles that do not say so are those of the upper left and of the one beside it.
    assert (picture_of(thumbnail)[:16, :32] == 255).all()


def test_groups_that_end_early_make_a_slide_partial():
    dataset, _ = sparse_slide(32)
    del dataset.PerFrameFunctionalGroupsSequence[1000:]
    thumbnail = thumbnail_of(long_groups(dataset))
    assert (thumbnail.status, thumbnail.error) == (
        ThumbnailStatus.PARTIAL,
        "24 of 1024 tiles do not say where they belong",
    )


def test_a_sparse_slide_without_any_place_is_an_error():
    dataset, _ = tiles()
    dataset.DimensionOrganizationType = "TILED_SPARSE"
    thumbnail = thumbnail_of(dataset)
    assert (thumbnail.status, thumbnail.error) == (ThumbnailStatus.ERROR, "no tile of the slide says where it belongs")


def test_a_slide_whose_tiles_all_lie_elsewhere_is_an_error():
    dataset, _ = tiles([5, 3, 1, 0, 2, 4])
    for group in dataset.PerFrameFunctionalGroupsSequence:
        group.PlanePositionSlideSequence[0].RowPositionInTotalImagePixelMatrix += 1000
    assert "within its total pixel matrix" in thumbnail_of(dataset).error


def test_a_full_slide_with_fewer_frames_than_places_is_partial():
    dataset, picture = tiles()
    dataset.NumberOfFrames = 4
    dataset.PixelData = dataset.PixelData[: 4 * 16 * 16 * 3]
    thumbnail = thumbnail_of(dataset)
    assert (thumbnail.status, thumbnail.error) == (ThumbnailStatus.PARTIAL, "4 of 6 tiles of the slide are there")
    np.testing.assert_array_equal(picture_of(thumbnail)[:16], picture[:16])
    assert (picture_of(thumbnail)[16:, 16:] == 255).all()


def test_a_part_of_a_concatenation_goes_on_where_the_part_before_it_ends():
    dataset, picture = tiles()
    dataset.NumberOfFrames = 3
    dataset.PixelData = dataset.PixelData[3 * 16 * 16 * 3 :]
    dataset.ConcatenationUID, dataset.ConcatenationFrameOffsetNumber = "1.2.3", 3
    thumbnail = thumbnail_of(dataset)
    assert thumbnail.status is ThumbnailStatus.OK
    np.testing.assert_array_equal(picture_of(thumbnail)[16:], picture[16:])
    assert (picture_of(thumbnail)[:16] == 255).all()


def test_a_slide_level_beyond_the_limit_is_too_large():
    dataset, _ = tiles()
    dataset.TotalPixelMatrixRows = 100_000
    thumbnail = thumbnail_of(dataset, ThumbnailOptions(limits=Limits(max_pixels=1_000_000)))
    assert thumbnail.status is ThumbnailStatus.TOO_LARGE
    assert "40 x 100000" in thumbnail.error


def test_the_label_of_a_slide_is_never_shown():
    dataset, _ = tiles()
    dataset.ImageType = ["ORIGINAL", "PRIMARY", "LABEL", "NONE"]
    dataset.IconImageSequence = Sequence([image(gradient(8, 8))])
    thumbnail = thumbnail_of(dataset)
    assert thumbnail.status is ThumbnailStatus.UNSUPPORTED
    assert thumbnail.data is None


# Objects without pixels


def test_an_object_without_pixels_has_none():
    dataset = image(gradient())
    for keyword in ("PixelData", "Rows", "Columns"):
        delattr(dataset, keyword)
    assert thumbnail_of(dataset).status is ThumbnailStatus.NO_PIXEL_DATA


@pytest.mark.parametrize("side", [8, 64])
def test_an_icon_stands_in_for_an_object_without_pixels(side):
    dataset = image(gradient())
    icon = image(gradient(side, side))
    del icon.file_meta
    for keyword in ("PixelData", "Rows", "Columns"):
        delattr(dataset, keyword)
    dataset.IconImageSequence = Sequence([icon])
    thumbnail = thumbnail_of(dataset)
    assert (thumbnail.status, thumbnail.frame_number) == (ThumbnailStatus.OK, None)
    picture = picture_of(thumbnail)
    assert picture.shape == (side, side)
    assert (picture[0, 0], picture[0, side - 1]) == (0, 255)


@pytest.mark.parametrize(
    ("header", "status"),
    [
        (HeaderStatus.NOT_DICOM, ThumbnailStatus.NOT_DICOM),
        (HeaderStatus.EMPTY, ThumbnailStatus.NOT_DICOM),
        (HeaderStatus.DICOMDIR, ThumbnailStatus.NO_PIXEL_DATA),
        (HeaderStatus.TRUNCATED, ThumbnailStatus.ERROR),
        (HeaderStatus.UNSUPPORTED, ThumbnailStatus.UNSUPPORTED),
        (HeaderStatus.OK, ThumbnailStatus.NO_PIXEL_DATA),
    ],
)
def test_what_is_no_image_says_so(header, status):
    assert render_thumbnail(Header(header)).status is status


# Limits and faults


@pytest.mark.timeout(60)
def test_absurd_numbers_of_frames_cost_no_time():
    dataset = image(np.zeros((1, 1), np.uint8), SOPClassUID=SEGMENTATION, SegmentationType="BINARY")
    dataset.BitsAllocated, dataset.BitsStored, dataset.HighBit = 1, 1, 0
    dataset.NumberOfFrames = 2**31 - 1
    dataset.PixelData = b"\x55" * 3_000_000
    begin = time.monotonic()
    assert thumbnail_of(dataset).frame_number == 12_000_001
    dataset.Rows = dataset.Columns = 2
    assert thumbnail_of(encapsulated(dataset, [b"video"] * 3, "1.2.840.10008.1.2.4.102")).data is None
    slide, _ = tiles()
    slide.Rows = slide.Columns = 1
    slide.NumberOfFrames = 2**31 - 1
    slide.TotalPixelMatrixRows = slide.TotalPixelMatrixColumns = 8000
    assert thumbnail_of(slide).status is ThumbnailStatus.TOO_LARGE
    assert time.monotonic() - begin < 20


def test_a_frame_beyond_the_limit_is_not_read():
    source = CountingSource(file_bytes(image(np.zeros((300, 300), np.uint16))))
    header = read_header(source)
    before = source.bytes_read
    for limits in (Limits(max_pixels=80_000), Limits(max_bytes=100_000)):
        assert render_thumbnail(header, ThumbnailOptions(limits=limits)).status is ThumbnailStatus.TOO_LARGE
    assert source.bytes_read == before


class FailingSource(BytesSource):
    """Storage that is gone once the header was read."""

    def read(self, offset: int, length: int) -> bytes:
        raise ConnectionResetError(f"{length} bytes at {offset}")


def test_a_fault_of_the_storage_is_raised():
    data = file_bytes(image(gradient()))
    header = read_header(BytesSource(data))
    failing = Header(
        header.status,
        dataset=header.dataset,
        transfer_syntax=header.transfer_syntax,
        pixel=header.pixel,
        body=FailingSource(data),
    )
    with pytest.raises(ConnectionResetError):
        render_thumbnail(failing)


def test_encapsulated_uncompressed_frames_need_no_decoder():
    frames = frames_of_one_level(3)
    dataset = encapsulated(
        image(frames, NumberOfFrames=3, **WIDE), [frame.tobytes() for frame in frames], "1.2.840.10008.1.2.1.98"
    )
    assert picture_of(thumbnail_of(dataset))[4, 6] == 20


def test_native_pixels_under_a_compressed_syntax_are_read_as_they_are():
    native = file_bytes(image(gradient()))
    # The transfer syntax of the file meta information, and it alone, becomes RLE.
    data = native.replace(b"1.2.840.10008.1.2.1\0", RLE.encode() + b"\0", 1)
    assert data != native
    assert read_header(BytesSource(data)).transfer_syntax == RLE
    np.testing.assert_array_equal(
        picture_of(render_thumbnail(read_header(BytesSource(data)))),
        picture_of(render_thumbnail(read_header(BytesSource(native)))),
    )


@pytest.mark.parametrize(
    ("wish", "status", "reason"),
    [
        (hostile.SEGFAULT, ThumbnailStatus.ERROR, "SIGSEGV"),
        (hostile.ABORT, ThumbnailStatus.ERROR, "SIGABRT"),
        (hostile.EXIT, ThumbnailStatus.ERROR, "exit code 3"),
        (hostile.HANG, ThumbnailStatus.ERROR, "longer than 4 seconds"),
        (hostile.ALLOCATE, ThumbnailStatus.TOO_LARGE, "more memory than the limit"),
    ],
)
def test_a_decoder_that_does_harm_costs_one_thumbnail(wish, status, reason):
    options = ThumbnailOptions(limits=Limits(seconds=4), renderer=hostile.render_hostile)
    thumbnail = render_thumbnail(read_header(BytesSource(hostile.hostile_file(wish))), options)
    assert thumbnail.status is status
    assert reason in thumbnail.error


def test_ten_hostile_files_among_many_cost_ten_rows():
    wishes = [hostile.SEGFAULT, hostile.ABORT, hostile.EXIT, hostile.HANG, hostile.ALLOCATE] * 2
    dataset = image(gradient())
    good = file_bytes(
        encapsulated(dataset, [imagecodecs.jpeg2k_encode(gradient(), level=0, codecformat="j2k")], JPEG2000)
    )
    files = [good] * 200
    for position, wish in enumerate(wishes):
        files[position * 20 + 7] = hostile.hostile_file(wish)
    options = ThumbnailOptions(limits=Limits(seconds=2), renderer=hostile.render_hostile)
    found = [render_thumbnail(read_header(BytesSource(data)), options) for data in files]
    failed = [thumbnail for thumbnail in found if thumbnail.status is not ThumbnailStatus.OK]
    assert len(failed) == 10
    assert all(thumbnail.error for thumbnail in failed)
    assert sum(thumbnail.data is not None for thumbnail in found) == 190


@settings(max_examples=150, deadline=None)
@given(st.integers(0, 10_000), st.binary(min_size=1, max_size=8), st.sampled_from([0, 1, 2]))
def test_damaged_files_never_raise(position, damage, kind):
    data = bytearray(DAMAGED[kind])
    position %= len(data)
    data[position : position + len(damage)] = damage
    thumbnail = render_thumbnail(read_header(BytesSource(bytes(data))))
    assert (thumbnail.data is not None) == (thumbnail.status in {ThumbnailStatus.OK, ThumbnailStatus.PARTIAL})
    assert "SECRET" not in (thumbnail.error or "")


def _damaged(syntax: str, frame: bytes) -> bytes:
    return file_bytes(encapsulated(image(gradient(), PatientName="SECRET^NAME", PatientID="SECRET"), [frame], syntax))


DAMAGED = [
    file_bytes(image(gradient(), PatientName="SECRET^NAME", **WIDE)),
    _damaged(JPEG2000, imagecodecs.jpeg2k_encode(gradient(), level=0, codecformat="j2k")),
    _damaged("1.2.840.10008.1.2.4.80", imagecodecs.jpegls_encode(gradient())),
]


# Video


def video(codec: str, container: str) -> bytes:
    av = pytest.importorskip("av", reason="the optional extra 'video' is not installed")
    out = io.BytesIO()
    with av.open(out, "w", format=container) as writing:
        stream = writing.add_stream(codec, rate=25)
        stream.width = stream.height = 64
        stream.pix_fmt = "yuv420p"
        stream.gop_size = 5
        for number in range(50):
            picture = np.full((64, 64, 3), number * 5, np.uint8)
            for packet in stream.encode(av.VideoFrame.from_ndarray(picture, format="rgb24")):
                writing.mux(packet)
        for packet in stream.encode():
            writing.mux(packet)
    return out.getvalue()


@pytest.mark.parametrize(
    ("syntax", "codec", "container"),
    [
        ("1.2.840.10008.1.2.4.100", "mpeg2video", "mpegts"),
        ("1.2.840.10008.1.2.4.102", "libx264", "mp4"),
        ("1.2.840.10008.1.2.4.102", "libx264", "mpegts"),
        ("1.2.840.10008.1.2.4.107", "libx265", "mp4"),
    ],
)
def test_a_video_shows_a_frame_near_its_middle(syntax, codec, container):
    dataset = image(np.zeros((50, 64, 64, 3), np.uint8), NumberOfFrames=50, PhotometricInterpretation="YBR_PARTIAL_420")
    thumbnail = thumbnail_of(encapsulated(dataset, [video(codec, container)], syntax), LOSSLESS)
    assert thumbnail.status is ThumbnailStatus.OK, thumbnail.error
    assert 15 <= thumbnail.frame_number <= 35
    assert picture_of(thumbnail)[32, 32, 0] == pytest.approx((thumbnail.frame_number - 1) * 5, abs=8)


def test_without_pyav_video_is_unsupported_and_says_why():
    dataset = image(np.zeros((64, 64, 3), np.uint8))
    options = ThumbnailOptions(renderer=render_without_pyav)
    thumbnail = thumbnail_of(encapsulated(dataset, [b"video"], "1.2.840.10008.1.2.4.102"), options)
    assert thumbnail.status is ThumbnailStatus.UNSUPPORTED
    assert "optional extra 'video'" in thumbnail.error


def render_without_pyav(plan, frames):
    """Render where PyAV cannot be imported; runs in the decoder process."""
    import sys

    from dicom_assets.dicom.render.execute import execute_plan

    hidden = {name: module for name, module in sys.modules.items() if name.partition(".")[0] == "av"}
    sys.modules.update(dict.fromkeys([*hidden, "av"]))
    try:
        return execute_plan(plan, frames)
    finally:
        sys.modules.pop("av")
        sys.modules.update(hidden)


def test_a_thumbnail_is_a_picture_of_the_size_it_states():
    thumbnail = thumbnail_of(image(gradient(500, 300)))
    opened = Image.open(io.BytesIO(thumbnail.data))
    assert opened.size == (thumbnail.width, thumbnail.height) == (154, 256)

import numpy as np
import pytest
from pydicom.pixels import convert_color_space

from dicom_assets.dicom.pixels.errors import PixelError, UnsupportedPixelsError
from dicom_assets.dicom.render.colour import Palette, render_colour, render_palette
from dicom_assets.dicom.render.tables import expand_segments


@pytest.fixture
def samples():
    return np.random.default_rng(5).integers(0, 256, (20, 30, 3)).astype(np.uint8)


@pytest.mark.parametrize("space", ["YBR_FULL", "YBR_FULL_422"])
def test_luminance_and_differences_become_the_rgb_of_pydicom(samples, space):
    ours = render_colour(samples, space, 8, (20, 30))
    theirs = convert_color_space(samples, "YBR_FULL", "RGB")
    np.testing.assert_allclose(ours.astype(int), theirs, atol=1)


@pytest.mark.parametrize(
    ("ybr", "rgb"), [((16, 128, 128), (0, 0, 0)), ((235, 128, 128), (255, 255, 255)), ((81, 90, 240), (254, 0, 0))]
)
def test_partial_range_reaches_black_and_white(ybr, rgb):
    picture = render_colour(np.full((2, 2, 3), ybr, np.uint8), "YBR_PARTIAL_422", 8, (2, 2))
    np.testing.assert_allclose(picture[0, 0].astype(int), rgb, atol=2)


@pytest.mark.parametrize(("dtype", "bits"), [(np.uint16, 16), (np.uint16, 12), (np.uint32, 32)])
def test_wide_samples_keep_their_highest_bits(dtype, bits):
    wide = np.full((2, 2, 3), (1 << bits) - 1, dtype)
    wide[0] = 1 << (bits - 1)
    picture = render_colour(wide, "RGB", bits, (2, 2))
    assert picture[1, 0, 0] == 255
    assert picture[0, 0, 0] == 128


def test_narrow_samples_reach_white():
    assert (render_colour(np.full((2, 2, 3), 15, np.uint8), "RGB", 4, (2, 2)) == 255).all()


def test_retired_spaces_are_unsupported(samples):
    with pytest.raises(UnsupportedPixelsError, match="retired"):
        render_colour(samples, "HSV", 8, (20, 30))


def test_a_space_that_does_not_exist_is_taken_for_rgb(samples):
    np.testing.assert_array_equal(render_colour(samples, "MONOCHROME2", 8, (20, 30)), samples)


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.int16])
@pytest.mark.parametrize("first", [0, 3])
def test_a_palette_gives_every_value_its_colour(dtype, first):
    colours = np.array([[255, 0, 0], [0, 255, 0], [0, 0, 255]], np.uint8)
    stored = np.array([[0, first], [first + 1, 100]], dtype)
    picture = render_palette(stored, Palette(first, colours), (2, 2))
    np.testing.assert_array_equal(picture, [[colours[0], colours[0]], [colours[1], colours[2]]])


def test_segments_expand_to_the_table():
    # Discrete 0 10, linear 4 steps to 50, then the second segment once more.
    segments = np.array([0, 2, 0, 10, 1, 4, 50, 2, 1, 4, 0], np.uint16)
    expanded = expand_segments(segments, 10)
    np.testing.assert_array_equal(expanded, [0, 10, 20, 30, 40, 50, 50, 50, 50, 50])


def test_segments_agree_with_pydicom():
    from pydicom.pixels.processing import _expand_segmented_lut

    segments = [0, 3, 5, 6, 7, 1, 100, 4000, 1, 13, 0, 0, 2, 9, 9]
    theirs = _expand_segmented_lut(tuple(segments), "H")
    np.testing.assert_allclose(expand_segments(np.array(segments, np.uint16), 1000).astype(int), theirs, atol=1)


@pytest.mark.timeout(60)
def test_segments_that_call_for_one_another_without_end_are_broken():
    segments = np.array([0, 0] * 5 + [2, 65_535, 0, 0] * 30_000, np.uint16)
    with pytest.raises(PixelError):
        expand_segments(segments, 65_536)


@pytest.mark.parametrize("segments", [[7, 1, 1], [1, 4], [2, 1, 0]])
def test_broken_segments_are_an_error(segments):
    with pytest.raises(PixelError):
        expand_segments(np.array(segments, np.uint16), 10)

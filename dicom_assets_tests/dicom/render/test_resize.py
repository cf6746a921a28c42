import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dicom_assets.dicom.pixels.decoded import Extent
from dicom_assets.dicom.render.resize import average_picture, average_values, thumbnail_size


def exact_mean(values: np.ndarray, count: int) -> np.ndarray:
    """Return means over equal shares of the first axis, by repeating every row `count` times: slow and plain."""
    return np.repeat(values.astype(np.float64), count, axis=0).reshape(count, len(values), -1).mean(axis=1)


@pytest.mark.parametrize(
    ("rows", "columns", "ratio", "expected"),
    [
        (512, 512, 1.0, (256, 256)),
        (1955, 1841, 1.0, (256, 241)),
        (100, 200, 1.0, (100, 200)),
        (100, 200, 2.0, (200, 200)),
        (100, 200, 0.5, (64, 256)),
        (100, 100, 1000.0, (100, 100)),
        (1, 100_000, 1.0, (1, 256)),
    ],
)
def test_sizes_keep_the_shape_and_the_limit(rows, columns, ratio, expected):
    assert thumbnail_size(rows, columns, ratio, 256) == expected


@given(st.integers(1, 60), st.integers(1, 60), st.randoms(use_true_random=False))
def test_every_pixel_has_its_exact_share(length, target, random):
    target = min(length, target)
    values = np.array([[random.randrange(4096)] for _ in range(length)], np.uint16)
    found = average_values(values, (target, 1))
    # From a ratio of 3 whole blocks come first, and the edges of areas cut through blocks: each may give a quarter of
    # a block's pixels to the wrong neighbour.
    tolerance = 1e-3 * 4096 if length < 3 * target else 4096 / 4
    np.testing.assert_allclose(found, exact_mean(values, target), atol=tolerance)


@given(st.integers(2, 90), st.integers(2, 90), st.integers(1, 40), st.integers(1, 40))
def test_averages_of_a_flat_image_are_flat(rows, columns, height, width):
    values = np.full((rows, columns), 1234, np.int16)
    np.testing.assert_allclose(average_values(values, (height, width)), 1234, rtol=1e-6)


@pytest.mark.parametrize("dtype", [np.uint8, np.int16, np.uint16, np.int32, np.uint32, np.float32])
def test_sums_do_not_overflow(dtype):
    top = np.iinfo(dtype).max if np.dtype(dtype).kind in "iu" else 1e30
    values = np.full((700, 700), top, dtype)
    np.testing.assert_allclose(average_values(values, (2, 2)), float(top), rtol=1e-6)


def test_a_thin_bright_line_stays_visible():
    values = np.zeros((2000, 2000), np.uint16)
    values[:, 1001] = 4000
    shown = average_values(values, (250, 250))
    assert shown.max() == pytest.approx(500, rel=0.01)


def test_an_axis_that_grows_is_interpolated():
    values = np.array([[0, 100]], np.uint8)
    shown = average_values(values, (1, 4))
    np.testing.assert_allclose(shown, [[0, 25, 75, 100]])


def test_a_picture_keeps_its_colours():
    picture = np.zeros((90, 60, 3), np.uint8)
    picture[:45] = (200, 100, 50)
    small = average_picture(picture, (30, 20))
    np.testing.assert_array_equal(small[0, 0], (200, 100, 50))
    np.testing.assert_array_equal(small[29, 19], (0, 0, 0))


def test_a_picture_of_the_right_size_is_left_alone():
    picture = np.arange(12, dtype=np.uint8).reshape(3, 4)
    np.testing.assert_array_equal(average_picture(picture, (3, 4)), picture)


def test_an_extent_cuts_off_what_the_last_sample_does_not_cover():
    values = np.array([[0, 10, 20, 30]], np.uint8)
    shown = average_values(values, (1, 1), Extent(1, 3.5))
    np.testing.assert_allclose(shown, [[(0 + 10 + 20 + 15) / 3.5]])


def test_a_shift_moves_areas_down_and_to_the_right():
    values = np.array([[0, 10, 20, 30]], np.uint8).T
    shown = average_values(values, (2, 1), Extent(4, 1, shift=0.5))
    np.testing.assert_allclose(shown, [[(0 * 0.5 + 10 + 20 * 0.5) / 2], [(20 * 0.5 + 30 + 30 * 0.5) / 2]])

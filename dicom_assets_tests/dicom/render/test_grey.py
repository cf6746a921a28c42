import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydicom.dataset import Dataset
from pydicom.pixels import apply_windowing

from dicom_assets.dicom.render.grey import (
    GreyPipeline,
    LookupTable,
    Padding,
    Rescale,
    VoiFunction,
    Window,
    percentile_window,
    render_grey,
)

VALUES = np.arange(-1100, 3000, 7, dtype=np.float64)


@pytest.mark.parametrize("function", list(VoiFunction))
@pytest.mark.parametrize(("center", "width"), [(40, 400), (40.5, 1.5), (-600, 1600), (0, 2), (1000, 4096)])
def test_windows_are_those_of_pydicom(function, center, width):
    dataset = Dataset()
    dataset.PhotometricInterpretation = "MONOCHROME2"
    dataset.BitsStored, dataset.PixelRepresentation = 16, 0
    dataset.WindowCenter, dataset.WindowWidth, dataset.VOILUTFunction = center, width, function.value
    theirs = apply_windowing(VALUES, dataset) / 65535
    np.testing.assert_allclose(Window(center, width, function).levels(VALUES), theirs, atol=1e-9)


def test_a_linear_window_of_width_one_is_a_threshold():
    levels = Window(10, 1).levels(np.array([9.0, 9.5, 9.6, 10.0, 11.0]))
    np.testing.assert_array_equal(levels, [0, 0, 1, 1, 1])


@pytest.mark.parametrize(
    ("width", "function", "usable"),
    [
        (0, "LINEAR", False),
        (0.5, "LINEAR", False),
        (1, "LINEAR", True),
        (0.5, "SIGMOID", True),
        (-1, "LINEAR_EXACT", False),
    ],
)
def test_widths_that_the_standard_forbids_are_not_usable(width, function, usable):
    assert Window(0, width, VoiFunction(function)).usable is usable


def test_values_beyond_a_table_take_its_ends():
    table = LookupTable(-2, np.array([10, 20, 30], np.uint16), 8)
    np.testing.assert_array_equal(table(np.array([-100.0, -2.0, -1.0, 0.0, 100.0])), [10, 10, 20, 30, 30])


@given(
    st.floats(0.1, 4),
    st.floats(-2000, 100),
    st.floats(-500, 500),
    st.floats(2, 3000),
    st.sampled_from(list(VoiFunction)),
    st.booleans(),
)
def test_the_table_and_the_formula_agree(slope, intercept, center, width, function, inverted):
    stored = np.arange(-300, 2100, dtype=np.int16).reshape(40, 60)
    pipeline = GreyPipeline(
        Rescale(slope, intercept), Window(center, width, function), inverted=inverted, padding=Padding(-9999, -9999)
    )
    by_table = render_grey(stored, pipeline, (40, 60))
    by_formula = render_grey(stored.astype(np.int32), pipeline, (40, 60))
    np.testing.assert_allclose(by_table.levels.astype(int), by_formula.levels, atol=1)
    assert by_table.window == by_formula.window


def test_padding_is_black_and_outside_of_percentiles():
    stored = np.full((64, 64), -2000, np.int16)
    stored[16:48, 16:48] = np.arange(32) * 10
    plain = render_grey(stored, GreyPipeline(padding=Padding(-2000, -2000)), (64, 64))
    assert (plain.levels[:16] == 0).all()
    assert plain.levels[32, 16:48].min() == 0
    assert plain.levels[32, 16:48].max() == 255
    inverted = render_grey(stored, GreyPipeline(padding=Padding(-2000, -2000), inverted=True), (64, 64))
    assert (inverted.levels[:16] == 0).all()
    assert inverted.levels[32, 17] > inverted.levels[32, 46]


def test_padding_does_not_bleed_into_its_neighbours():
    stored = np.full((64, 64), 1000, np.int16)
    stored[:33] = -32768
    pipeline = GreyPipeline(voi=Window(500, 1000), padding=Padding(-32768, -32768))
    row = render_grey(stored, pipeline, (32, 32)).levels[16]
    assert 120 < row[0] < 135


def test_a_range_of_padding_includes_both_ends():
    mask = Padding(10, 12).mask(np.array([9, 10, 11, 12, 13]))
    np.testing.assert_array_equal(mask, [False, True, True, True, False])


def test_percentiles_are_numpys():
    stored = np.random.default_rng(1).normal(1000, 200, (100, 100)).astype(np.int16)
    window = percentile_window(stored, GreyPipeline(Rescale(2, -100)))
    low, high = np.percentile(stored * 2.0 - 100, (1, 99))
    assert (window.center - window.width / 2, window.center + window.width / 2) == pytest.approx((low, high))


def test_large_frames_are_sampled_closely_enough():
    stored = np.random.default_rng(1).normal(1000, 200, (2000, 2000)).astype(np.int16)
    window = percentile_window(stored, GreyPipeline())
    low, high = np.percentile(stored, (1, 99))
    assert window.center - window.width / 2 == pytest.approx(low, abs=20)
    assert window.center + window.width / 2 == pytest.approx(high, abs=20)


def test_a_few_bright_spots_on_black_are_shown():
    stored = np.zeros((1000, 1000), np.uint16)
    stored[500, 500] = 900
    window = percentile_window(stored, GreyPipeline())
    assert (window.center, window.width) == (450, 900)


def test_a_window_that_leaves_the_frame_flat_gives_way_to_percentiles():
    stored = np.tile(np.arange(100, dtype=np.uint16), (100, 1))
    picture = render_grey(stored, GreyPipeline(voi=Window(5000, 100)), (100, 100))
    assert np.ptp(picture.levels) == 255
    assert picture.window.center == pytest.approx(49.5)


@pytest.mark.parametrize(
    "window",
    [
        Window(0.5, 1),
        Window(0.5, 1.000001),
        Window(0.5, 1e-9, VoiFunction.LINEAR_EXACT),
        Window(0.5, 1e-9, VoiFunction.SIGMOID),
    ],
)
@pytest.mark.parametrize("padding", [None, Padding(-5, -5)])
def test_a_window_that_makes_a_threshold_of_floats_gives_way_to_percentiles(window, padding):
    stored = np.linspace(0, 1, 10_000, dtype=np.float32).reshape(100, 100)
    stored[0, 0] = np.nan
    picture = render_grey(stored, GreyPipeline(voi=window, padding=padding), (100, 100))
    assert len(np.unique(picture.levels)) > 200
    assert (picture.window.center, picture.window.width) == pytest.approx((0.5, 0.98), abs=0.001)


@pytest.mark.parametrize(
    ("slope", "window"),
    [(1, Window(500, 1)), (1, Window(500, 2)), (10, Window(5000, 8)), (1, Window(500, 0.5, VoiFunction.LINEAR_EXACT))],
)
@pytest.mark.parametrize("size", [(100, 100), (30, 30)])
@pytest.mark.parametrize("padding", [None, Padding(-5, -5)])
def test_a_window_that_makes_a_threshold_of_integers_gives_way_to_percentiles(slope, window, size, padding):
    stored = np.tile(np.arange(100, dtype=np.uint16) * 10, (100, 1))
    picture = render_grey(stored, GreyPipeline(Rescale(slope), window, padding=padding), size)
    assert picture.window.width == pytest.approx(980 * slope, rel=0.05)
    assert len(np.unique(picture.levels)) > 25


def test_a_window_that_clips_all_but_two_values_gives_way_to_percentiles():
    stored = np.repeat([0, 1000, 2000], 30).astype(np.int16)[None].repeat(90, axis=0)
    picture = render_grey(stored, GreyPipeline(voi=Window(500, 600)), (90, 90))
    assert len(np.unique(picture.levels)) == 3


def test_a_frame_of_two_values_keeps_its_window():
    stored = np.repeat([0, 255], 50).astype(np.uint8)[None].repeat(100, axis=0)
    picture = render_grey(stored, GreyPipeline(voi=Window(128, 256)), (100, 100))
    assert (picture.window.center, picture.window.width) == (128, 256)
    assert set(np.unique(picture.levels)) == {0, 255}


def test_a_lookup_table_of_two_levels_is_meant():
    stored = np.tile(np.arange(4, dtype=np.uint8), (8, 2))
    table = LookupTable(0, np.array([255, 0, 255, 0], np.uint16), 8)
    np.testing.assert_array_equal(render_grey(stored, GreyPipeline(voi=table), (8, 8)).levels[0, :4], [255, 0, 255, 0])


def test_a_frame_of_one_value_is_black_and_has_no_window():
    picture = render_grey(np.full((8, 8), 77, np.uint8), GreyPipeline(), (8, 8))
    assert picture.window is None
    assert not picture.levels.any()


def test_what_is_no_number_is_left_out():
    stored = np.linspace(0, 1, 10_000, dtype=np.float32).reshape(100, 100)
    stored[0, 0], stored[0, 1] = np.nan, np.inf
    picture = render_grey(stored, GreyPipeline(), (100, 100))
    assert picture.levels[0, 0] == 0
    assert picture.levels[0, 1] == 255
    assert picture.window.center == pytest.approx(0.5, abs=0.01)


def test_swapping_average_and_window_changes_nothing_within_the_window():
    stored = np.random.default_rng(3).integers(100, 900, (512, 512)).astype(np.uint16)
    pipeline = GreyPipeline(Rescale(1.5, -30), Window(800, 2000))
    assert pipeline.averages_first
    swapped = render_grey(stored, pipeline, (128, 128)).levels
    full = GreyPipeline(pipeline.modality, pipeline.voi, padding=Padding(-1, -1))
    assert not full.averages_first
    np.testing.assert_allclose(swapped.astype(int), render_grey(stored, full, (128, 128)).levels, atol=1)


@pytest.mark.parametrize(
    "pipeline",
    [
        GreyPipeline(voi=Window(0, 10, VoiFunction.SIGMOID)),
        GreyPipeline(voi=LookupTable(0, np.arange(4, dtype=np.uint16), 8)),
        GreyPipeline(modality=LookupTable(0, np.arange(4, dtype=np.uint16), 8)),
        GreyPipeline(padding=Padding(0, 0)),
    ],
)
def test_where_the_order_matters_it_is_kept(pipeline):
    assert not pipeline.averages_first

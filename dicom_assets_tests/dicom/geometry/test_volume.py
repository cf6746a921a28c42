"""What is told of frames, case by case."""

import time
from dataclasses import replace

import numpy as np
import pytest

from dicom_assets.dicom.geometry import Frames, Gap, NotVolume, Orientation, concatenate, describe_volume
from dicom_assets_tests.dicom.geometry.made import AXIAL, CORONAL, SAGITTAL, Made, picked, repeated


@pytest.mark.parametrize(
    ("orientation", "name"),
    [
        (AXIAL, Orientation.AXIAL),
        (CORONAL, Orientation.CORONAL),
        (SAGITTAL, Orientation.SAGITTAL),
        ((-1, -0.0, 0, 0, -1, 0), Orientation.AXIAL),
        ((1, 0, 0, 0, np.cos(0.6), np.sin(0.6)), Orientation.AXIAL),
        ((1, 0, 0, 0, np.cos(0.75), np.sin(0.75)), Orientation.OBLIQUE),
    ],
)
def test_a_volume(orientation, name):
    found = describe_volume(Made(orientation=orientation).frames())
    assert found.orientation is name
    assert (found.slices, found.stacks, found.stacks_by, found.repeated_positions) == (10, 1, None, 0)
    assert found.spacing == pytest.approx(2.5)
    assert found.spacing_deviation == pytest.approx(0, abs=1e-9)
    assert found.tilt == pytest.approx(0, abs=1e-6)
    assert found.is_uniform
    assert found.gaps == ()
    # A row is as long as there are columns.
    assert found.extent == pytest.approx((128 * 0.75, 256 * 0.5, 25.0))
    assert found.is_volume
    assert found.reason is None
    assert found.order.tolist() == list(range(10))


def test_frames_in_any_order():
    shuffled = np.random.default_rng(1).permutation(10)
    found = describe_volume(picked(Made().frames(), shuffled))
    assert shuffled[found.order].tolist() == list(range(10))
    assert found == describe_volume(Made().frames())


def test_slice_thickness_of_another_size_is_not_asked():
    found = describe_volume(Made(places=[0, 7.5]).frames())
    assert found.spacing == pytest.approx(7.5)
    assert found.is_volume


@pytest.mark.parametrize(("count", "reason"), [(0, NotVolume.NO_FRAMES), (1, NotVolume.SINGLE_SLICE)])
def test_no_two_slices(count, reason):
    found = describe_volume(Made(places=[0.0] * count).frames())
    assert (found.reason, found.is_volume) == (reason, False)
    assert (found.spacing, found.spacing_deviation, found.is_uniform, found.tilt) == (None, None, None, None)
    if count:
        assert (found.slices, found.stacks) == (1, 1)
        assert found.extent == pytest.approx((96, 128, 0))


def test_rounded_positions_are_uniform():
    found = describe_volume(Made(places=np.round(np.arange(200) * 2.5 / 3, 2)).frames())
    assert found.is_volume
    assert found.spacing == pytest.approx(2.5 / 3, abs=1e-4)
    assert 0.003 < found.spacing_deviation < 0.007


def test_a_distance_beyond_a_hundredth():
    within = describe_volume(Made(places=[0, 3, 6.02, 9, 12]).frames())
    beyond = describe_volume(Made(places=[0, 3, 6.05, 9, 12]).frames())
    assert within.is_volume
    assert (beyond.reason, beyond.is_uniform) == (NotVolume.NOT_UNIFORM, False)
    assert beyond.spacing_deviation == pytest.approx(0.05)
    assert beyond.gaps == ()


def test_gaps():
    found = describe_volume(Made(places=[0, 2, 4, 10, 12, 16, 18]).frames())
    assert (found.reason, found.is_uniform) == (NotVolume.GAPS, False)
    assert found.spacing == pytest.approx(2)
    assert found.spacing_deviation == pytest.approx(0, abs=1e-9)
    assert found.gaps == (Gap(after=2, missing=2), Gap(after=4, missing=1))


def test_a_stray_slice_is_no_grid_of_gaps():
    # All of these are multiples of 0.05.
    found = describe_volume(Made(places=[0, 5, 10, 10.05, 15, 20]).frames())
    assert (found.reason, found.gaps) == (NotVolume.NOT_UNIFORM, ())
    assert found.spacing == pytest.approx(5)


def test_slices_that_are_there_twice():
    found = describe_volume(Made(places=[0, 2, 4, 4, 6, 8, 8]).frames())
    assert (found.reason, found.repeated_positions, found.slices) == (NotVolume.REPEATED_POSITIONS, 2, 5)
    assert found.is_uniform
    assert found.stacks == 1


def test_a_slice_taken_twice_makes_no_stack():
    made = Made(places=[0, 2, 4, 4, 6], discriminators={"InstanceNumber": [1, 2, 3, 4, 5]})
    found = describe_volume(made.frames())
    assert (found.reason, found.stacks) == (NotVolume.REPEATED_POSITIONS, 1)


def test_tiles_in_one_plane():
    frames = Made(places=[0, 0, 2, 2]).frames()
    found = describe_volume(replace(frames, positions=frames.positions + [[0, 0, 0], [50, 0, 0]] * 2))
    assert found.reason is NotVolume.TILES


def test_a_tilted_gantry():
    found = describe_volume(Made(shift=(0.0, np.tan(np.radians(15)))).frames())
    assert (found.reason, found.is_uniform, found.orientation) == (NotVolume.TILTED, True, Orientation.AXIAL)
    assert found.tilt == pytest.approx(15)
    assert found.spacing == pytest.approx(2.5)


def test_a_shift_within_a_tenth_of_a_millimetre():
    frames = Made().frames()
    aside = np.zeros((10, 3))
    aside[4] = (0.09, 0, 0)
    assert describe_volume(replace(frames, positions=frames.positions + aside)).is_volume
    found = describe_volume(replace(frames, positions=frames.positions + 2 * aside))
    assert found.reason is NotVolume.SHIFTED


def test_a_localizer_inside():
    scout = Made(places=[0.0], orientation=SAGITTAL)
    found = describe_volume(concatenate([Made().frames(), scout.frames()]))
    assert (found.reason, found.stacks) == (NotVolume.ORIENTATIONS_DIFFER, 2)
    assert found.stacks_by == "ImageOrientationPatient"
    assert (found.orientation, found.slices, found.spacing, found.extent) == (None, None, None, None)
    assert found.stack_of.tolist() == [0] * 10 + [1]


@pytest.mark.parametrize(
    ("other", "reason", "by"),
    [
        (Made(places=[25.0], size=(512, 128)), NotVolume.SIZES_DIFFER, "Rows"),
        (Made(places=[25.0], size=(256, 512)), NotVolume.SIZES_DIFFER, "Columns"),
        (Made(places=[25.0], spacing=(0.5, 0.8)), NotVolume.SPACINGS_DIFFER, "PixelSpacing"),
        (Made(places=[25.0], spacing=(np.nan, np.nan)), NotVolume.SPACINGS_DIFFER, "PixelSpacing"),
    ],
)
def test_frames_of_another_grid(other, reason, by):
    found = describe_volume(concatenate([Made().frames(), other.frames()]))
    assert (found.reason, found.stacks, found.stacks_by) == (reason, 2, by)
    assert found.orientation is Orientation.AXIAL


def test_cosines_that_differ_by_rounding_are_parallel():
    frames = Made(orientation=(0.999391, 0.0348995, 0, -0.0348995, 0.999391, 0)).frames()
    noise = np.random.default_rng(1).uniform(-2e-6, 2e-6, frames.orientations.shape)
    found = describe_volume(replace(frames, orientations=frames.orientations + noise))
    assert found.is_volume


def test_cosines_of_another_length():
    frames = Made().frames()
    found = describe_volume(replace(frames, orientations=frames.orientations * [2, 2, 2, 0.5, 0.5, 0.5]))
    assert found == describe_volume(frames)


@pytest.mark.parametrize(
    "orientation",
    [
        (0, 0, 0, 0, 1, 0),
        (1, 0, 0, 1, 0, 0),
        (1, 0, 0, 0.5, 0.5, 0),
        (np.nan, 0, 0, 0, 1, 0),
        (np.inf, 0, 0, 0, 1, 0),
        (1e300, 0, 0, 0, 1e300, 0),
    ],
)
def test_what_is_no_orientation(orientation):
    frames = Made().frames()
    found = describe_volume(replace(frames, orientations=np.tile(orientation, (10, 1))))
    assert (found.reason, found.orientation, found.stacks) == (NotVolume.NO_POSITION, None, 0)
    assert found.stack_of.tolist() == [-1] * 10


@pytest.mark.parametrize("nowhere", [np.nan, np.inf, -np.inf, 1e300])
def test_a_frame_without_a_position(nowhere):
    frames = Made().frames()
    positions = frames.positions.copy()
    positions[3, 1] = nowhere
    found = describe_volume(replace(frames, positions=positions))
    assert (found.reason, found.slices, found.gaps) == (NotVolume.NO_POSITION, 9, (Gap(2, 1),))
    assert found.order.tolist() == [0, 1, 2, 4, 5, 6, 7, 8, 9, 3]
    assert found.stack_of.tolist() == [0, 0, 0, -1, 0, 0, 0, 0, 0, 0]


@pytest.mark.parametrize(
    "made", [Made(spacing=(np.nan, np.nan)), Made(spacing=(0, 1)), Made(spacing=(-1, 1)), Made(size=(-1, -1))]
)
def test_frames_of_unknown_size(made):
    found = describe_volume(made.frames())
    assert (found.reason, found.extent) == (NotVolume.NO_PIXEL_SPACING, None)
    assert found.slices == 10


def test_columns_of_different_lengths():
    frames = Made().frames()
    with pytest.raises(ValueError, match="different lengths"):
        Frames(frames.positions[:3], frames.orientations, frames.spacings, frames.sizes)
    with pytest.raises(ValueError, match="different lengths"):
        replace(frames, discriminators={"EchoTime": ["1"]})


def test_nothing_together():
    assert describe_volume(concatenate([])).reason is NotVolume.NO_FRAMES


@pytest.mark.parametrize("stacks", [1, 50])
def test_ten_thousand_frames(stacks):
    places = [0.5 * number for number in range(10_000 // stacks)]
    columns = {
        "AcquisitionTime": [f"1200{at // 100:02}.{at % 100:02}" for at in range(10_000)],
        "TemporalPositionIdentifier": [str(at // len(places)) for at in range(10_000)],
    }
    frames = repeated(Made(places=places), stacks, **columns)
    fastest = 1.0
    for _ in range(5):
        begin = time.process_time()
        found = describe_volume(frames)
        fastest = min(fastest, time.process_time() - begin)
    assert found.is_volume
    assert found.stacks == stacks
    assert fastest < 0.1

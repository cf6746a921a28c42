"""Stacks of slices in the same places, and what tells them apart."""

from dataclasses import replace

import numpy as np
import pytest

from dicom_assets.dicom.geometry import NotVolume, concatenate, describe_volume
from dicom_assets_tests.dicom.geometry.made import SAGITTAL, Made, picked, repeated

SLICES = Made(places=[0, 3, 6, 9])


def by_stack(values, slices=4):
    """Return a column of values of stacks, each for all of its slices."""
    return [value for value in values for _ in range(slices)]


@pytest.mark.parametrize(
    ("keyword", "values"),
    [
        ("TemporalPositionIdentifier", ["1", "2", "10"]),
        ("TemporalPositionIndex", ["1", "2", "3"]),
        ("EchoTime", ["4.6", "9.2", "13.8"]),
        ("EffectiveEchoTime", ["4.6", "9.2", "13.8"]),
        ("InversionTime", [None, "100", "900"]),
        ("FlipAngle", ["5", "15", "30"]),
        ("DiffusionBValue", ["0", "500", "1000"]),
        ("ImageType", ["ORIGINAL\\PRIMARY\\M", "ORIGINAL\\PRIMARY\\P", "ORIGINAL\\PRIMARY\\R"]),
        ("ComplexImageComponent", ["MAGNITUDE", "PHASE", "REAL"]),
        ("NominalCardiacTriggerDelayTime", ["0", "90.5", "800"]),
        ("TriggerTime", ["0", "90.5", "800"]),
        ("AcquisitionNumber", ["1", "2", "3"]),
        ("AcquisitionTime", ["115959", "120000", "120001.5"]),
        ("InstanceNumber", ["1", "2", "3"]),
    ],
)
def test_told_apart_by_one_attribute(keyword, values):
    frames = repeated(SLICES, 3, **{keyword: by_stack(values)})
    shuffled = np.random.default_rng(1).permutation(12)
    found = describe_volume(picked(frames, shuffled))
    assert (found.stacks, found.stacks_by, found.is_volume) == (3, keyword, True)
    assert (found.slices, found.repeated_positions) == (4, 0)
    # In the order of the values, numbers as numbers.
    assert found.stack_of.tolist() == (shuffled // 4).tolist()
    assert shuffled[found.order].tolist() == list(range(12))


def test_by_two_attributes():
    times = by_stack(["1", "1", "2", "2"])
    parts = by_stack(["MAGNITUDE", "PHASE"] * 2)
    found = describe_volume(repeated(SLICES, 4, EchoTime=times, ComplexImageComponent=parts))
    assert (found.stacks, found.stacks_by) == (4, "EchoTime, ComplexImageComponent")
    assert found.stack_of.tolist() == by_stack([0, 1, 2, 3])


def test_directions_of_diffusion():
    b_values = by_stack(["0", "0", "1000", "1000", "1000"])
    directions = by_stack([None, None, "1\\0\\0", "0\\1\\0", "0\\0\\1"])
    numbers = [str(number) for number in range(20)]
    found = describe_volume(
        repeated(SLICES, 5, DiffusionBValue=b_values, DiffusionGradientOrientation=directions, InstanceNumber=numbers)
    )
    assert found.stacks == 5
    assert found.stacks_by == "DiffusionBValue, DiffusionGradientOrientation, InstanceNumber"
    assert found.is_volume


def test_what_does_not_vary_between_stacks_is_not_named():
    numbers = by_stack(["1", "2"])
    found = describe_volume(
        repeated(SLICES, 2, EchoTime=["4.6"] * 8, FlipAngle=["1", "2", "3", "4"] * 2, AcquisitionNumber=numbers)
    )
    assert found.stacks_by == "AcquisitionNumber"


@pytest.mark.parametrize("keyword", ["TriggerTime", "AcquisitionTime", "InstanceNumber"])
def test_by_order_where_every_frame_has_a_value_of_its_own(keyword):
    # Slices are taken one after the other, each at all times.
    found = describe_volume(repeated(SLICES, 3, **{keyword: [str(3 * (at % 4) + at // 4) for at in range(12)]}))
    assert (found.stacks, found.stacks_by) == (3, keyword)
    assert found.stack_of.tolist() == by_stack([0, 1, 2])


def test_equal_frames_are_not_told_apart():
    found = describe_volume(repeated(SLICES, 2, InstanceNumber=["1", "2", "3", "4"] * 2))
    assert (found.reason, found.repeated_positions, found.stacks) == (NotVolume.REPEATED_POSITIONS, 4, 1)


def test_an_acquisition_that_was_stopped():
    frames = repeated(SLICES, 3, TemporalPositionIdentifier=by_stack(["1", "2", "3"]))
    found = describe_volume(picked(frames, range(10)))
    assert (found.reason, found.stacks) == (NotVolume.STACKS_DIFFER, 3)
    assert found.stacks_by == "TemporalPositionIdentifier"
    assert (found.slices, found.repeated_positions, found.is_uniform) == (4, 0, True)


def test_stacks_of_an_enhanced_object_in_places_of_their_own():
    upper = replace(SLICES, origin=(0, 0, 100), discriminators={"StackID": ["2"] * 4})
    lower = replace(SLICES, discriminators={"StackID": ["1"] * 4})
    found = describe_volume(concatenate([upper.frames(), lower.frames()]))
    assert (found.reason, found.stacks, found.stacks_by) == (NotVolume.STACKS_DIFFER, 2, "StackID")
    assert found.stack_of.tolist() == [1] * 4 + [0] * 4
    assert (found.slices, found.gaps) == (4, ())


def test_segments_are_stacks():
    frames = repeated(SLICES, 2, ReferencedSegmentNumber=by_stack(["1", "2"]))
    assert describe_volume(frames).is_volume
    found = describe_volume(picked(frames, [0, 1, 6, 7]))
    assert (found.reason, found.stacks_by) == (NotVolume.STACKS_DIFFER, "ReferencedSegmentNumber")


def test_a_time_series_of_one_slice():
    found = describe_volume(repeated(Made(places=[0.0]), 5, TriggerTime=list("12345")))
    assert (found.reason, found.stacks, found.stacks_by) == (NotVolume.SINGLE_SLICE, 5, "TriggerTime")


def test_stacks_beside_each_other_are_shifted():
    frames = repeated(SLICES, 2, EchoTime=by_stack(["1", "2"]))
    aside = np.zeros((8, 3))
    aside[4:, 0] = 1.0
    found = describe_volume(replace(frames, positions=frames.positions + aside))
    assert (found.reason, found.stacks) == (NotVolume.SHIFTED, 2)


def test_gaps_and_tilt_of_stacks():
    with_gap = Made(places=[0, 3, 9])
    found = describe_volume(repeated(with_gap, 2, EchoTime=by_stack(["1", "2"], 3)))
    assert (found.reason, found.stacks, len(found.gaps)) == (NotVolume.GAPS, 2, 1)
    found = describe_volume(repeated(replace(SLICES, shift=(0.2, 0)), 2, EchoTime=by_stack(["1", "2"])))
    assert (found.reason, found.stacks) == (NotVolume.TILTED, 2)


def test_a_survey_in_three_planes():
    planes = [Made(places=[0.0, 10.0]), Made(places=[0.0, 10.0], orientation=SAGITTAL)]
    found = describe_volume(concatenate([plane.frames() for plane in planes]))
    assert (found.reason, found.stacks) == (NotVolume.ORIENTATIONS_DIFFER, 2)

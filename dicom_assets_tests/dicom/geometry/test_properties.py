"""Volumes in any direction with gaps, doubles, tilt and stacks in any order: what was put in is what is told."""

from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from dicom_assets.dicom.geometry import DISCRIMINATORS, Frames, Gap, NotVolume, affine, describe_volume
from dicom_assets_tests.dicom.geometry.made import Made, picked, repeated, rotation

quaternions = st.tuples(*[st.floats(-1, 1)] * 4).filter(lambda found: np.linalg.norm(found) > 0.1)
orders = st.randoms(use_true_random=False)


@st.composite
def volumes(draw, least=3):
    turned = rotation(draw(quaternions))
    step = draw(st.floats(0.2, 20))
    count = draw(st.integers(least, 40))
    return Made(
        places=[step * number for number in range(count)],
        orientation=(*turned[:, 0], *turned[:, 1]),
        origin=draw(st.tuples(*[st.floats(-500, 500)] * 3)),
        spacing=draw(st.tuples(*[st.floats(0.1, 5)] * 2)),
    )


def shuffled(frames, order):
    at = list(range(len(frames)))
    order.shuffle(at)
    return picked(frames, at), np.array(at)


@given(volumes(least=2), orders)
def test_a_volume_is_one(made, order):
    frames, at = shuffled(made.frames(), order)
    found = describe_volume(frames)
    step = made.places[1]
    assert found.is_volume
    assert found.slices == len(made.places)
    assert found.spacing == pytest.approx(step)
    assert found.extent[2] == pytest.approx(step * len(made.places))
    assert at[found.order].tolist() == list(range(len(at)))


@given(volumes(least=2), orders)
def test_the_affine_meets_every_frame(made, order):
    frames, _ = shuffled(made.frames(), order)
    found = describe_volume(frames)
    matrix = affine(found, frames)
    numbers = np.arange(found.slices)
    corners = matrix @ np.array([np.zeros_like(numbers), np.zeros_like(numbers), numbers, np.ones_like(numbers)])
    assert np.allclose(corners[:3].T, frames.positions[found.order], rtol=0, atol=1e-6)
    # A step along a row goes from column to column.
    assert matrix[:3, 0] == pytest.approx(np.array(made.orientation[:3]) * made.spacing[1], abs=1e-9)
    assert matrix[:3, 1] == pytest.approx(np.array(made.orientation[3:]) * made.spacing[0], abs=1e-9)
    assert np.linalg.det(matrix[:3, :3]) > 0


@given(volumes(least=8), orders, st.data())
def test_gaps_are_where_slices_were_taken_out(made, order, data):
    count = len(made.places)
    # At most a third, and none at the ends, so that the grid stays the same.
    out = data.draw(st.sets(st.integers(2, count - 2), min_size=1, max_size=max(1, (count - 2) // 4)))
    left = [at for at in range(count) if at not in out]
    frames, _ = shuffled(picked(made.frames(), left), order)
    found = describe_volume(frames)
    expected = tuple(
        Gap(after, following - before - 1)
        for after, (before, following) in enumerate(pairwise(left))
        if following - before > 1
    )
    assert (found.reason, found.gaps) == (NotVolume.GAPS, expected)
    assert found.spacing == pytest.approx(made.places[1])


@given(volumes(), orders, st.data())
def test_doubles_are_counted(made, order, data):
    count = len(made.places)
    doubled = data.draw(st.lists(st.integers(0, count - 1), min_size=1, max_size=count - 1))
    frames, _ = shuffled(picked(made.frames(), [*range(count), *doubled]), order)
    found = describe_volume(frames)
    assert (found.reason, found.repeated_positions) == (NotVolume.REPEATED_POSITIONS, len(doubled))
    assert (found.slices, found.is_uniform) == (count, True)


@given(volumes(), orders, st.floats(3, 40), st.floats(0, 2 * np.pi))
def test_tilt_is_measured(made, order, degrees, direction):
    slope = np.tan(np.radians(degrees))
    tilted = replace(made, shift=(slope * np.cos(direction), slope * np.sin(direction)))
    frames, _ = shuffled(tilted.frames(), order)
    found = describe_volume(frames)
    assert found.tilt == pytest.approx(degrees)
    assert found.spacing == pytest.approx(made.places[1])
    if slope * made.places[-1] > 0.2:
        assert found.reason is NotVolume.TILTED


@given(volumes(), orders, st.integers(2, 5), st.sampled_from(DISCRIMINATORS))
def test_stacks_are_told_apart_by_what_differs(made, order, stacks, keyword):
    count = len(made.places)
    values = [str(at // count + 1) for at in range(count * stacks)]
    frames, at = shuffled(repeated(made, stacks, **{keyword: values}), order)
    found = describe_volume(frames)
    assert (found.stacks, found.stacks_by, found.is_volume) == (stacks, keyword, True)
    assert at[found.order].tolist() == list(range(count * stacks))


@given(volumes(), orders, st.integers(1, 4))
def test_rounding_as_vendors_do_changes_no_verdict(made, order, stacks):
    count = len(made.places)
    values = [str(at // count) for at in range(count * stacks)]
    frames, _ = shuffled(repeated(made, stacks, TemporalPositionIdentifier=values), order)
    rounded = replace(frames, positions=frames.positions.round(4), orientations=frames.orientations.round(6))
    found = describe_volume(rounded)
    assert (found.is_volume, found.stacks) == (True, stacks)
    assert found.spacing == pytest.approx(made.places[1], abs=1e-3)


numbers = st.floats(allow_nan=True, allow_infinity=True)


@given(
    st.integers(0, 12).flatmap(lambda n: st.tuples(*[arrays(np.float64, (n, w), elements=numbers) for w in (3, 6, 2)]))
)
def test_whatever_the_numbers_are_there_is_an_answer(columns):
    positions, orientations, spacings = columns
    count = len(positions)
    frames = Frames(positions, orientations, spacings, np.ones((count, 2)), {"EchoTime": [None] * count})
    found = describe_volume(frames)
    assert sorted(found.order.tolist()) == list(range(count))
    assert len(found.stack_of) == count
    assert found.is_volume is (found.reason is None)
    if found.is_volume:
        assert np.isfinite(affine(found, frames)).all()


few = st.sampled_from([0.0, 1.0, 2.0, 4.0, -1.0])


@given(
    arrays(np.float64, (8, 3), elements=few), st.lists(st.sampled_from([None, "1", "2", "x"]), min_size=8, max_size=8)
)
def test_every_frame_is_in_one_stack(positions, values):
    frames = Frames(
        positions, np.tile([1, 0, 0, 0, 1, 0], (8, 1)), np.ones((8, 2)), np.ones((8, 2)), {"EchoTime": values}
    )
    found = describe_volume(frames)
    assert sorted(set(found.stack_of.tolist())) == list(range(found.stacks))
    along = positions[found.order, 2]
    for stack in range(found.stacks):
        own = along[found.stack_of[found.order] == stack]
        assert (np.diff(own) >= 0).all()
    first = along[found.stack_of[found.order] == 0]
    assert len(set(first.tolist())) == found.slices

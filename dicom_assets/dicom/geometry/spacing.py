"""Distances of slices along their normal: spacing, how uniform it is, and where slices are missing."""

from dataclasses import dataclass

import numpy as np

from dicom_assets.dicom.geometry.plane import FloatArray

UNIFORM = 0.01
"""How far a distance may be from the spacing, as a part of it: what highdicom takes by default."""
_SAME_STEP = 1.5
"""Distances up to so many times the smallest are taken for one step."""


@dataclass(frozen=True, slots=True)
class Gap:
    """A place where slices are missing.

    Attributes
    ----------
    after
        Number of the slice before it, from 0, among those that are there.
    missing
        How many are missing.

    """

    after: int
    missing: int


@dataclass(frozen=True, slots=True)
class Distances:
    """How slices follow each other.

    Attributes
    ----------
    spacing
        In mm: the mean distance of neighbours, missing slices counted; the median where they are on no grid.
    deviation
        In mm: how far the distance of neighbours is from a whole number of spacings, at most.
    regular
        Whether that is within tolerance everywhere, so that all slices are on one grid.
    gaps
        Where slices of that grid are missing.

    """

    spacing: float
    deviation: float
    regular: bool
    gaps: tuple[Gap, ...] = ()


def distances_of(places: FloatArray) -> Distances:
    """Return how slices follow each other.

    Slices are on a grid with gaps when most distances are one spacing, the others a multiple of it, and no more slices
    are missing than there are: any few numbers are multiples of something.

    Parameters
    ----------
    places
        Shape ``(n,)``, two or more, ascending and different: positions along the normal in mm.

    """
    steps = np.diff(places)
    grid = _on_grid(steps, np.ones(len(steps)))
    if grid.regular:
        return grid
    median = float(np.median(steps))
    smallest = float(np.median(steps[steps <= _SAME_STEP * steps.min()]))
    for step in (smallest, median):
        multiples = np.maximum(np.rint(steps / step), 1.0)
        mostly_there = 2 * np.count_nonzero(multiples == 1) >= len(steps) and multiples.sum() <= 2 * len(steps) + 1
        if mostly_there and (grid := _on_grid(steps, multiples)).regular:
            return grid
    return Distances(median, float(np.abs(steps - median).max()), regular=False)


def _on_grid(steps: FloatArray, multiples: FloatArray) -> Distances:
    """Return how distances fit a grid on which each is so many spacings."""
    spacing = float(steps.sum() / multiples.sum())
    deviation = float(np.abs(steps - multiples * spacing).max())
    gaps = tuple(Gap(int(at), int(multiples[at]) - 1) for at in np.flatnonzero(multiples > 1))
    return Distances(spacing, deviation, bool(deviation <= UNIFORM * spacing), gaps)

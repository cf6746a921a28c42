"""Why frames are no volume."""

from enum import StrEnum


class NotVolume(StrEnum):
    """The first reason, in this order, for which frames are no volume."""

    NO_FRAMES = "no_frames"
    """There are no frames."""
    NO_POSITION = "no_position"
    """A frame lacks Image Position or Image Orientation (Patient), or has one that is none: numbers that are not
    finite, directions of no length or not perpendicular."""
    ORIENTATIONS_DIFFER = "orientations_differ"
    """Frames are in different planes: a localizer in the series, three planes of a survey, a radial acquisition."""
    SIZES_DIFFER = "sizes_differ"
    """Frames have different Rows or Columns."""
    SPACINGS_DIFFER = "spacings_differ"
    """Frames have different Pixel Spacing."""
    NO_PIXEL_SPACING = "no_pixel_spacing"
    """Frames have no Pixel Spacing, or no Rows and Columns: their extent is unknown."""
    TILES = "tiles"
    """Several frames are in the same plane, next to each other rather than in the same place."""
    REPEATED_POSITIONS = "repeated_positions"
    """Several frames are in the same place, and no attribute tells stacks of them apart."""
    STACKS_DIFFER = "stacks_differ"
    """Stacks are told apart, but do not have slices in the same places: one is incomplete, or somewhere else."""
    SINGLE_SLICE = "single_slice"
    """There is one slice only."""
    TILTED = "tilted"
    """Slices are shifted in their plane in proportion to their distance: a tilted gantry, a sheared grid."""
    SHIFTED = "shifted"
    """Slices are shifted in their plane, without such a proportion."""
    GAPS = "gaps"
    """Slices are missing: all are on one grid, which has places without a slice."""
    NOT_UNIFORM = "not_uniform"
    """Distances between slices are not the same."""

"""What is taken for geometry, and how much of it."""

MOST_FRAMES = 100_000
"""Frames of one file: of a file that has more, none are described."""
MOST_BYTES = 256 << 20
"""Bytes of functional groups that are read of one file."""
FARTHEST = 1e6
"""Coordinates and distances in mm beyond which a number is no place: a kilometre."""

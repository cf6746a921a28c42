"""What reading the references of one object may cost."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class ReferenceBounds:
    """Bounds for one object: far beyond those of real ones, and near enough that a hostile one costs little.

    Where one is reached, what was found until then is kept, and an issue says that there is more.

    Attributes
    ----------
    items
        Items of sequences that are looked at, at all depths.
    references
        Different references that are listed.
    entries
        Segments that are listed; also regions of interest.
    numbers
        Numbers of frames and segments that all references list together.
    bytes
        That are read of the file for items which its header does not keep. Sequences nested in one another, all of them
        long, are read once for each level.

    """

    items: int = 500_000
    references: int = 20_000
    entries: int = 10_000
    numbers: int = 200_000
    bytes: int = 256 << 20


DEFAULT_BOUNDS = ReferenceBounds()

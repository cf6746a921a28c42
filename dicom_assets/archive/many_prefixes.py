"""When a cut makes more prefixes than Dagster takes well, and which cut would not."""

from collections.abc import Collection
from dataclasses import dataclass
from urllib.parse import unquote

from dicom_assets.archive.prefixes import ANY, ROOT_PREFIX, PrefixCut

MOST_PREFIXES = 20_000
"""Dagster's pages slow down beyond some ten thousand partitions, and it advises to add no more than 25,000 at once."""

_Names = Collection[tuple[str, ...]]


@dataclass(frozen=True, slots=True)
class ManyPrefixes:
    """A cut that makes too many prefixes.

    Attributes
    ----------
    count, cut
        How many there are of a cut.
    better, better_count
        The finest cut that is coarser and makes no more than :data:`MOST_PREFIXES`, and how many it makes.

    """

    count: int
    cut: PrefixCut
    better: PrefixCut
    better_count: int

    def __str__(self) -> str:
        """Return what to do about it, in one line."""
        return (
            f"{self.count:,} prefixes of {self.cut} are more than the {MOST_PREFIXES:,} partitions that Dagster takes "
            f"well: {self.better.options} would make {self.better_count:,}. A catalog follows by one run of "
            "`dicom-assets catalog` with these and --move-prefixes, which reads no file"
        )


def too_many(prefixes: Collection[str], cut: PrefixCut) -> ManyPrefixes | None:
    """Return that there are too many prefixes, ``None`` where there are not.

    Parameters
    ----------
    prefixes
        Keys of all prefixes of an archive.
    cut
        Which makes them.

    """
    if len(prefixes) <= MOST_PREFIXES:
        return None
    root = ROOT_PREFIX in prefixes
    names: _Names = [
        tuple(unquote(key.removesuffix(ANY), errors="surrogateescape").split("/"))
        for key in prefixes
        if key != ROOT_PREFIX
    ]
    longest = cut.chars - 1 if cut.chars else max(len(name[-1]) for name in names) - 1
    for depth in range(cut.depth, 0, -1):
        names = {name[:depth] for name in names}
        if depth < cut.depth and len(names) + root <= MOST_PREFIXES:
            return ManyPrefixes(len(prefixes), cut, PrefixCut(depth), len(names) + root)
        chars = _most_chars(names, longest, MOST_PREFIXES - root)
        if chars:
            return ManyPrefixes(len(prefixes), cut, PrefixCut(depth, chars), _count(names, chars) + root)
        longest = max((len(name[depth - 2]) for name in names if depth > 1), default=0) - 1
    return ManyPrefixes(len(prefixes), cut, PrefixCut(0), 1)


def _most_chars(names: _Names, longest: int, most: int) -> int:
    """Return how many characters of the last names may count, 0 where even one is too many."""
    low, high = 0, max(longest, 0)
    while low < high:
        middle = (low + high + 1) // 2
        low, high = (middle, high) if _count(names, middle) <= most else (low, middle - 1)
    return low


def _count(names: _Names, chars: int) -> int:
    return len({(name[:-1], name[-1][:chars]) for name in names})

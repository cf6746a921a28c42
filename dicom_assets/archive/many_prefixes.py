"""When a cut makes more prefixes than Dagster takes well, and which cut would not."""

from collections.abc import Collection
from dataclasses import dataclass
from urllib.parse import unquote

import pyarrow as pa
import pyarrow.compute as pc

from dicom_assets.archive.prefixes import ANY, ROOT_PREFIX, PrefixCut

MOST_PREFIXES = 20_000
"""Dagster's pages slow down beyond some ten thousand partitions, and it advises to add no more than 25,000 at once."""

_BYTES = {0xDC00 + byte: 0xF0000 + byte for byte in range(0x80, 0x100)}


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
    folders = pa.array([_plain(key) for key in prefixes if key != ROOT_PREFIX], pa.string())
    shorter = cut.chars or None
    for depth in range(cut.depth, 0, -1):
        count = len(folders) + root
        if depth < cut.depth and count <= MOST_PREFIXES:
            return ManyPrefixes(len(prefixes), cut, PrefixCut(depth), count)
        names = _Names.of(folders)
        chars = names.most_chars((shorter or names.longest) - 1, MOST_PREFIXES - root)
        if chars:
            return ManyPrefixes(len(prefixes), cut, PrefixCut(depth, chars), names.count(chars) + root)
        folders, shorter = pc.unique(names.above), None
    return ManyPrefixes(len(prefixes), cut, PrefixCut(0), 1)


@dataclass(frozen=True, slots=True)
class _Names:
    """Folders, as what is above them and their own names: columns, for there may be a million."""

    above: pa.Array
    last: pa.Array

    @classmethod
    def of(cls, folders: pa.Array) -> "_Names":
        parts = pc.extract_regex(folders, r"(?s)^(?:(?P<above>.*)/)?(?P<last>[^/]*)$")
        return cls(pc.struct_field(parts, "above"), pc.struct_field(parts, "last"))

    @property
    def longest(self) -> int:
        return int(pc.max(pc.utf8_length(self.last)).as_py() or 0)

    def count(self, chars: int) -> int:
        """Return how many there are that begin otherwise."""
        starts = pc.utf8_slice_codeunits(self.last, 0, chars)
        return int(pc.count_distinct(pc.binary_join_element_wise(self.above, starts, "/")).as_py())

    def most_chars(self, longest: int, most: int) -> int:
        """Return how many characters may count, 0 where even one is too many."""
        low, high = 0, max(longest, 0)
        while low < high:
            middle = (low + high + 1) // 2
            low, high = (middle, high) if self.count(middle) <= most else (low, middle - 1)
        return low


def _plain(key: str) -> str:
    """Return the folders of a key as text; bytes that are no UTF-8 as characters that no name has."""
    text = key.removesuffix(ANY)
    return unquote(text, errors="surrogateescape").translate(_BYTES) if "%" in text else text

"""Stacks of frames in the same places: which attribute tells them apart.

Time points, echoes, b-values, phases of the heart, magnitude and phase, segments: each is a stack of slices, and the
same slices again. What varies between them is found, not assumed: an attribute tells stacks apart when each of its
values has all the slices.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from dicom_assets.dicom.geometry.attributes import DISCRIMINATORS

IntArray = npt.NDArray[np.int64]

_OWN_PLACES = ("StackID", "ReferencedSegmentNumber")
"""What says that frames belong together, be they in the same places as others or not (PS3.3 C.7.6.16.2.2.4)."""
_IN_ORDER = (
    "TriggerTime",
    "FrameReferenceTime",
    "AcquisitionTime",
    "FrameAcquisitionDateTime",
    "ContentTime",
    "InstanceNumber",
)
"""What may differ from slice to slice in a stack, and still puts the frames in each place in order of the stacks."""


@dataclass(frozen=True, slots=True)
class Stacks:
    """Frames by stack.

    Attributes
    ----------
    numbers
        Shape ``(n,)``: the stack of each frame, from 0, in the order of the values that tell them apart.
    by
        Keyword of what does, several separated by ``, ``; ``None`` for one stack.

    """

    numbers: IntArray
    by: str | None = None

    @property
    def count(self) -> int:
        """How many there are."""
        return int(self.numbers.max()) + 1

    def split(self, codes: IntArray, keyword: str) -> "Stacks":
        """Return stacks that differ in something else too."""
        combined = self.numbers * (int(codes.max()) + 1) + codes
        numbers = np.unique(combined, return_inverse=True)[1].reshape(-1)
        return Stacks(numbers, keyword if self.by is None else f"{self.by}, {keyword}")


def tell_apart(places: IntArray, discriminators: Mapping[str, Sequence[object]]) -> Stacks:
    """Return the stacks that frames are in; one where nothing tells more of them apart.

    Parameters
    ----------
    places
        Shape ``(n,)``: the number of the place that each frame is in, from 0, along the normal.
    discriminators
        As in :class:`~dicom_assets.dicom.geometry.Frames`.

    """
    columns = _Columns(discriminators)
    whole = Stacks(np.zeros(len(places), np.int64))
    for keyword in filter(columns.tells, _OWN_PLACES):
        whole = whole.split(columns[keyword], keyword)
    if not repeats(whole, places):
        return whole
    found = _by_value(whole, places, columns)
    for keyword in _IN_ORDER:
        if not repeats(found, places):
            return found
        if columns.tells(keyword):
            found = _by_order(found, places, columns[keyword], keyword)
    return found if not repeats(found, places) else _incomplete(whole, places, columns)


def repeats(stacks: Stacks, places: IntArray) -> int:
    """Return how many frames are in a place that another frame of their stack has.

    Parameters
    ----------
    stacks, places
        Of the frames.

    """
    return len(places) - len(np.unique(_pairs(stacks.numbers, places)))


def differ(stacks: Stacks, places: IntArray) -> bool:
    """Say whether stacks have frames in different places.

    Parameters
    ----------
    stacks, places
        Of the frames.

    """
    return len(np.unique(_pairs(stacks.numbers, places))) != stacks.count * (int(places.max()) + 1)


class _Columns:
    """The discriminators as numbers in the order of their values, made when they are asked for."""

    def __init__(self, discriminators: Mapping[str, Sequence[object]]) -> None:
        self._values = discriminators
        self._codes: dict[str, IntArray] = {}

    def tells(self, keyword: str) -> bool:
        """Say whether there are two values of it."""
        return keyword in self._values and bool(self[keyword].max() > 0)

    def __getitem__(self, keyword: str) -> IntArray:
        if keyword not in self._codes:
            self._codes[keyword] = _codes(self._values[keyword])
        return self._codes[keyword]


def _codes(column: Sequence[object]) -> IntArray:
    """Return the numbers of values in their order: numbers as numbers, before text; what is missing comes first."""
    distinct = sorted(set(column), key=_rank)
    number = {value: at for at, value in enumerate(distinct)}
    return np.array([number[value] for value in column], np.int64)


def _rank(value: object) -> tuple[int, tuple[float, ...], str]:
    if value is None:
        return 0, (), ""
    text = str(value)
    try:
        return 1, tuple(float(part) for part in text.split("\\")), text
    except ValueError:
        return 2, (), text


def _pairs(numbers: IntArray, places: IntArray) -> IntArray:
    """Return one number for each stack and place."""
    return numbers * (int(places.max()) + 1) + places


def _by_value(stacks: Stacks, places: IntArray, columns: _Columns) -> Stacks:
    """Split stacks by each attribute of which every value has all the places of the stack."""
    for keyword in DISCRIMINATORS:
        if not repeats(stacks, places):
            break
        if keyword in _OWN_PLACES or not columns.tells(keyword):
            continue
        finer = stacks.split(columns[keyword], keyword)
        if finer.count > stacks.count and _are_whole(finer, stacks, places):
            stacks = finer
    return stacks


def _are_whole(finer: Stacks, stacks: Stacks, places: IntArray) -> bool:
    """Say whether each part of a stack has all the places of the stack."""
    having = _places_of(stacks, places)
    parent = np.zeros(finer.count, np.int64)
    parent[finer.numbers] = stacks.numbers
    return bool((_places_of(finer, places) == having[parent]).all())


def _places_of(stacks: Stacks, places: IntArray) -> IntArray:
    """Return how many places each stack has."""
    pairs = np.unique(_pairs(stacks.numbers, places))
    return np.bincount(pairs // (int(places.max()) + 1), minlength=stacks.count)


def _by_order(stacks: Stacks, places: IntArray, codes: IntArray, keyword: str) -> Stacks:
    """Split stacks by the order of an attribute in each place: the first frames of all places, the second...

    Only where every place of a stack has as many frames, all with a value of their own: a single slice that was taken
    twice makes no stack.
    """
    pairs = _pairs(stacks.numbers, places)
    order = np.lexsort((codes, pairs))
    sorted_pairs, sorted_codes = pairs[order], codes[order]
    same_place = sorted_pairs[1:] == sorted_pairs[:-1]
    if (same_place & (sorted_codes[1:] == sorted_codes[:-1])).any():
        return stacks
    _, begins, counts = np.unique(sorted_pairs, return_index=True, return_counts=True)
    of_stack = stacks.numbers[order][begins]
    fewest = np.full(stacks.count, len(places))
    np.minimum.at(fewest, of_stack, counts)
    if (counts != fewest[of_stack]).any():
        return stacks
    rank = np.empty(len(places), np.int64)
    rank[order] = np.arange(len(places)) - np.repeat(begins, counts)
    return stacks.split(rank, keyword)


def _incomplete(whole: Stacks, places: IntArray, columns: _Columns) -> Stacks:
    """Split by one attribute that leaves no place twice, though stacks lack slices: an acquisition that was stopped.

    It may not make more stacks than there are frames in the fullest place. Without one, the frames stay together.
    """
    fullest = int(np.bincount(_pairs(whole.numbers, places)).max())
    for keyword in DISCRIMINATORS:
        if keyword in _OWN_PLACES or not columns.tells(keyword):
            continue
        finer = whole.split(columns[keyword], keyword)
        if finer.count <= fullest * whole.count and not repeats(finer, places):
            return finer
    return whole

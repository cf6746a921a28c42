"""A walk over all items of a data set, at all depths, also those that its header does not keep."""

from collections.abc import Container, Iterator
from dataclasses import dataclass

from dicom_assets.dicom.header import Element, Header, JsonDataset
from dicom_assets.dicom.header.limits import DEFAULT_LIMITS, HeaderLimits
from dicom_assets.dicom.items import UnreadableItemsError, items_of


@dataclass(frozen=True, slots=True)
class Visited:
    """One item on the way.

    Attributes
    ----------
    tags
        Of the sequences that it stands in, outermost first.
    items
        The items that it stands in, outermost first, and itself at the end.

    """

    tags: tuple[str, ...]
    items: tuple[JsonDataset, ...]

    @property
    def item(self) -> JsonDataset:
        """The item itself."""
        return self.items[-1]


_ROOT = Visited((), ())


class ItemWalk:
    """One walk, depth first, in the order of the file; it is used once.

    Parameters
    ----------
    header
        As :func:`~dicom_assets.dicom.header.read_header` returns it.
    most
        Items after which the walk ends.
    among
        Tags of the sequences of the data set to be walked; by default all.
    limits
        What is inlined of items that are read from the file, and when to stop.

    Attributes
    ----------
    incomplete
        Tags of the sequences of the data set that were not walked to their end, once the walk is over.

    """

    def __init__(
        self,
        header: Header,
        most: int,
        among: Container[str] | None = None,
        limits: HeaderLimits = DEFAULT_LIMITS,
    ) -> None:
        self.incomplete: dict[str, None] = {}
        self._header = header
        self._left = most
        self._among = among
        self._limits = limits

    def __iter__(self) -> Iterator[Visited]:
        """Yield the items; raises :class:`OSError` if the source does."""
        dataset = self._header.dataset
        chosen = dataset if self._among is None else {tag: dataset[tag] for tag in dataset if tag in self._among}
        open_levels = [self._below(chosen, _ROOT)]  # no recursion: it would cost a frame for each level and item
        while open_levels:
            visited = next(open_levels[-1], None)
            if visited is None:
                open_levels.pop()
                continue
            self._left -= 1
            if self._left < 0:
                self._note(visited.tags[0])
                return
            yield visited
            open_levels.append(self._below(visited.item, visited))

    def _below(self, dataset: JsonDataset, around: Visited) -> Iterator[Visited]:
        """Yield the items of the sequences of one data set."""
        for tag, element in dataset.items():
            if element["vr"] == "SQ":
                tags = (*around.tags, tag)
                for item in self._items(element, tags[0]):
                    yield Visited(tags, (*around.items, item))

    def _items(self, element: Element, outermost: str) -> Iterator[JsonDataset]:
        try:
            yield from items_of(self._header, element, self._limits)
        except UnreadableItemsError:
            self._note(outermost)

    def _note(self, outermost: str) -> None:
        self.incomplete[outermost] = None

"""The elements of a header that a path names, found in the header itself."""

from collections.abc import Iterator
from dataclasses import dataclass

from pydicom.datadict import dictionary_VM, keyword_for_tag, private_dictionary_VM

from dicom_assets.dicom.header.attribute_path import (
    ALL,
    AttributePathError,
    PrivateElement,
    Step,
    parse_attribute_path,
)
from dicom_assets.dicom.header.model import Element, Header, JsonDataset

_PIXELS = frozenset({"7FE00008", "7FE00009", "7FE00010"})
_BLOCKS = range(0x10, 0x100)
"""Element numbers of private creators (PS3.5 7.8.1)."""


@dataclass(frozen=True, slots=True)
class AttributePath:
    """An attribute, and the sequences that it stands in.

    Attributes
    ----------
    steps
        From the data set to the attribute.

    """

    steps: tuple[Step, ...]

    @classmethod
    def parse(cls, word: str) -> "AttributePath":
        """Return the attribute that a word names, one that has values.

        Raises
        ------
        AttributePathError
            It names none, a sequence, or pixel data, which is no part of a header.

        """
        path = cls(parse_attribute_path(word))
        if path.last.vr == "SQ":
            raise AttributePathError(
                f"{path} is a sequence: name an attribute of its items, such as {path}[0].CodeValue"
            )
        if path.last.element in _PIXELS:
            raise AttributePathError(f"{path} is no part of the header")
        return path

    @property
    def last(self) -> Step:
        """The attribute itself."""
        return self.steps[-1]

    @property
    def tag(self) -> str | None:
        """Tag of an attribute that stands in the data set itself, ``None`` of private elements and those in items."""
        alone = len(self.steps) == 1 and isinstance(self.last.element, str)
        return str(self.last.element) if alone else None

    @property
    def keyword(self) -> str:
        """Keyword of the attribute, empty where it has none."""
        element = self.last.element
        return keyword_for_tag(int(element, 16)) if isinstance(element, str) else ""

    @property
    def many(self) -> bool:
        """Whether there may be several values: by the dictionaries, or because several items are meant."""
        if any(step.item == ALL for step in self.steps):
            return True
        return self.last.item is None and _multiplicity(self.last.element).rpartition("-")[2] != "1"

    def elements(self, header: Header) -> Iterator[Element]:
        """Yield the elements that are meant, in the order of their items; of one value, an element that has just it."""
        datasets: list[JsonDataset] = [header.file_meta if self.steps[0].in_meta else header.dataset]
        for step in self.steps[:-1]:
            datasets = [item for dataset in datasets for item in _items(step, dataset)]
        for dataset in datasets:
            element = _element(step=self.last, dataset=dataset)
            if element is not None:
                yield _of_value(element, self.last.item)

    def __str__(self) -> str:
        return ".".join(map(_text, self.steps))


def _element(step: Step, dataset: JsonDataset) -> Element | None:
    """Return the element that a step names; of a creator with several blocks, from the first that has it."""
    if isinstance(step.element, str):
        return dataset.get(step.element)
    wanted = step.element
    for block in _BLOCKS:
        reserves = dataset.get(f"{wanted.group}00{block:02X}", {}).get("Value")
        if reserves and reserves[0] == wanted.creator:
            found = dataset.get(f"{wanted.group}{block:02X}{wanted.offset}")
            if found is not None:
                return found
    return None


def _items(step: Step, dataset: JsonDataset) -> list[JsonDataset]:
    """Return the items that a step names, as far as the header holds them."""
    element = _element(step, dataset)
    if element is None or element.get("vr") != "SQ":
        return []
    found = [item for item in element.get("Value") or () if isinstance(item, dict)]
    if step.item == ALL:
        return found
    first = int(step.item or 0)
    return found[first : first + 1]


def _of_value(element: Element, number: int | str | None) -> Element:
    values = element.get("Value")
    if not isinstance(number, int) or not isinstance(values, list):
        return element
    return {**element, "Value": values[number : number + 1]}


def _text(step: Step) -> str:
    if isinstance(step.element, PrivateElement):
        name = f'({step.element.group},"{step.element.creator}",{step.element.offset})'
    else:
        name = keyword_for_tag(int(step.element, 16)) or step.element
    return name if step.item is None else f"{name}[{step.item}]"


def _multiplicity(element: str | PrivateElement) -> str:
    """Return how many values the dictionaries allow, ``1`` where they do not know the element."""
    try:
        if isinstance(element, str):
            return str(dictionary_VM(int(element, 16)))
        return str(private_dictionary_VM(int(f"{element.group}10{element.offset}", 16), element.creator))
    except KeyError:
        return "1"

"""Where an attribute stands in a header, as people write it: a keyword, a tag, a private element, a path into sequences.

================================================  ===================================================================
``PatientWeight``                                 keyword of PS3.6
``00101030``, ``(0010,1030)``                     tag
``(0009,"GEMS_IDEN_01",01)``                      private element: group, creator, number in the creator's block
``RequestAttributesSequence[0].ScheduledStepID``  in the first item of a sequence; ``[0]`` may be left out
``ReferencedSeriesSequence[*].SeriesInstanceUID`` in all items
``ImageType[2]``                                  the third value
================================================  ===================================================================
"""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from difflib import get_close_matches

from pydicom.datadict import (
    dictionary_VM,
    dictionary_VR,
    keyword_dict,
    keyword_for_tag,
    private_dictionary_VM,
    private_dictionary_VR,
)

from dicom_assets.dicom.header.model import Element, Header, JsonDataset
from dicom_assets.errors import UserError

_STEP = re.compile(
    r"(?:(?P<tag>[0-9A-Fa-f]{8})(?![0-9A-Za-z])"
    r"|\(\s*(?P<group>[0-9A-Fa-f]{4})\s*,\s*(?P<element>[0-9A-Fa-f]{4})\s*\)"
    r'|\(\s*(?P<owned>[0-9A-Fa-f]{4})\s*,\s*"(?P<creator>[^"\\\x00-\x1f\x7f]{1,64})"\s*,\s*(?P<number>[0-9A-Fa-f]{2})\s*\)'
    r"|(?P<keyword>[A-Za-z][A-Za-z0-9]*))"
    r"(?:\[(?P<item>\d{1,6}|\*)\])?"
)
_ITEM_OF_ALL = "*"
_PIXELS = frozenset({"7FE00008", "7FE00009", "7FE00010"})
_BLOCKS = range(0x10, 0x100)
"""First half of the element numbers that a private creator reserves (PS3.5 7.8.1)."""
_SHOWN = 80


class AttributePathError(UserError, ValueError):
    """A text names no attribute of a header."""


@dataclass(frozen=True, slots=True)
class Step:
    """One attribute on the way.

    Attributes
    ----------
    tag
        Eight hexadecimal digits in capitals; of a private element named by its creator, the group and ``00``, and its
        number in the block: ``00090001``.
    creator
        Of a private element, ``None`` of others.
    item
        Which item of a sequence, or value of an attribute, from 0; ``None`` where that is not stated.
    every
        Whether all items are meant.

    """

    tag: str
    creator: str | None = None
    item: int | None = None
    every: bool = False

    def element(self, dataset: JsonDataset) -> Element | None:
        """Return the element of a data set, ``None`` where it has none."""
        if self.creator is None:
            return dataset.get(self.tag)
        group, number = self.tag[:4], self.tag[6:]
        for block in _BLOCKS:
            values = dataset.get(f"{group}00{block:02X}", {}).get("Value")
            if values and values[0] == self.creator:
                found = dataset.get(f"{group}{block:02X}{number}")
                if found is not None:
                    return found
        return None

    def items(self, element: Element) -> list[JsonDataset]:
        """Return the items that are meant of a sequence, as far as the header holds them."""
        if element.get("vr") != "SQ":
            return []
        found = [item for item in element.get("Value") or () if isinstance(item, dict)]
        first = self.item or 0
        return found if self.every else found[first : first + 1]

    def __str__(self) -> str:
        if self.creator is not None:
            name = f'({self.tag[:4]},"{self.creator}",{self.tag[6:]})'
        else:
            name = keyword_for_tag(int(self.tag, 16)) or self.tag
        return f"{name}[*]" if self.every else name if self.item is None else f"{name}[{self.item}]"


@dataclass(frozen=True, slots=True)
class AttributePath:
    """An attribute of a header, and the sequences that it stands in."""

    steps: tuple[Step, ...]

    @property
    def last(self) -> Step:
        """The attribute itself."""
        return self.steps[-1]

    @property
    def keyword(self) -> str:
        """Keyword of the attribute, empty where it has none."""
        return "" if self.last.creator is not None else keyword_for_tag(int(self.last.tag, 16))

    @property
    def vr(self) -> str:
        """Value Representation by the dictionaries, the first where there are several; ``UN`` where they know none."""
        return _of_dictionary(self.last, dictionary_VR, private_dictionary_VR, "UN").partition(" ")[0]

    @property
    def many(self) -> bool:
        """Whether there may be several values: by the dictionaries, or because several items are meant."""
        if any(step.every for step in self.steps):
            return True
        multiplicity = _of_dictionary(self.last, dictionary_VM, private_dictionary_VM, "1")
        return self.last.item is None and multiplicity.rpartition("-")[2] != "1"

    def elements(self, header: Header) -> Iterator[Element]:
        """Yield the elements that are meant, in the order of their items."""
        first = header.file_meta if self.steps[0].tag.startswith("0002") else header.dataset
        datasets: list[JsonDataset] = [first]
        for step in self.steps[:-1]:
            found = (step.element(dataset) for dataset in datasets)
            datasets = [item for element in found if element is not None for item in step.items(element)]
        for dataset in datasets:
            element = self.last.element(dataset)
            if element is not None:
                yield element

    def __str__(self) -> str:
        return ".".join(map(str, self.steps))


def parse_path(text: str) -> AttributePath:
    """Return the attribute that a text names.

    Raises
    ------
    AttributePathError
        It names none; nearest keywords are suggested where a word is none.

    """
    steps: list[Step] = []
    position = 0
    while True:
        found = _STEP.match(text, position)
        if found is None:
            raise AttributePathError(
                f"{text[:_SHOWN]!a} names no attribute: take a keyword (PatientWeight), a tag (00101030), a private "
                'element ((0009,"GEMS_IDEN_01",01)), or a path of them (RequestAttributesSequence[0].ScheduledStepID)'
            )
        steps.append(_step(found))
        position = found.end()
        if position == len(text):
            return _checked(AttributePath(tuple(steps)))
        if text[position] != ".":
            raise AttributePathError(
                f"{text[:_SHOWN]!a} names no attribute: {text[position]!a} stands after {found[0]!a}"
            )
        position += 1


def _step(found: re.Match[str]) -> Step:
    parts = found.groupdict()
    every = parts["item"] == _ITEM_OF_ALL
    item = int(parts["item"]) if parts["item"] and not every else None
    if parts["creator"] is not None:
        if int(parts["owned"], 16) % 2 == 0:
            raise AttributePathError(f"{found[0]!a} is no private element: the group number of one is odd")
        return Step(f"{parts['owned']}00{parts['number']}".upper(), parts["creator"].strip(), item, every)
    if parts["keyword"] is not None:
        return Step(_tag_of(parts["keyword"]), None, item, every)
    return Step((parts["tag"] or f"{parts['group']}{parts['element']}").upper(), None, item, every)


def _tag_of(keyword: str) -> str:
    if keyword in keyword_dict:
        return f"{keyword_dict[keyword]:08X}"
    folded = {known.casefold(): known for known in keyword_dict}
    near = [folded[one] for one in get_close_matches(keyword.casefold(), folded, n=3, cutoff=0.7)]
    hint = f"; near it are {', '.join(near)}" if near else ""
    raise AttributePathError(f"{keyword[:_SHOWN]!a} is no keyword of PS3.6{hint}")


def _checked(path: AttributePath) -> AttributePath:
    if path.last.tag in _PIXELS:
        raise AttributePathError(f"{path} is no part of the header")
    if path.vr == "SQ":
        raise AttributePathError(f"{path} is a sequence: name an attribute in it, such as {path}[0].CodeValue")
    for step in path.steps[:-1]:
        if step.creator is None and AttributePath((step,)).vr not in {"SQ", "UN"}:
            raise AttributePathError(f"{step} is no sequence: nothing stands in it")
    return path


def _of_dictionary(step: Step, public: Callable[[int], str], private: Callable[[int, str], str], default: str) -> str:
    try:
        if step.creator is not None:
            # The dictionary of private elements has them with the block left open: 0009xx01.
            return private(int(step.tag, 16) | 0x1000, step.creator)
        return public(int(step.tag, 16))
    except KeyError:
        return default

"""A header as nested elements for a page: tag, VR, keyword and value of each, items below their sequence."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import orjson

from dicom_assets.dicom.header.model import JsonDataset
from dicom_assets.query.header_tree import items_text, name_of, value_text
from dicom_assets.query.visible import visible

_ROOM = 300
"""Characters of a value."""
_DEEPEST = 64
MOST_NODES = 4_000
"""Elements on a page; a header of more is shown so far, and says so."""


@dataclass(frozen=True, slots=True)
class Node:
    """One element, or one item of a sequence.

    Attributes
    ----------
    tag, vr, name
        Of an element, such as ``(0008,0060)``, ``CS`` and ``Modality``; empty for an item.
    value
        What it holds; of an item its number, from 1.
    nodes
        Items of a sequence, elements of an item.

    """

    tag: str
    vr: str
    name: str
    value: str
    nodes: tuple["Node", ...] = ()

    def holds(self, word: str) -> bool:
        """Return whether a text in lower case occurs in it, not counting what is below."""
        plain = self.tag.strip("()").replace(",", "")
        return any(word in text.lower() for text in (self.tag, plain, self.name, self.value))


@dataclass(frozen=True, slots=True)
class Header:
    """The elements of a file.

    Attributes
    ----------
    meta, dataset
        Those of the file meta information, and of the data set.
    is_cut
        Whether there are more than are here.
    is_broken
        Whether what the tables hold is no JSON.

    """

    meta: tuple[Node, ...] = ()
    dataset: tuple[Node, ...] = ()
    is_cut: bool = False
    is_broken: bool = False


Told = Callable[[str, str], bool]
"""Whether an element is shown, by its tag and VR."""


def _all(tag: str, vr: str) -> bool:  # noqa: ARG001 - whatever they are
    return True


def header_of(stored: str | None, find: str = "", told: Told = _all) -> Header:
    """Return the header of a file for a page.

    Parameters
    ----------
    stored
        As ``object_catalog`` has it.
    find
        Only elements that hold this text, in any case, with the sequences around them.
    told
        Leaves elements out, with all below them.

    """
    try:
        parts: dict[str, JsonDataset] = orjson.loads(stored or "{}")
        walk = _Walk(told)
        meta, dataset = (tuple(walk.elements(parts.get(name) or {}, 0)) for name in ("fileMeta", "dataset"))
    except (orjson.JSONDecodeError, AttributeError, TypeError, ValueError):
        return Header(is_broken=True)
    if word := find.strip().lower():
        meta, dataset = tuple(matching(meta, word)), tuple(matching(dataset, word))
    return Header(meta, dataset, is_cut=walk.left <= 0)


def matching(nodes: tuple[Node, ...], word: str) -> Iterator[Node]:
    """Yield the nodes that hold a text in lower case, and those around such nodes; one that does keeps all below."""
    for node in nodes:
        if node.holds(word):
            yield node
        elif below := tuple(matching(node.nodes, word)):
            yield Node(node.tag, node.vr, node.name, node.value, below)


@dataclass(slots=True)
class _Walk:
    """A walk over a header that ends when it has seen enough."""

    told: Told
    left: int = MOST_NODES

    def elements(self, dataset: Mapping[str, Any], depth: int) -> Iterator[Node]:
        for tag, element in dataset.items():
            if self.left <= 0:
                return
            vr, name = str(element.get("vr", "??")), name_of(dataset, tag)
            if not self.told(tag, vr):
                continue
            self.left -= 1
            items = element.get("Value", []) if vr == "SQ" else []
            value = items_text(element) if vr == "SQ" else value_text(element, _ROOM)
            nodes = tuple(self._item(number, item, depth) for number, item in enumerate(items, 1) if self.left > 0)
            yield Node(visible(f"({tag[:4]},{tag[4:]})"), visible(vr), visible(name), value, nodes)

    def _item(self, number: int, item: Mapping[str, Any] | None, depth: int) -> Node:
        if depth >= _DEEPEST:
            return Node("", "", "", f"Item {number}, nested deeper than is shown")
        return Node("", "", "", f"Item {number}", tuple(self.elements(item or {}, depth + 1)))

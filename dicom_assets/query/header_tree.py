"""A header as a tree for reading: tag, VR, keyword and value of each element, sequences nested.

Private elements are named by pydicom's dictionary of them, by their creator (PS3.5 7.8). Values are as long as there is
room, those that are cut say how long they are, and nothing in them reaches a terminal that does not print.
"""

from base64 import b64decode
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pydicom.datadict import keyword_for_tag, private_dictionary_description
from pydicom.uid import UID_dictionary

from dicom_assets.dicom.header.dictionary import is_private
from dicom_assets.dicom.header.model import JsonDataset, first_value
from dicom_assets.dicom.header.typed_values import to_name
from dicom_assets.query.visible import visible

_KEYWORD = 30
"""Width of most keywords."""
_LEAST, _UID = 24, 64
"""Characters of a value that are shown however narrow the terminal is; a UID is never cut (PS3.5 9.1)."""
_DEEPEST = 64
"""Sequences in sequences, as many as are read from a file."""
_STEPS = 2
"""That the elements of an item are moved in, from those around its sequence."""
_INDENT = "  "
_BYTES_SHOWN = 16


@dataclass(frozen=True, slots=True)
class TreeLine:
    """One line of the tree.

    Attributes
    ----------
    depth
        Steps that it is moved in: two for each sequence around it, one for the item that it is.
    label
        Tag, VR and name; empty for items.
    value
        What it holds.

    """

    depth: int
    label: str
    value: str

    def __str__(self) -> str:
        """Return the line."""
        return f"{_INDENT * self.depth}{self.label}{self.value}".rstrip()


def tree(dataset: JsonDataset, width: int, depth: int = 0) -> Iterator[TreeLine]:
    """Yield the elements of a data set, those of sequences behind the sequence.

    Parameters
    ----------
    dataset
        In the DICOM JSON Model.
    width
        Characters of a line. Values are cut to fit.
    depth
        Steps that its elements are moved in, as in :class:`TreeLine`.

    """
    for tag, element in dataset.items():
        vr = str(element.get("vr", "??"))
        name = name_of(dataset, tag)
        label = f"({tag[:4]},{tag[4:]}) {vr:2} {name:{max(0, _KEYWORD - len(_INDENT) * depth)}} "
        room = max(_UID if vr == "UI" else _LEAST, width - len(_INDENT) * depth - len(label))
        items = element.get("Value", []) if vr == "SQ" else []
        yield TreeLine(depth, visible(label), items_text(element) if vr == "SQ" else value_text(element, room))
        for number, item in enumerate(items):
            yield TreeLine(depth + 1, "", f"[{number}]")
            if depth >= _DEEPEST * _STEPS:
                yield TreeLine(depth + _STEPS, "", "... nested deeper")
            else:
                yield from tree(item or {}, width, depth + _STEPS)


def name_of(dataset: Mapping[str, Any], tag: str) -> str:
    """Return the keyword of an element, or what is known of a private one; ``?`` where nothing is."""
    number = int(tag, 16)
    if not is_private(tag):
        return str(keyword_for_tag(number)) or ("GroupLength" if tag.endswith("0000") else "?")
    if tag[4:6] == "00":
        return "PrivateCreator"
    creator = first_value(dict(dataset), f"{tag[:4]}00{tag[4:6]}")
    try:
        return f"[{private_dictionary_description(number, creator)}]"
    except KeyError:
        return f"[{creator}]" if isinstance(creator, str) else "?"


def items_text(element: Mapping[str, Any]) -> str:
    """Return how many items a sequence has."""
    count = len(element.get("Value", []))
    told = "1 item" if count == 1 else f"{count:,} items"
    return f"{told}, and more in the file" if "BulkData" in element else told


def value_text(element: Mapping[str, Any], room: int) -> str:
    r"""Return the value of an element that is no sequence, its values separated by ``\`` as in the file (PS3.5 6.4).

    Parameters
    ----------
    element
        In the DICOM JSON Model.
    room
        Characters; what is longer is cut, and its length is said.

    """
    if "InlineBinary" in element:
        return _binary(element["InlineBinary"], room)
    if "BulkData" in element:
        length = element["BulkData"].get("length")
        return "<in the file>" if length is None else f"<{length:,} bytes in the file>"
    values = element.get("Value", [])
    text = "\\".join(map(_one, values))
    # Cut before it is made visible, which makes it longer: texts may have megabytes.
    shown = visible(text[: room + 1])
    if len(shown) <= room and len(text) <= room:
        name = _uid_name(element.get("vr"), values)
        return f"{shown} ({name})" if name and len(shown) + len(name) + 3 <= room else shown
    length = f"… ({len(values):,} values)" if len(values) > 1 else f"… ({len(text):,} characters)"
    return f"{shown[: max(1, room - len(length))]}{length}"


def _one(value: Any) -> str:
    """Return one value as the file would have it; a name with its component groups (PS3.5 6.2.1)."""
    if value is None:
        return ""
    if isinstance(value, dict):
        return to_name(value) or ""
    return str(value)


def _binary(encoded: str, room: int) -> str:
    content = b64decode(encoded)
    length = f"<{len(content):,} bytes>"
    shown = content[: min(_BYTES_SHOWN, max(0, (room - len(length) - 2) // 3))].hex(" ")
    return f"{length} {shown}{'…' if len(shown) and len(content) > (len(shown) + 1) // 3 else ''}".rstrip()


def _uid_name(vr: Any, values: Sequence[Any]) -> str | None:
    """Return the name of a UID of PS3.6 annex A."""
    if vr != "UI" or len(values) != 1:
        return None
    entry = UID_dictionary.get(str(values[0]))
    return entry[0] if entry else None

r"""The text of a header: JSON in which a search for text finds the elements of the data set and not those in its items.

JSON leaves white space free, and this is what is said by it: an element in an item of a sequence has a space between
its tag and the rest, ``"00080100": {"vr"``, one of the data set itself has none, and the text ends with a line feed.
In a string a quotation mark is escaped, so ``"00080100":{"vr"`` is nothing but the tag of an element. Whoever looks for
one attribute in many headers need not parse them; whoever parses them sees no difference.
"""

from typing import Any

import orjson

from dicom_assets.dicom.header.model import Element, Header

MARK = "\n"
"""How the text ends, unless a version of this package wrote it that did not tell elements from those in items."""

_OPENING, _NESTED = b'":{"v', b'": {"v'
"""As much of the above as no string can hold, and no more: Python looks for the last letter, which is rare."""


def header_json(header: Header) -> bytes:
    """Return a header as JSON text in UTF-8: ``{"fileMeta": {...}, "dataset": {...}}``, tags in ascending order."""
    dataset = header.dataset
    sequences = _sequences(header)
    if sequences:
        dataset = dataset.copy()
        for tag in sequences:
            dataset[tag] = _nested(header.dataset[tag])
    return orjson.dumps({"fileMeta": header.file_meta, "dataset": dataset}, option=orjson.OPT_APPEND_NEWLINE)


def _sequences(header: Header) -> list[str]:
    """Return the tags of the sequences in the data set itself."""
    dataset = header.dataset
    if header.sequences is None:
        return [tag for tag, element in dataset.items() if element["vr"] == "SQ"]
    return [tag for tag in header.sequences if tag in dataset]


def _nested(sequence: Element) -> Any:
    """Return a sequence with a space before each element in its items."""
    return orjson.Fragment(orjson.dumps(sequence).replace(_OPENING, _NESTED))

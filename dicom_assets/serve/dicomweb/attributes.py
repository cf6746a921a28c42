"""Attributes by the names that clients give them (PS3.18 8.3.4): keywords, tags, and ways through sequences."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache

from pydicom.datadict import keyword_for_tag, tag_for_keyword

from dicom_assets.dicom.header.vr import public_vr
from dicom_assets.extract.attributes import PROMOTED
from dicom_assets.serve.errors import RequestError
from dicom_assets.tables import Column

_TAG = re.compile(r"[0-9A-Fa-f]{8}")
_KEYWORD = re.compile(r"[A-Z][0-9A-Za-z]*")
_LONGEST_PATH = 8
_SHOWN = 64
_VR_OF_A_CHOICE = {"US or SS": "US", "US or OW": "OW", "US or SS or OW": "OW", "OB or OW": "OW"}

_COLUMNS: dict[str, Column] = {column.tag: column for column in PROMOTED if column.tag is not None}


@dataclass(frozen=True, slots=True)
class Attribute:
    """One attribute.

    Attributes
    ----------
    tags
        From the data set through sequences to the attribute: eight hexadecimal digits in capitals each.
    vr
        Value Representation by the dictionary; ``UN`` where that does not know it.

    """

    tags: tuple[str, ...]
    vr: str

    @property
    def tag(self) -> str:
        """The tag by which the attribute, or the sequence that it is in, stands in a data set."""
        return self.tags[0]

    @property
    def keyword(self) -> str:
        """Its keyword, or its tag where it has none."""
        return keyword_for_tag(int(self.tags[-1], 16)) or self.tags[-1]

    @property
    def column(self) -> Column | None:
        """The column of ``object_catalog`` that holds it, ``None`` where only the header does."""
        return _COLUMNS.get(self.tags[0]) if len(self.tags) == 1 else None

    @property
    def path(self) -> str:
        """Where its values are in a header, in every item of sequences, as the words of SQL take it."""
        return "[*].".join(self.tags)


def looks_like_an_attribute(name: str) -> bool:
    """Return whether the name of a parameter is meant as one of an attribute, perhaps mistyped."""
    first = name.partition(".")[0]
    return bool(_TAG.fullmatch(first) or (_KEYWORD.match(first)))


@cache
def attribute_of(name: str) -> Attribute:
    """Return the attribute of a name.

    Parameters
    ----------
    name
        Keyword or tag; of one in a sequence ``SequenceKeyword.Keyword``.

    Raises
    ------
    RequestError
        There is no such attribute, or it is one of the file meta information, which no search is about.

    """
    tags = tuple(_tags(name))
    if len(tags) > _LONGEST_PATH or any(tag.startswith(("0002", "0000")) for tag in tags):
        raise RequestError(f"{name[:_SHOWN]!a} is no attribute to search for")
    for outer in tags[:-1]:
        if public_vr(int(outer, 16)) not in {"SQ", None}:
            raise RequestError(f"{name[:_SHOWN]!a}: {outer} is no sequence, so nothing is in it")
    vr = public_vr(int(tags[-1], 16)) or "UN"
    return Attribute(tags, _VR_OF_A_CHOICE.get(vr, vr))


def _tags(name: str) -> Iterator[str]:
    for part in name.split("."):
        if _TAG.fullmatch(part):
            yield part.upper()
        elif _KEYWORD.fullmatch(part) and (tag := tag_for_keyword(part)) is not None:
            yield f"{tag:08X}"
        else:
            raise RequestError(f"there is no attribute {name[:_SHOWN]!a}: give a keyword or a tag of PS3.6")

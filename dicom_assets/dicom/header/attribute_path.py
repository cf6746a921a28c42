"""The words by which people name an attribute: a keyword, a tag, a private element, a path into sequences.

=============================================  ===========================================================
``PatientWeight``                              keyword (PS3.6); of curves and overlays, in their first group
``00101030``, ``(0010,1030)``                  tag
``(0009,"GEMS_IDEN_01",01)``                   private element: group, creator, last two digits (PS3.5 7.8)
``RequestAttributesSequence[1].StudyID``       in the second item of a sequence
``RequestAttributesSequence.StudyID``          in the first item
``RequestAttributesSequence[*].StudyID``       in every item
``ImageType[2]``                               the third value
=============================================  ===========================================================
"""

import re
from dataclasses import dataclass
from difflib import get_close_matches
from functools import cache
from itertools import pairwise

from pydicom.datadict import RepeatersDictionary, keyword_for_tag, tag_for_keyword
from pydicom.datadict import keyword_dict as _KEYWORDS  # noqa: N812 - a table, and it is constant

from dicom_assets.dicom.header.vr import private_vr, public_vr
from dicom_assets.errors import UserError

ALL = "*"
"""Every item of a sequence, or every value."""

_META_GROUP = "0002"
_SUGGESTED = 3
_HEX = "[0-9A-Fa-f]"
_STEP = re.compile(
    rf"""
    (?: (?P<tag>{_HEX}{{8}}) (?![0-9A-Za-z])
      | (?P<keyword>[A-Za-z][0-9A-Za-z]*)
      | \(\s* (?P<group>{_HEX}{{4}}) \s*,\s*
          (?: (?P<element>{_HEX}{{4}}) | "(?P<creator>[^"]+)" \s*,\s* (?:0x)?(?P<offset>{_HEX}{{2}}) )
        \s*\)
    )
    (?: \[ (?P<item> \d{{1,9}} | \* ) \] )?
    """,
    re.VERBOSE,
)


class AttributePathError(UserError, ValueError):
    """A word names no attribute."""


@dataclass(frozen=True, slots=True)
class PrivateElement:
    """A private element, which is at another tag in each data set (PS3.5 7.8.1).

    Attributes
    ----------
    group
        Four hexadecimal digits, capitals.
    creator
        What reserves the block that it is in.
    offset
        Its place in the block, two hexadecimal digits.

    """

    group: str
    creator: str
    offset: str


@dataclass(frozen=True, slots=True)
class Step:
    """One step of a path.

    Attributes
    ----------
    element
        The tag, eight hexadecimal digits in capitals, or a private element.
    item
        Number of the item or value from 0, :data:`ALL`, or ``None`` where none is stated.

    """

    element: str | PrivateElement
    item: int | str | None = None

    @property
    def in_meta(self) -> bool:
        """Whether the element is one of the file meta information."""
        return isinstance(self.element, str) and self.element.startswith(_META_GROUP)

    @property
    def is_public(self) -> bool:
        """Whether the element is at a tag of the standard: in a group of even number."""
        return isinstance(self.element, str) and int(self.element[:4], 16) % 2 == 0

    @property
    def vr(self) -> str | None:
        """Value Representation that the dictionaries state, ``None`` where they do not know the element."""
        if isinstance(self.element, str):
            return public_vr(int(self.element, 16))
        return private_vr(int(f"{self.element.group}00{self.element.offset}", 16), self.element.creator)


def parse_attribute_path(word: str) -> tuple[Step, ...]:
    """Return the steps from the data set to an attribute.

    Raises
    ------
    AttributePathError
        There is no such keyword, or the word is none of the forms. The message names the nearest keywords.

    """
    steps: list[Step] = []
    position = 0
    while not steps or position < len(word):
        if steps:
            if word[position] != ".":
                raise _no_attribute(word, word[position:])
            position += 1
        found = _STEP.match(word, position)
        if found is None:
            raise _no_attribute(word, word[position:])
        steps.append(_step(word, found))
        position = found.end()
    _check(word, steps)
    return tuple(steps)


def _step(word: str, found: re.Match[str]) -> Step:
    item = found["item"] if found["item"] in (ALL, None) else int(found["item"])
    if found["creator"]:
        group = found["group"].upper()
        if int(group, 16) % 2 == 0:
            raise AttributePathError(f"{word!a}: private elements have groups of odd number, {group} is even")
        return Step(PrivateElement(group, found["creator"], found["offset"].upper()), item)
    if not found["keyword"]:
        return Step((found["tag"] or found["group"] + found["element"]).upper(), item)
    keyword = found["keyword"]
    tag = tag_for_keyword(keyword)
    if tag is None and keyword not in _first_of_repeating():
        raise _no_attribute(word, word[found.start() :])
    return Step(f"{tag:08X}" if tag is not None else _first_of_repeating()[keyword], item)


def _check(word: str, steps: list[Step]) -> None:
    """Refuse a way through elements that have no items."""
    for outer, _ in pairwise(steps):
        if outer.vr not in (None, "SQ", "UN"):
            assert isinstance(outer.element, str)
            name = keyword_for_tag(int(outer.element, 16)) or outer.element
            raise AttributePathError(f"{word!a}: {name} is no sequence, so nothing is in it")
    if any(step.in_meta for step in steps[1:]):
        raise AttributePathError(f"{word!a}: elements of the file meta information are in no sequence")


def _no_attribute(word: str, part: str) -> AttributePathError:
    near = nearest_keywords(part)
    if near:
        *others, last = near
        advice = f"did you mean {', '.join(others)}{' or ' if others else ''}{last}?"
    else:
        advice = "give a keyword (PatientWeight), a tag (00101030), or a path (RequestAttributesSequence[0].StudyID)"
    return AttributePathError(f"there is no attribute {word!a}; {advice}")


def nearest_keywords(text: str) -> list[str]:
    """Return the keywords that are most like a text, the nearest first: those that are it but for case come alone."""
    bare = "".join(re.findall(r"\w+", text.partition("[")[0].partition(".")[0])).lower()
    keywords = _by_lower_case()
    if bare in keywords:
        return [keywords[bare]]
    return [keywords[near] for near in get_close_matches(bare, keywords, _SUGGESTED, 0.7)]


@cache
def _by_lower_case() -> dict[str, str]:
    return {keyword.lower(): keyword for keyword in (*_KEYWORDS, *_first_of_repeating()) if keyword}


@cache
def _first_of_repeating() -> dict[str, str]:
    """Return the tags of curves and overlays by keyword, in the first of their groups: 5000, 6000 (PS3.5 7.6)."""
    return {
        keyword: mask.replace("xx", "00").upper()
        for mask, (_, _, _, _, keyword) in RepeatersDictionary.items()
        if mask[2:4] == "xx"
    }

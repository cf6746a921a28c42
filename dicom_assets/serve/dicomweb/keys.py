"""What a search asks for (PS3.18 8.3.4): matching keys, attributes to return, and which part of the matches."""

from collections.abc import Iterable
from dataclasses import dataclass

from dicom_assets.serve.dicomweb.attributes import Attribute, attribute_of, looks_like_an_attribute
from dicom_assets.serve.errors import RequestError

_MOST_KEYS = 64
_LONGEST_NUMBER = 12


@dataclass(frozen=True, slots=True)
class Key:
    """One matching key.

    Attributes
    ----------
    attribute
        What is matched.
    value
        With what, as the client wrote it; empty for any value, and then the attribute is returned.

    """

    attribute: Attribute
    value: str


@dataclass(frozen=True, slots=True)
class Search:
    """One search.

    Attributes
    ----------
    keys
        All of them have to match.
    included
        Attributes to return beside those that every answer has.
    include_all
        Return all attributes of the level.
    limit
        The most matches; ``None`` for as many as the server returns.
    offset
        How many to pass over.
    fuzzy
        Whether names of persons match by their sound and beginnings, too.
    ignored
        Names of parameters that mean nothing here.

    """

    keys: tuple[Key, ...] = ()
    included: tuple[Attribute, ...] = ()
    include_all: bool = False
    limit: int | None = None
    offset: int = 0
    fuzzy: bool = False
    ignored: tuple[str, ...] = ()


def read_search(parameters: Iterable[tuple[str, str]]) -> Search:
    """Return the search that the parameters of a request make.

    Parameters
    ----------
    parameters
        Names and values, decoded.

    Raises
    ------
    RequestError
        One names no attribute, or has no sense. To pass over a mistyped key would answer with everybody's studies.

    """
    keys: dict[tuple[str, ...], Key] = {}
    included: dict[tuple[str, ...], Attribute] = {}
    ignored: dict[str, None] = {}
    stated: dict[str, str] = {}
    everything = False
    for name, value in parameters:
        if name == "includefield":
            for field in filter(None, (part.strip() for part in value.split(","))):
                everything |= field == "all"
                if field != "all":
                    found = attribute_of(field)
                    included[found.tags] = found
        elif name in _SETTINGS:
            stated[name] = value
        elif looks_like_an_attribute(name):
            key = Key(attribute_of(name), value)
            if key.attribute.tags in keys:
                raise RequestError(f"{key.attribute.keyword} is given twice: give its values in one parameter")
            keys[key.attribute.tags] = key
        elif name not in _OF_THE_ANSWER:
            ignored[name] = None
    if len(keys) > _MOST_KEYS or len(included) > _MOST_KEYS:
        raise RequestError(f"more than {_MOST_KEYS} attributes are too many")
    limit = stated.get("limit", "")
    return Search(
        tuple(keys.values()),
        tuple(included.values()),
        everything,
        _number("limit", limit) if limit else None,
        _number("offset", stated.get("offset") or "0"),
        _truth("fuzzymatching", stated.get("fuzzymatching") or "false"),
        tuple(ignored),
    )


_SETTINGS = frozenset({"limit", "offset", "fuzzymatching"})
_OF_THE_ANSWER = frozenset({"accept", "charset"})
"""Parameters that are read elsewhere, or that make no difference: JSON is UTF-8."""


def _number(name: str, text: str) -> int:
    if not (text.isascii() and text.isdigit()) or len(text) > _LONGEST_NUMBER:
        raise RequestError(f"{name} is a number from 0")
    return int(text)


def _truth(name: str, text: str) -> bool:
    if text.lower() not in {"true", "false"}:
        raise RequestError(f"{name} is true or false")
    return text.lower() == "true"

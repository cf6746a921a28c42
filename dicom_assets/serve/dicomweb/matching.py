r"""From a matching key to a condition in SQL (PS3.4 C.2.2.2), its values bound and never part of the text.

An attribute with a column is matched by it: data files are skipped by their statistics. Of any other, the texts of its
values in the stored header are matched, those in every item of sequences; that takes a look at every header.
"""

import datetime as dt
import re
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import pyarrow as pa

from dicom_assets.query.sql_text import identifier, literal
from dicom_assets.serve.dicomweb.attributes import Attribute
from dicom_assets.serve.dicomweb.keys import Key
from dicom_assets.serve.errors import RequestError
from dicom_assets.tables import Column

_WILD = re.compile(r"[*?]")
_LIST = re.compile(r"[,\\]")
_WITH_WILD_CARDS = frozenset({"AE", "CS", "LO", "LT", "PN", "SH", "ST", "UC", "UR", "UT"})
_NUMBERS = frozenset({"DS", "FD", "FL", "IS", "SL", "SS", "SV", "UL", "US", "UV"})
_MOMENTS = frozenset({"DA", "TM", "DT"})
_NO_VALUES = frozenset({"SQ", "OB", "OD", "OF", "OL", "OV", "OW", "UN"})
_EMPTY = '""'
"""Matches what has no value (PS3.4 C.2.2.2.7)."""
_ALIKE = 0.85
"""Jaro-Winkler similarity from which on two words of names are alike: ``smyth`` and ``smith``."""
_MOST_UIDS = _MOST_PLACES = 500
"""Of a list by a client, and of one that stands value by value in a query."""
_NAME_BREAKS = r"[\^=\s,.]+"


@dataclass(frozen=True, slots=True)
class Condition:
    """A condition in SQL.

    Attributes
    ----------
    sql
        With ``?`` for each of the values.
    values
        In the order of their places.
    columns
        Of ``object_catalog`` that it reads; ``header`` where it looks into headers, which are long.

    """

    sql: str
    values: tuple[Any, ...] = ()
    columns: tuple[str, ...] = ()


def condition_of(key: Key, *, fuzzy: bool = False) -> Condition | None:
    """Return the condition that rows of ``object_catalog`` meet which match a key, ``None`` where any row does.

    Parameters
    ----------
    key
        What is matched.
    fuzzy
        Names of persons match by words that begin alike or are alike.

    Raises
    ------
    RequestError
        The value is none of the attribute's Value Representation.

    """
    value = key.value.strip(" \0")
    if not value or value == "*":
        return None
    attribute = key.attribute
    if attribute.vr in _NO_VALUES and value != _EMPTY:
        raise RequestError(f"{attribute.keyword} holds no values to match: name an attribute in it")
    column = attribute.column
    if column is None:
        return _in_header(attribute, value, fuzzy=fuzzy)
    found = _in_column(attribute, column, value, fuzzy=fuzzy)
    return replace(found, columns=(column.name,))


def _in_column(attribute: Attribute, column: Column, value: str, *, fuzzy: bool) -> Condition:
    name = identifier(column.name)
    if value == _EMPTY:
        return Condition(f"{name} IS NULL")
    if pa.types.is_list(column.type):
        return _of_any(name, _test(attribute, "x", value, fuzzy=fuzzy))
    if attribute.vr == "DA":
        return _dates(name, value)
    return _test(attribute, name, value, fuzzy=fuzzy)


def _in_header(attribute: Attribute, value: str, *, fuzzy: bool) -> Condition:
    """Return a condition on the texts of an attribute in the stored header; its path is made of tags alone."""
    texts = f"dicom_list(header, {literal(attribute.path)})"
    if value == _EMPTY:
        return Condition(f"{texts} IS NULL", (), ("header",))
    found = _of_any(texts, _test(attribute, "x", value, fuzzy=fuzzy))
    return replace(found, columns=("header",))


def _of_any(values: str, test: Condition) -> Condition:
    return Condition(f"len(list_filter({values}, lambda x: coalesce({test.sql}, false))) > 0", test.values)


def _test(attribute: Attribute, operand: str, value: str, *, fuzzy: bool) -> Condition:
    """Return the condition that one value meets; `operand` is SQL for it, as a column or a header holds it."""
    vr = attribute.vr
    if vr == "PN":
        return _similar_name(operand, value) if fuzzy else _name(operand, value)
    if vr in _NUMBERS:
        return Condition(f"TRY_CAST({operand} AS DOUBLE) = ?", (_number(attribute, value),))
    if vr in _MOMENTS:
        return _moments(vr, operand, value)
    if vr == "UI":
        return _one_of(operand, _LIST.split(value))
    if vr == "CS" and _LIST.search(value):
        tests = [_text(operand, part.strip()) for part in _LIST.split(value) if part.strip()]
        return Condition(f"({' OR '.join(t.sql for t in tests)})", tuple(v for t in tests for v in t.values))
    return _text(operand, value) if vr in _WITH_WILD_CARDS else Condition(f"{operand} = ?", (value,))


def among(column: str, values: Sequence[str]) -> Condition:
    """Return the condition that a column has one of some values.

    A short list reaches the scan, which skips data files by it. A long one would take longer to parse than it saves.
    """
    if len(values) > _MOST_PLACES:
        return Condition(f"{column} IN (SELECT unnest(?))", (list(values),))
    return in_places(column, values)


def in_places(column: str, values: Sequence[str]) -> Condition:
    """Return the same for values that each stand in the query however many they are, so that the scan gets them."""
    return Condition(f"{column} IN ({', '.join('?' * len(values))})", tuple(values))


def _one_of(operand: str, values: Sequence[str]) -> Condition:
    wanted = tuple(dict.fromkeys(one.strip() for one in values if one.strip()))
    if len(wanted) > _MOST_UIDS:
        raise RequestError(f"more than {_MOST_UIDS} UIDs are too many for one search")
    return among(operand, wanted)


def _text(operand: str, value: str) -> Condition:
    if not _WILD.search(value):
        return Condition(f"{operand} = ?", (value,))
    return Condition(f"{operand} LIKE ? ESCAPE '\\'", (like(value),))


def like(value: str) -> str:
    r"""Return a value with wild cards as a pattern of LIKE, in which ``\`` takes meaning from what follows it."""
    escaped = re.sub(r"([\\%_])", r"\\\1", value)
    return escaped.replace("*", "%").replace("?", "_")


def _name(operand: str, value: str) -> Condition:
    """Return the condition that a name meets, as a whole or in one of its component groups, whatever case or accents.

    Empty components at the end say nothing (PS3.5 6.2.1.1).
    """
    wanted = plain(value)
    pattern = like(wanted.rstrip("=^ ") or wanted)
    groups = f"list_append(string_split({_plain(operand)}, '='), {_plain(operand)})"
    test = "lambda g: rtrim(g, '^ ') LIKE ? ESCAPE '\\'"
    return Condition(f"len(list_filter({groups}, {test})) > 0", (pattern,))


def _similar_name(operand: str, value: str) -> Condition:
    """Return the condition that a name meets if each word of the value begins one of its words, or is like it."""
    words = [word for word in re.split(_NAME_BREAKS, plain(value).replace("*", " ").replace("?", " ")) if word]
    if not words:
        return Condition("true")
    named = f"string_split_regex({_plain(operand)}, {literal(_NAME_BREAKS)})"
    each = f"len(list_filter({named}, lambda w: starts_with(w, ?) OR jaro_winkler_similarity(w, ?) >= {_ALIKE})) > 0"
    return Condition(" AND ".join([each] * len(words)), tuple(word for word in words for _ in range(2)))


def plain(text: str) -> str:
    """Return a text in lower case and without accents, as :func:`_plain` does in SQL."""
    parts = unicodedata.normalize("NFD", text.lower())
    return "".join(part for part in parts if not unicodedata.combining(part))


def _plain(operand: str) -> str:
    return f"strip_accents(lower({operand}))"


def _number(attribute: Attribute, value: str) -> float:
    try:
        return float(value)
    except ValueError:
        raise RequestError(f"{attribute.keyword} is a number") from None


_DATE = re.compile(r"(\d{4})\.?(\d\d)\.?(\d\d)", re.ASCII)
_TIME = re.compile(r"\d\d(?::?\d\d(?::?\d\d(?:\.\d{1,6})?)?)?", re.ASCII)
_MOMENT = re.compile(r"\d{4}(?:\d\d(?:\d\d(?:\d\d(?:\d\d(?:\d\d(?:\.\d{1,6})?)?)?)?)?)?(?:[+-]\d{4})?", re.ASCII)


def _dates(operand: str, value: str) -> Condition:
    """Return a condition on a column of dates."""
    low, high = (None if end is None else _date(end) for end in _ends(value))
    if low is not None and low == high:
        return Condition(f"{operand} = ?", (low,))
    return _within(operand, low, high)


def _date(text: str) -> dt.date:
    found = _DATE.fullmatch(text)
    try:
        if found is not None:
            return dt.date(*map(int, found.groups()))
    except ValueError:
        pass
    raise RequestError("a date is YYYYMMDD, a range of dates YYYYMMDD-YYYYMMDD, of which one may be left out")


def _ends(value: str) -> tuple[str | None, str | None]:
    """Return both ends of a range (PS3.4 C.2.2.2.5), the same twice of a single value."""
    offset = re.search(r"[+-]\d{4}$", value)
    begin, hyphen, end = value.partition("-")
    if not hyphen:
        return value, value
    if offset is not None and len(begin) > _DIGITS_OF_A_DATE and offset.start() == len(begin):
        return value, value  # one DT with its offset from UTC
    if not begin.strip() and not end.strip():
        raise RequestError("a range has a beginning or an end")
    return begin.strip() or None, end.strip() or None


_DIGITS_OF_A_DATE = 8


def _moments(vr: str, operand: str, value: str) -> Condition:
    """Return a condition on text of a date, a time or both, of which digits are compared: from coarse to fine.

    A value that states no seconds stands for the whole minute. Offsets from UTC make no difference.
    """
    pattern, digits = _FORMS[vr]
    low, high = _ends(value)
    for end in (low, high):
        if end is not None and not pattern.fullmatch(end):
            raise RequestError(f"{value[:32]!a} is no {vr}, and no range of it (PS3.5 6.2)")
    if vr == "DT":
        operand = f"regexp_replace({operand}, '[+-]\\d\\d:?\\d\\d$', '')"
    compared = f"regexp_replace({operand}, '[^0-9]', '', 'g')"
    first = None if low is None else _digits(low).ljust(digits, "0")
    last = None if high is None else _digits(high).ljust(digits, "9")
    return _within(f"rpad({compared}, {digits}, '0')", first, last)


_FORMS: Mapping[str, tuple[re.Pattern[str], int]] = {
    "DA": (_DATE, len("YYYYMMDD")),
    "TM": (_TIME, len("HHMMSSffffff")),
    "DT": (_MOMENT, len("YYYYMMDDHHMMSSffffff")),
}
"""The form of a value, and its most digits."""


def _digits(text: str) -> str:
    return re.sub(r"\D", "", re.sub(r"[+-]\d{4}$", "", text))


def _within(operand: str, low: Any, high: Any) -> Condition:
    ends = [(f"{operand} >= ?", low), (f"{operand} <= ?", high)]
    stated = [(sql, value) for sql, value in ends if value is not None]
    return Condition(" AND ".join(sql for sql, _ in stated), tuple(value for _, value in stated))

"""From a header to typed columns, by the declarations in :mod:`dicom_assets.extract.attributes`.

A column takes the value of its attribute whatever Value Representation the file states for it, where it can be
converted without loss; what cannot is null, and an issue.
"""

from base64 import b64decode
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import pyarrow as pa
from pydicom.datadict import dictionary_VM

from dicom_assets.dicom.header import Element, Header, Issue
from dicom_assets.dicom.header.issues import IssueCode, escaped
from dicom_assets.dicom.header.limits import DEFAULT_LIMITS
from dicom_assets.dicom.header.typed_values import (
    to_date,
    to_datetime_text,
    to_float,
    to_int32,
    to_name,
    to_text,
    to_time_text,
)
from dicom_assets.extract.attributes import PROMOTED
from dicom_assets.tables import Column

_Problem = tuple[IssueCode, Any]
"""What is wrong, and the value that it is wrong with."""
_NUMBERS_OF_A_MOMENT = {8, 14}
"""Digits of a date, and of a date and time to the second: what a number can only mean one thing with."""
_DIGITS_OF_A_TIME = 6


def _date(value: Any) -> Any:
    """Return a date; also of a DT that states no more than that, and of a number of eight digits."""
    return to_date(to_text(value))


def _time(value: Any) -> str | None:
    """Return a time of day; also of a number of six digits before its point."""
    text = to_text(value)
    if text is None or (not isinstance(value, str) and len(text.partition(".")[0]) != _DIGITS_OF_A_TIME):
        return None
    return to_time_text(text)


def _moment(value: Any) -> str | None:
    """Return a date and time; also of a number that can be nothing else."""
    text = to_text(value)
    if text is None or (not isinstance(value, str) and len(text.partition(".")[0]) not in _NUMBERS_OF_A_MOMENT):
        return None
    return to_datetime_text(text)


def _name(value: Any) -> str | None:
    return to_name(value) or to_text(value)


CONVERSIONS: Mapping[str, Callable[[Any], Any]] = {
    "DA": _date,
    "TM": _time,
    "DT": _moment,
    "PN": _name,
    "DS": to_float,
    "IS": to_int32,
    "US": to_int32,
}
"""From one value in JSON, of whatever VR, to the type of a column; by the VR that its attribute has in the dictionary.
Of those that are not listed the type is text."""


_AS_STATED: Mapping[str, Callable[[Any], Any]] = {
    **CONVERSIONS,
    "DA": to_date,
    "TM": to_time_text,
    "DT": to_datetime_text,
    "PN": to_name,
}
"""The same for values of just that VR, which most are: a third of the time."""


class ValueReader:
    """How the value of an element is read.

    Parameters
    ----------
    vr
        What the values are taken for; the empty text takes them as they come.
    many
        Whether all values are wanted, as a list; else the first.
    convert
        From one value in JSON, of whatever VR; by default that of :data:`CONVERSIONS`.
    most
        How many values there may be.

    """

    __slots__ = ("_as_stated", "_convert", "_many", "_most", "_vr")

    def __init__(
        self, vr: str, *, many: bool, convert: Callable[[Any], Any] | None = None, most: int | None = None
    ) -> None:
        self._vr = vr
        self._convert: Callable[[Any], Any] = convert or CONVERSIONS.get(vr, _text_of)
        self._as_stated: Callable[[Any], Any] = convert or _AS_STATED.get(vr, _text_as_stated)
        self._many = many
        self._most = most

    def read(self, element: Element) -> tuple[Any, _Problem | None]:
        """Return what the column holds, and what was not taken."""
        found = element.get("Value")
        if not found:
            return self._read_other(element)
        if element["vr"] == self._vr and not self._many and len(found) == 1:
            taken = self._as_stated(found[0])
            if taken is not None:
                return taken, None
        return self._read_values(element["vr"], found)

    def _read_values(self, vr: str, found: Sequence[Any]) -> tuple[Any, _Problem | None]:
        if vr == "SQ":
            return None, (IssueCode.NOT_CONVERTIBLE, "")
        values = found if self._many else found[:1]
        converted = [self._convert(value) for value in values]
        taken = converted if self._many else converted[0]
        for value, result in zip(values, converted, strict=True):
            if result is None and value not in (None, ""):
                return taken, (IssueCode.NOT_CONVERTIBLE, value)
        if self._most is not None and len(found) > self._most:
            return taken, (IssueCode.TOO_MANY_VALUES, found[self._most])
        return taken, None

    def _read_other(self, element: Element) -> tuple[Any, _Problem | None]:
        """Read a value that stands in the header as bytes, or not at all."""
        if "BulkData" in element:
            return None, (IssueCode.NOT_CONVERTIBLE, "")
        raw = b64decode(element.get("InlineBinary", ""))
        if not raw:
            return None, None
        text = _printable(raw)
        # The bytes of a number may look like text.
        if text is None or self._vr == "US":
            return None, (IssueCode.NOT_CONVERTIBLE, raw)
        return self._read_values(self._vr, [part.strip() or None for part in text.split("\\")])


def _text_as_stated(value: Any) -> str | None:
    return value if isinstance(value, str) and value else None


def _text_of(value: Any) -> str | None:
    """Return a value as text, the name of a person with ``=`` between its groups."""
    return to_name(value) if isinstance(value, dict) else to_text(value)


def _printable(raw: bytes) -> str | None:
    """Return bytes as the text that they are, ``None`` when they are none; only ASCII is beyond doubt."""
    raw = raw.rstrip(b"\0 ")
    return raw.decode("ascii") if raw.isascii() and raw.decode("ascii").isprintable() else None


def _most_values(tag: str) -> int | None:
    """Return how many values an attribute may have (PS3.6), ``None`` where there is no bound."""
    multiplicity: str = dictionary_VM(int(tag, 16))
    most = multiplicity.rpartition("-")[2]
    return int(most) if most.isdigit() else None


def _reader_of(column: Column) -> tuple[str, str, bool, ValueReader]:
    """Return name, tag, whether it is of the file meta information, and how it is read."""
    assert column.tag is not None
    assert column.vr is not None
    reader = ValueReader(column.vr, many=pa.types.is_list(column.type), most=_most_values(column.tag))
    return column.name, column.tag, column.tag.startswith("0002"), reader


_READERS = tuple(map(_reader_of, PROMOTED))


def promote(header: Header) -> tuple[dict[str, Any], tuple[Issue, ...]]:
    """Return the typed columns of a header, and the issues of values that they could not take.

    Of an attribute with several values a scalar column holds the first; a list column holds all, with null for those
    that cannot be converted. A value that breaks its own Value Representation is in the header's issues already.
    """
    columns: dict[str, Any] = {}
    issues: list[Issue] = []
    meta, dataset = header.file_meta, header.dataset
    for name, tag, in_meta, reader in _READERS:
        element = (meta if in_meta else dataset).get(tag)
        if element is None:
            columns[name] = None
            continue
        columns[name], problem = reader.read(element)
        if problem is not None and not _is_listed(header, tag):
            issues.append(_issue(tag, element["vr"], *problem))
    room = DEFAULT_LIMITS.max_issues - len(header.issues)
    return columns, tuple(issues[: max(0, room)])


def _issue(tag: str, vr: str, code: IssueCode, value: Any) -> Issue:
    raw = value if isinstance(value, bytes) else (_text_of(value) or str(value)).encode()
    return Issue(tag, vr, code.value, escaped(raw))


def _is_listed(header: Header, tag: str) -> bool:
    """Say whether it is known already that a value breaks its VR."""
    return any(issue.path == tag and issue.code.startswith("bad_") for issue in header.issues)

"""Columns of your own: attributes of the header that a deployment names, typed as the promoted ones are.

They are made of the header alone, as ``dicom_headers`` keeps it, so that rows get one without their file being read. A
value that does not fit its column is null; it is no issue of the file that somebody asked for a number.
"""

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from hashlib import blake2b
from typing import Any

import orjson
import pyarrow as pa

from dicom_assets.dicom.header import Header
from dicom_assets.dicom.header.attribute_values import AttributePath
from dicom_assets.dicom.header.typed_values import to_int64
from dicom_assets.dicom.status import HeaderStatus
from dicom_assets.errors import UserError
from dicom_assets.extract.promote import ValueReader
from dicom_assets.tables import Column

_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_]{0,126}")
_NAMED = re.compile(r"\s*([A-Za-z][A-Za-z0-9_]*)\s*=(.*)", re.DOTALL)
_TYPED = re.compile(r"(.*):\s*([a-z]+(?:\[\])?)\s*", re.DOTALL)
_LIST, _MANY = "list", "[]"
_SHOWN = 80
_DIGEST_BYTES = 5


class ColumnError(UserError, ValueError):
    """A column of one's own cannot be, or cannot be beside the others."""


class ColumnType(StrEnum):
    """What a column holds."""

    TEXT = "text"
    """The value as text: a number as the shortest text that means it, the name of a person as ``Doe^Jane``."""
    NUMBER = "number"
    """A number of 64 bits, which may have a fraction."""
    INTEGER = "integer"
    """A whole number of 64 bits."""
    DATE = "date"
    """A date."""
    TIME = "time"
    """A time of day as ISO 8601 text, ``HH:MM:SS[.ffffff]``."""
    DATETIME = "datetime"
    """Date and time as ISO 8601 text, no finer than stated, with an offset where there is one."""


_ARROW: Mapping[ColumnType, pa.DataType] = {
    ColumnType.TEXT: pa.string(),
    ColumnType.NUMBER: pa.float64(),
    ColumnType.INTEGER: pa.int64(),
    ColumnType.DATE: pa.date32(),
    ColumnType.TIME: pa.string(),
    ColumnType.DATETIME: pa.string(),
}
_READ_AS: Mapping[ColumnType, str] = {
    ColumnType.TEXT: "",
    ColumnType.NUMBER: "DS",
    ColumnType.INTEGER: "IS",
    ColumnType.DATE: "DA",
    ColumnType.TIME: "TM",
    ColumnType.DATETIME: "DT",
}
"""The Value Representation whose rules of conversion hold for a type."""
_USUAL: Mapping[str, ColumnType] = {
    **dict.fromkeys(("DS", "FL", "FD"), ColumnType.NUMBER),
    **dict.fromkeys(("IS", "SL", "SS", "SV", "UL", "US", "UV"), ColumnType.INTEGER),
    "DA": ColumnType.DATE,
    "TM": ColumnType.TIME,
    "DT": ColumnType.DATETIME,
}
"""By the Value Representation of an attribute; of others it is text."""


_CONVERSIONS: Mapping[ColumnType, Callable[[Any], Any]] = {ColumnType.INTEGER: to_int64}


@dataclass(frozen=True, slots=True)
class PromotedColumn:
    """An attribute with a column of its own.

    Attributes
    ----------
    name
        Of the column: letters, digits and ``_``, a letter first.
    attribute
        A keyword, a tag, a private element by its creator, or a path into sequences; see
        :mod:`dicom_assets.dicom.header.attribute_path`.
    type
        A :class:`ColumnType`, followed by ``[]`` where all values are wanted as a list; ``list`` is short for
        ``text[]``. By default what the attribute is in the dictionary.

    Raises
    ------
    ColumnError
        The name is none, or there is no such type.
    AttributePathError
        There is no such attribute.

    """

    name: str
    attribute: str
    type: str = ""

    def __post_init__(self) -> None:
        if not _NAME.fullmatch(self.name):
            raise ColumnError(
                f"{self.name[:_SHOWN]!a} is no name of a column: take letters, digits and _, a letter first"
            )
        path = AttributePath.parse(self.attribute)
        usual = f"{_USUAL.get(path.last.vr or '', ColumnType.TEXT)}{_MANY if path.many else ''}"
        chosen = {"": usual, _LIST: f"{ColumnType.TEXT}{_MANY}"}.get(self.type, self.type)
        if chosen.removesuffix(_MANY) not in set(ColumnType):
            raise ColumnError(
                f"column {self.name}: {self.type[:_SHOWN]!a} is no type; there are {', '.join(ColumnType)}, each with "
                "[] for a list, and list for text[]"
            )
        object.__setattr__(self, "attribute", str(path))
        object.__setattr__(self, "type", chosen)

    @classmethod
    def parse(cls, text: str) -> "PromotedColumn":
        """Return a column by its text: ``[NAME=]ATTRIBUTE[:TYPE]``, such as ``Weight=PatientWeight:number``.

        Raises
        ------
        ColumnError
            The text says no column.
        AttributePathError
            There is no such attribute.

        """
        named, rest = _NAMED.fullmatch(text), text
        if named is not None:
            rest = named[2]
        # The creator of a private element may hold a colon, but no type stands before a quotation mark.
        typed = _TYPED.fullmatch(rest)
        attribute, type_ = (typed[1], typed[2]) if typed else (rest, "")
        name = named[1] if named else AttributePath.parse(attribute.strip()).keyword
        if not name:
            raise ColumnError(f"{text[:_SHOWN]!a} needs a name of its own: NAME={text[:_SHOWN]}")
        return cls(name, attribute.strip(), type_)

    @property
    def path(self) -> AttributePath:
        """Where the attribute stands."""
        return AttributePath.parse(self.attribute)

    @property
    def many(self) -> bool:
        """Whether the column holds lists."""
        return self.type.endswith(_MANY)

    @property
    def kind(self) -> ColumnType:
        """What the values are."""
        return ColumnType(self.type.removesuffix(_MANY))

    def column(self) -> Column:
        """Return the column of the tables."""
        path, type_ = self.path, _ARROW[self.kind]
        return Column(
            self.name,
            pa.list_(type_) if self.many else type_,
            f"{self.attribute} of the header as {self.type}; a column of this deployment.",
            statistics=not self.many,
            tag=path.tag,
            vr=path.last.vr if path.tag else None,
        )

    def __str__(self) -> str:
        return f"{self.name}={self.attribute}:{self.type}"


def columns_of(given: Iterable[PromotedColumn | str]) -> tuple[PromotedColumn, ...]:
    """Return columns that are given as such or as texts.

    Raises
    ------
    ColumnError
        Two have one name, whatever its case; or a text says none.
    AttributePathError
        There is no such attribute.

    """
    if isinstance(given, str):
        raise ColumnError(f"columns is the text {given[:_SHOWN]!a}; give a list of columns")
    found = tuple(one if isinstance(one, PromotedColumn) else PromotedColumn.parse(one) for one in given)
    names: dict[str, PromotedColumn] = {}
    for one in found:
        other = names.setdefault(one.name.casefold(), one)
        if other != one:
            raise ColumnError(f"two columns are named {one.name}: {other} and {one}")
    return tuple(dict.fromkeys(found))


def columns_of_text(text: str) -> tuple[PromotedColumn, ...]:
    """Return the columns of a text that holds several, one a line or separated by ``;``."""
    return columns_of(part for part in re.split(r"[;\n]", text) if part.strip())


def digest(columns: Sequence[PromotedColumn]) -> str:
    """Return a short name of a set of columns, whatever their order; empty where there is none."""
    if not columns:
        return ""
    told = "\n".join(sorted(map(str, columns)))
    return blake2b(told.encode(), digest_size=_DIGEST_BYTES).hexdigest()


def to_json(columns: Sequence[PromotedColumn]) -> str:
    """Return columns as a property of a table holds them."""
    return orjson.dumps([[one.name, one.attribute, one.type] for one in columns]).decode()


def from_json(text: str | None) -> tuple[PromotedColumn, ...]:
    """Return the columns of :func:`to_json`; none where there is no text."""
    return tuple(PromotedColumn(*entry) for entry in orjson.loads(text or "[]"))


class OwnColumns:
    """Reads the values of columns from headers.

    Parameters
    ----------
    columns
        Which ones.

    """

    def __init__(self, columns: Sequence[PromotedColumn]) -> None:
        self._readers = [
            (one, one.path, ValueReader(_READ_AS[one.kind], many=one.many, convert=_CONVERSIONS.get(one.kind)))
            for one in columns
        ]

    def values(self, header: Header) -> dict[str, Any]:
        """Return what each column holds of a header; null where it holds no such value."""
        return {one.name: _value(header, one.many, path, reader) for one, path, reader in self._readers}

    def of_json(self, header: str | None) -> dict[str, Any]:
        """Return the same of a header as ``dicom_headers`` keeps it."""
        if header is None:
            return dict.fromkeys((one.name for one, *_ in self._readers))
        parts = orjson.loads(header)
        return self.values(Header(HeaderStatus.OK, file_meta=parts["fileMeta"], dataset=parts["dataset"]))


def _value(header: Header, many: bool, path: AttributePath, reader: ValueReader) -> Any:
    """Return the value of one column: of the first element that has one, or all of all elements."""
    found: list[Any] = []
    for element in path.elements(header):
        value, _ = reader.read(element)
        if value is None:
            continue
        if not many:
            return value
        found += value
    return found or None

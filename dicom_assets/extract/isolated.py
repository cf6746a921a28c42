"""Calling an extractor, in a child process of its own unless it says that it can do without.

The child computes and nothing else: it gets the extractor and what the index says of the file, and asks for the bytes
that it wants. Files are opened and read here, so that credentials, faults of the storage and files that change while
they are read stay where they are understood, and no byte is read twice.
"""

import atexit
import base64
import pickle
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from functools import cache
from typing import Any

from dicom_assets.extract.extractor import Extractor
from dicom_assets.extract.source_file import FileKey, SourceFile
from dicom_assets.isolation import Answer, ChildLimits, IsolatedFunction

_BYTES, _DATE, _DATETIME, _DECIMAL = "$bytes", "$date", "$datetime", "$decimal"
_DECODERS: Mapping[str, Callable[[Any], Any]] = {
    _BYTES: base64.b64decode,
    _DATE: date.fromisoformat,
    _DATETIME: datetime.fromisoformat,
    _DECIMAL: Decimal,
}


def call(extractor: Extractor, file: SourceFile) -> Mapping[str, Any]:
    """Return what an extractor makes of a file.

    Raises
    ------
    CallError
        The call crashed, raised, or took more time or memory than it may, in a child process.
    IsolationError
        No child process can be started.
    Exception
        Whatever an extractor raises that is not isolated; :class:`~dicom_assets.dicom.source.StorageError` where the
        file cannot be read.

    """
    if extractor.limits is None:
        return extractor.extract(file)
    source = file.source

    def serve(request: dict[str, Any]) -> bytes:
        return source.read(int(request["offset"]), max(0, int(request["length"])))

    answer = _child(extractor.limits)(pickle.dumps(extractor), file.key, source.size, serve=serve)
    columns: dict[str, Any] = {name: _decoded(value) for name, value in answer.fields.items()}
    return columns


@cache
def _child(limits: ChildLimits) -> IsolatedFunction:
    """Return this process's child for some limits; it starts with its first call."""
    process = IsolatedFunction(extract_in_child, limits)
    atexit.register(process.close)
    return process


@dataclass(frozen=True, slots=True)
class _Served:
    """The bytes of a file as the parent serves them; a byte source."""

    size: int

    def read(self, offset: int, length: int) -> bytes:
        from dicom_assets.isolation.child import ask

        return ask({"offset": offset, "length": length})


def extract_in_child(extractor: bytes, key: FileKey, size: int) -> Answer:
    """Run an extractor; this side runs in the child."""
    made: Extractor = pickle.loads(extractor)  # noqa: S301 - from our parent
    columns = made.extract(SourceFile(key, _Served(size)))
    return Answer({str(name): _encoded(value) for name, value in columns.items()}, b"")


def _encoded(value: Any) -> Any:
    """Return a value as JSON can hold it."""
    if hasattr(value, "tolist"):  # numpy's scalars and arrays
        value = value.tolist()
    if isinstance(value, Mapping):
        return {str(name): _encoded(entry) for name, entry in value.items()}
    if isinstance(value, list | tuple):
        return [_encoded(entry) for entry in value]
    for kind, (mark, to_text) in _ENCODERS.items():
        if isinstance(value, kind):
            return {mark: to_text(value)}
    if value is None:
        return None
    for plain in (bool, int, float, str):  # members of enums are told as what they are
        if isinstance(value, plain):
            return plain(value) if plain is not str else str.__str__(value)
    raise TypeError(f"a column cannot hold a {type(value).__name__}")


_ENCODERS: Mapping[type, tuple[str, Callable[[Any], str]]] = {
    bytes: (_BYTES, lambda value: base64.b64encode(value).decode()),
    bytearray: (_BYTES, lambda value: base64.b64encode(value).decode()),
    datetime: (_DATETIME, datetime.isoformat),
    date: (_DATE, date.isoformat),
    Decimal: (_DECIMAL, str),
}
"""A datetime is a date too, so it comes first."""


def _decoded(value: Any) -> Any:
    """Return the value of :func:`_encoded`; raises :class:`ValueError` where a child sent something else."""
    if isinstance(value, list):
        return [_decoded(entry) for entry in value]
    if isinstance(value, dict):
        if len(value) == 1 and (kind := next(iter(value))) in _DECODERS:
            return _DECODERS[kind](value[kind])
        return {name: _decoded(entry) for name, entry in value.items()}
    return value

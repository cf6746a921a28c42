"""Values as people read them on a page. What is escaped, and what does not print, is the business of ``pages``."""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any

import orjson

from dicom_assets.query.labels import file_size
from dicom_assets.query.values import json_default
from dicom_assets.serve.browser.columns import Kind

_LONGEST = 400


def count(number: int, what: str, several: str = "") -> str:
    """Return a number with what is counted, such as ``1 file`` or ``27 files``."""
    return f"{number:,} {what if number == 1 else several or what + 's'}"


def value(found: Any, kind: Kind) -> str:
    """Return a value of a list; nothing for what is not stated."""
    if found is None:
        return ""
    return cut(_WRITTEN.get(kind, str)(found), _LONGEST)


def anything(found: Any, longest: int = _LONGEST) -> str:
    """Return a value of whatever type in one line of a bounded length."""
    match found:
        case None:
            return ""
        case bytes():
            return f"<{count(len(found), 'byte')}>"
        case datetime():
            return found.isoformat(sep=" ", timespec="seconds").removesuffix("+00:00")
        case float():
            return f"{found:.10g}"
        case Mapping() | list() | tuple():
            return cut(_nested(found), longest)
        case _:
            return cut(str(found), longest)


def cut(text: str, longest: int) -> str:
    """Return a text of at most that many characters, which says that it is cut."""
    return text if len(text) <= longest else f"{text[: longest - 1]}…"


def _nested(found: Mapping[str, Any] | Sequence[Any]) -> str:
    try:
        return orjson.dumps(found, default=json_default, option=orjson.OPT_NON_STR_KEYS).decode()
    except TypeError:  # a text with half of a surrogate pair
        return str(found)


def _time(found: Any) -> str:
    return f"{found:%Y-%m-%d %H:%M}" if isinstance(found, datetime) else str(found)


_WRITTEN: Mapping[Kind, Callable[[Any], str]] = {
    Kind.NUMBER: lambda found: f"{found:,}",
    Kind.SIZE: lambda found: file_size(int(found)),
    Kind.NAMES: lambda found: ", ".join(str(one) for one in found),
    Kind.STATUS: lambda found: str(found).replace("_", " "),
    Kind.TIME: _time,
}

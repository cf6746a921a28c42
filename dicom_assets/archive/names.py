"""Paths of local files, as tables hold them and as people read them: a name need not be text."""

import os
from urllib.parse import quote_from_bytes, unquote_to_bytes

_FILE_URI = "file://"


def to_text(path: str) -> str:
    """Return a path as tables hold it: one that is no UTF-8 text as a percent-encoded ``file://`` URI."""
    if not path.isascii():
        try:
            path.encode()
        except UnicodeEncodeError:
            return _FILE_URI + quote_from_bytes(os.fsencode(path))
    return path


def from_text(text: str) -> str | bytes:
    """Return the path that a table holds."""
    return unquote_to_bytes(text.removeprefix(_FILE_URI)) if text.startswith(_FILE_URI) else text


def shown(path: str) -> str:
    """Return a path as text for people; bytes that are no UTF-8 become U+FFFD."""
    return path if path.isascii() else os.fsencode(path).decode(errors="replace")

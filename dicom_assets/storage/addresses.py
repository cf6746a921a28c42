"""Addresses of files and folders: local paths, ``file://`` URIs, URIs of object stores.

Users write any of the three. Inside the package a local place is an absolute path and everything else a URI without a
slash at the end: :func:`absolute` is where one becomes the other. The path of a file need not be text, which tables
ask for: :func:`to_text` and :func:`from_text` convert the few that are not.
"""

import os
from pathlib import Path
from urllib.parse import quote_from_bytes, unquote_to_bytes, urlsplit

from dicom_assets.errors import UserError

_FILE_URI = "file://"
_THIS_MACHINE = frozenset(("", "localhost"))


class AddressError(UserError, ValueError):
    """An address that names no place that can be reached from here."""


def is_remote(address: str) -> bool:
    """Return whether an address is an object store's."""
    return "://" in address and not address.startswith(_FILE_URI)


def absolute(address: str) -> str:
    """Return a local address as an absolute path, links in it left as they are; a remote one without a final slash.

    A step up (``..``) is taken where the links before it lead.

    Parameters
    ----------
    address
        Path, absolute or not, ``file://`` URI (percent-encoded, RFC 8089) or URI of an object store.

    Raises
    ------
    AddressError
        A ``file://`` URI names another machine.

    """
    if is_remote(address):
        return address.rstrip("/")
    path = Path(os.fsdecode(from_text(address))).expanduser().absolute()
    if ".." in path.parts:
        last = len(path.parts) - path.parts[::-1].index("..")
        path = Path(*path.parts[:last]).resolve().joinpath(*path.parts[last:])
    return str(path)


def is_within(inner: str, outer: str) -> bool:
    """Return whether a place is another one or below it, links followed.

    Parameters
    ----------
    inner, outer
        As :func:`absolute` returns them.

    """
    if is_remote(inner) or is_remote(outer):
        return f"{inner}/".startswith(f"{outer}/")
    return Path(inner).resolve().is_relative_to(Path(outer).resolve())


def to_text(path: str) -> str:
    """Return a local path as tables hold it: one that is no UTF-8 text as a percent-encoded ``file://`` URI."""
    if not path.isascii():
        try:
            path.encode()
        except UnicodeEncodeError:
            return _FILE_URI + quote_from_bytes(os.fsencode(path))
    return path


def from_text(text: str) -> str | bytes:
    """Return the local path that a text stands for; raises :class:`AddressError` for one of another machine."""
    if not text.startswith(_FILE_URI):
        return text
    host, slash, path = text.removeprefix(_FILE_URI).partition("/")
    if host not in _THIS_MACHINE or not slash:
        raise AddressError(f"{text} names the machine {host!r}; a local folder is written file:///folder")
    return unquote_to_bytes(f"/{path}")


def shown(path: str) -> str:
    """Return a local path as text for people; bytes that are no UTF-8 become U+FFFD."""
    return path if path.isascii() else os.fsencode(path).decode(errors="replace")


def without_secrets(uri: str) -> str:
    """Return a URI without what may hold a credential: user, password, query. A path stays as it is."""
    parts = urlsplit(uri)
    if not parts.netloc:
        return uri
    return parts._replace(netloc=parts.netloc.rpartition("@")[2], query="", fragment="").geturl()

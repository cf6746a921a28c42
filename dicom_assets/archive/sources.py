"""Which source a catalog belongs to, however it is written."""

import os
from urllib.parse import unquote, urlsplit

from dicom_assets.storage.addresses import from_text, is_remote, to_text

_SCHEMES = {"s3a": "s3", "gcs": "gs", "azure": "az", "adl": "az", "abfs": "az", "abfss": "az"}
"""Other names of a scheme, for one store."""


def same_source(one: str, other: str) -> bool:
    """Return whether two roots are one source.

    Folders are one when links lead to one path, or when both are one folder of the file system (a bind mount). Of
    object stores, scheme, bucket and key count: which server answers for a bucket is a matter of configuration.

    Parameters
    ----------
    one, other
        As :func:`written` gives them, or as users write them.

    """
    if is_remote(one) or is_remote(other):
        return is_remote(one) and is_remote(other) and _normalised(one) == _normalised(other)
    paths = os.fsdecode(from_text(one)), os.fsdecode(from_text(other))
    return os.path.realpath(paths[0]) == os.path.realpath(paths[1]) or _is_one_folder(*paths)


def _is_one_folder(one: str, other: str) -> bool:
    try:
        return os.path.samefile(one, other)  # noqa: PTH121 - names need not be UTF-8
    except OSError:
        return False


def _normalised(uri: str) -> tuple[str, str, tuple[str, ...]]:
    parts = urlsplit(uri)
    scheme = parts.scheme.lower()
    return _SCHEMES.get(scheme, scheme), parts.netloc, tuple(filter(None, unquote(parts.path).split("/")))


def written(root: str) -> str:
    """Return a root, or a path, as tables hold it: text, where it is a folder whose name is none."""
    return os.fsencode(root).decode(errors="replace") if is_remote(root) else to_text(root)


def read(text: str) -> str:
    """Return the root of :func:`written`."""
    return text if is_remote(text) else os.fsdecode(from_text(text))


def root_of(path: str, relative_path: str) -> str:
    """Return the root below which a file of the index was listed, as :func:`written` gives it."""
    root = path.rsplit("/", relative_path.count("/") + 1)[0]
    return written(read(root) or "/")


def directories_below(path: str, root: str) -> tuple[str, ...] | None:
    """Return the directories that a file stands in, from the root of its archive down.

    Parameters
    ----------
    path
        As tables hold it.
    root
        As archives have it.

    Returns
    -------
    ``None`` where the path is not below the root.

    """
    plain, start = read(path), root.rstrip("/") + "/"
    return tuple(plain[len(start) :].split("/")[:-1]) if plain.startswith(start) else None


def below_source(told: str, root: str) -> str | None:
    """Return the path below the root of an archive of a file or folder that somebody names, ``None`` where it is not.

    Parameters
    ----------
    told
        Path or URI; without a root of its own, it is one below the root of the archive already.
    root
        As archives have it.

    """
    if is_remote(root) and not is_remote(told):
        return None if told.startswith("/") else told
    if not is_remote(root) and is_remote(told):
        return None
    plain, start = _in_one_scheme(told), _in_one_scheme(root).rstrip("/") + "/"
    if plain.startswith(start):
        return plain[len(start) :]
    return None if is_remote(told) or plain.startswith("/") else plain


def _in_one_scheme(text: str) -> str:
    if not is_remote(text):
        return read(text)
    scheme, _, rest = text.partition("://")
    return f"{_SCHEMES.get(scheme.lower(), scheme.lower())}://{rest}"


def rebased(path: str, old: str, new: str) -> str:
    """Return the path that a file has after its archive was moved; one that is not below the old root stays.

    Parameters
    ----------
    path
        As tables hold it.
    old, new
        Roots, as archives have them.

    """
    plain, start = read(path), old.rstrip("/") + "/"
    return written(f"{new.rstrip('/')}/{plain[len(start) :]}") if plain.startswith(start) else path

"""The code of this package as workers have it: told apart by a digest, and packed for workers that have none.

Rows are made where the files are read, by the package that is there. A worker with other code would make other rows
under the same version, and nobody would see it.
"""

import hashlib
import zipfile
from collections.abc import Iterator
from functools import cache
from importlib.metadata import PackageNotFoundError, distribution
from importlib.resources import files
from importlib.resources.abc import Traversable
from pathlib import Path

_PACKAGE = "dicom_assets"
_DISTRIBUTION = "dicom-assets"
_OF_THE_DISTRIBUTION = ("METADATA", "entry_points.txt")
_NEVER = "__pycache__"
_LONG_AGO = (1980, 1, 1, 0, 0, 0)
"""The earliest time that a ZIP can state: one code makes one archive."""


def package_version() -> str:
    """Return the version of the package, ``unknown`` where it is not installed."""
    try:
        return distribution(_DISTRIBUTION).version
    except PackageNotFoundError:
        return "unknown"


@cache
def code_digest() -> str:
    """Return what tells the code of this package from any other: a digest of its modules, from folder or archive."""
    digest = hashlib.sha256()
    for name, content in _contents(files(_PACKAGE)):
        if name.endswith(".py"):
            digest.update(f"{name}\0{len(content)}\0".encode())
            digest.update(content)
    return digest.hexdigest()[:16]


def pack(target: Path) -> Path:
    """Write this package as a ZIP that Spark ships to workers (``spark.submit.pyFiles``).

    What it needs (``pydicom``, ``pyarrow``, decoders) is compiled for one platform, and has to be there.

    Parameters
    ----------
    target
        The file. Its name ends with ``.zip``, for Spark looks into no other.

    Raises
    ------
    OSError
        It cannot be written.

    """
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in _contents(files(_PACKAGE)):
            archive.writestr(_entry(f"{_PACKAGE}/{name}"), content)
        for name, text in _of_the_distribution():
            archive.writestr(_entry(name), text)
    return target


def _contents(folder: Traversable, prefix: str = "") -> Iterator[tuple[str, bytes]]:
    """Yield the files below a folder of the package in the order of their names, with their contents."""
    for entry in sorted(folder.iterdir(), key=lambda entry: entry.name):
        if entry.is_file():
            if not entry.name.endswith(".pyc"):
                yield f"{prefix}{entry.name}", entry.read_bytes()
        elif entry.name != _NEVER:
            yield from _contents(entry, f"{prefix}{entry.name}/")


def _of_the_distribution() -> Iterator[tuple[str, str]]:
    """Yield what ``importlib.metadata`` asks for: the version, and the entry points of extractors."""
    try:
        installed = distribution(_DISTRIBUTION)
    except PackageNotFoundError:
        return
    for name in _OF_THE_DISTRIBUTION:
        if text := installed.read_text(name):
            yield f"{_PACKAGE}-{installed.version}.dist-info/{name}", text


def _entry(name: str) -> zipfile.ZipInfo:
    entry = zipfile.ZipInfo(name, _LONG_AGO)
    entry.compress_type = zipfile.ZIP_DEFLATED
    return entry

"""Fetching the viewer once: from the npm registry or a file, checked before it is unpacked, into the user's cache.

What is in the cache is whole: it is unpacked beside its place and renamed into it. One process at a time does that;
what a killed one left is removed by the next.
"""

import hashlib
import http.client
import shutil
import tempfile
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO
from urllib.parse import urlsplit

from filelock import FileLock
from platformdirs import user_cache_path

from dicom_assets.serve.viewer.errors import ViewerError, ViewerFetchError
from dicom_assets.serve.viewer.package import OHIF, Package
from dicom_assets.serve.viewer.registry import registry_for
from dicom_assets.serve.viewer.unpacking import unpack

_BLOCK = 1 << 20
_MOST_BYTES = 200 << 20
_TIMEOUT = 60
"""Seconds without a byte."""
_LOCK = "install.lock"
_UNFINISHED = "unfinished-"


def viewer_folder(package: Package = OHIF) -> Path:
    """Return where a package is, or would be, in the cache of this user."""
    return user_cache_path("dicom-assets") / "viewer" / package.folder


def installed_viewer(package: Package = OHIF) -> Path | None:
    """Return the folder of a package, ``None`` where it is not installed."""
    folder = viewer_folder(package)
    return folder if folder.is_dir() else None


def install_viewer(package: Package = OHIF, tarball: Path | None = None) -> Path:
    """Install a package where it is not yet; return its folder.

    Parameters
    ----------
    package
        Which one.
    tarball
        A file that holds it, as ``npm pack`` writes it; from the registry by default.

    Raises
    ------
    ViewerError
        The file, or what the registry sent, is not that package; or a setting of npm is wrong.
    ViewerFetchError
        The registry is out of reach, or the cache cannot be written.

    """
    folder = viewer_folder(package)
    with _clear_errors(folder.parent), _alone(folder.parent):
        if not folder.is_dir():
            with tempfile.TemporaryDirectory(prefix=_UNFINISHED, dir=folder.parent) as unfinished:
                fetched, unpacked = Path(unfinished, "package.tgz"), Path(unfinished, "files")
                unpacked.mkdir()
                with fetched.open("wb") as file:
                    _fetch(package, tarball, file)
                unpack(fetched, unpacked)
                unpacked.rename(folder)
    return folder


@contextmanager
def _alone(cache: Path) -> Iterator[None]:
    """Let one process at a time write to the cache, and remove what killed ones have left."""
    cache.mkdir(parents=True, exist_ok=True)
    with FileLock(cache / _LOCK):
        for left in cache.glob(f"{_UNFINISHED}*"):
            shutil.rmtree(left)
        yield


@contextmanager
def _clear_errors(cache: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise ViewerFetchError(f"the viewer cannot be kept in {cache}: {error.strerror or 'it failed'}") from error


def _fetch(package: Package, tarball: Path | None, target: BinaryIO) -> None:
    """Copy a tarball; raises :class:`ViewerError` where its hash is another than the package states."""
    blocks = _from_registry(package) if tarball is None else _from_file(tarball)
    digest, size = hashlib.sha512(), 0
    for block in blocks:
        size += len(block)
        if size > _MOST_BYTES:
            break
        digest.update(block)
        target.write(block)
    if size > _MOST_BYTES or digest.digest() != package.digest:
        where = "what the registry sent" if tarball is None else "this file"
        raise ViewerError(f"{where} is not {package} as it was published: its hash is another; nothing was installed")


def _from_file(tarball: Path) -> Iterator[bytes]:
    try:
        with tarball.open("rb") as file:
            while block := file.read(_BLOCK):
                yield block
    except OSError as error:
        raise ViewerError(f"{tarball} cannot be read: {error.strerror}") from error


def _from_registry(package: Package) -> Iterator[bytes]:
    """Yield what the registry sends. Proxies and certificates are those that the environment names."""
    registry = registry_for(package.name)
    host = urlsplit(registry).hostname
    request = urllib.request.Request(registry + package.address, headers={"User-Agent": "dicom-assets"})  # noqa: S310 - checked
    try:
        with urllib.request.urlopen(request, timeout=_TIMEOUT) as answer:  # noqa: S310
            while block := answer.read(_BLOCK):
                yield block
    except urllib.error.HTTPError as error:
        raise ViewerFetchError(_out_of_reach(package, host, f"it answered {error.code}")) from error
    except (OSError, http.client.HTTPException) as error:
        reason = getattr(error, "reason", None) or getattr(error, "strerror", None) or type(error).__name__
        raise ViewerFetchError(_out_of_reach(package, host, f"{reason}")) from error


def _out_of_reach(package: Package, host: str | None, reason: str) -> str:
    return (
        f"{package} cannot be fetched from {host}: {reason}. Try again, or fetch it elsewhere "
        f"(`npm pack {package.name}@{package.version}`) and name the file: dicom-assets viewer install --from FILE"
    )

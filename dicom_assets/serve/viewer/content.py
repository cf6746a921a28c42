"""The files of a build as they are sent: moved below the prefix, compressed once, and named by their content."""

import gzip
import hashlib
import os
import re
import stat
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path, PurePosixPath
from typing import Final

from dicom_assets.serve.viewer.errors import ViewerError
from dicom_assets.serve.viewer.policy import policy
from dicom_assets.serve.viewer.rewriting import PAGE, rewrite

_TYPES: Final = {
    ".css": "text/css; charset=utf-8",
    ".gif": "image/gif",
    ".html": "text/html; charset=utf-8",
    ".ico": "image/x-icon",
    ".jpg": "image/jpeg",
    ".js": "text/javascript; charset=utf-8",
    ".json": "application/json",
    ".jsonc": "application/json",
    ".map": "application/json",
    ".mjs": "text/javascript; charset=utf-8",
    ".png": "image/png",
    ".svg": "image/svg+xml",
    ".ttf": "font/ttf",
    ".txt": "text/plain; charset=utf-8",
    ".wasm": "application/wasm",
    ".webapp": "application/json",
    ".woff": "font/woff",
    ".woff2": "font/woff2",
    ".xml": "application/xml",
}
_COMPRESSED = frozenset({".css", ".html", ".js", ".json", ".map", ".mjs", ".svg", ".ttf", ".wasm"})
_LEVEL = 4
"""More takes twice the time for a tenth of the bytes."""
_KEPT = 400
"""Files in memory, as they are sent; all of one build are some 14 MB."""
_MOST_BYTES = 128 << 20
"""Of a file; what is larger is no part of a viewer."""
_NEVER = frozenset({"init-service-worker.js", "sw.js"})
"""Service workers would go on answering for this server, and load code from elsewhere."""
_NAMED_BY_CONTENT = re.compile(r"(?:^|\.)[0-9a-f]{16,}\.\w+$", re.ASCII)


@dataclass(frozen=True, slots=True)
class Content:
    """A file as it is sent.

    Attributes
    ----------
    body
        Its bytes, compressed where that makes them fewer.
    compressed
        Whether they are, by gzip.
    media_type
        What it is.
    tag
        Entity tag, another for another content.
    lasting
        Whether its name tells its content, so that who has it need not ask again.

    """

    body: bytes
    compressed: bool
    media_type: str
    tag: str
    lasting: bool = False

    @property
    def plain(self) -> bytes:
        """Its bytes, not compressed."""
        return gzip.decompress(self.body) if self.compressed else self.body


def content(name: PurePosixPath, body: bytes) -> Content:
    """Return bytes as they are sent under a name."""
    tag = f'"{hashlib.sha256(body).hexdigest()[:24]}"'
    media_type = _TYPES.get(name.suffix, "application/octet-stream" if name.suffix else "text/plain; charset=utf-8")
    lasting = _NAMED_BY_CONTENT.search(name.name) is not None
    if name.suffix in _COMPRESSED:
        packed = gzip.compress(body, _LEVEL, mtime=0)
        if len(packed) < len(body):
            return Content(packed, compressed=True, media_type=media_type, tag=tag, lasting=lasting)
    return Content(body, compressed=False, media_type=media_type, tag=tag, lasting=lasting)


class Build:
    """The build in a folder. A file that changes there is served as it is now.

    Parameters
    ----------
    folder
        Of the build.

    Raises
    ------
    ViewerError
        There is none.

    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder.resolve()
        self._made = lru_cache(maxsize=_KEPT)(_made)
        if self.file(str(PAGE)) is None:
            raise ViewerError(f"there is no viewer in {folder}: it has no {PAGE} that can be read")

    def file(self, name: str) -> Content | None:
        """Return a file of the build, ``None`` where it has none of this name, or none that is served.

        Parameters
        ----------
        name
            As a client spells it: nothing that it may hold leads out of the folder.

        """
        parts = name.split("/")
        if name in _NEVER or any(part in {"", ".", ".."} or set(part) & set("\\:\0") for part in parts):
            return None
        try:
            path = self._folder.joinpath(*parts).resolve()
            status = path.stat()
            if not path.is_relative_to(self._folder) or not _is_servable(status):
                return None
            return self._made(PurePosixPath(name), path, status.st_mtime_ns, status.st_size)
        except OSError:  # it is gone meanwhile, cannot be read, or is no possible name
            return None

    @property
    def page(self) -> Content | None:
        """The page that the viewer is."""
        return self.file(str(PAGE))

    def policy(self) -> str:
        """Return the Content-Security-Policy of all answers."""
        page = self.page
        return policy(page.plain if page else b"")


def is_file_name(name: str) -> bool:
    """Return whether a path names a file of a build, rather than a view of the viewer."""
    return PurePosixPath(name).suffix.lower() in _TYPES


def _is_servable(status: os.stat_result) -> bool:
    return stat.S_ISREG(status.st_mode) and status.st_size <= _MOST_BYTES


def _made(name: PurePosixPath, path: Path, changed: int, size: int) -> Content:  # noqa: ARG001 - they tell versions apart
    return content(name, rewrite(name, path.read_bytes()).content)

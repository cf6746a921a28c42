"""Thumbnails over HTTP: as the lake has them, named by path and version, so that browsers may keep them.

A list reads the thumbnails of its rows with the rows and lays them on a shelf: sixty requests for images then cost no
query. The shelf is bounded; what is not on it comes from the lake.
"""

import hashlib
import threading
from collections import OrderedDict
from collections.abc import Iterable
from dataclasses import dataclass
from urllib.parse import urlencode

from starlette.requests import Request
from starlette.responses import Response

from dicom_assets.dicom.showable import may_be_shown
from dicom_assets.query.fixed import FixedCatalog
from dicom_assets.serve.browser.listing import Row, files_at
from dicom_assets.serve.entity import ASK_EACH_TIME, conditional
from dicom_assets.serve.errors import NotFoundError

_MEDIA_TYPES = frozenset({"image/jpeg", "image/png", "image/webp"})
_COLUMNS = ("path", "fingerprint", "made_at", "thumbnail", "thumbnail_media_type")
_SHELF_BYTES = 48 << 20
_KEPT_SECONDS = 86_400
"""A day: browsers write what they keep to their disk."""


@dataclass(frozen=True, slots=True)
class Picture:
    """A thumbnail.

    Attributes
    ----------
    content, media_type
        Its bytes, as JPEG, PNG or WebP.

    """

    content: bytes
    media_type: str


class Shelf:
    """Thumbnails that were read lately, by path and version; safe to use from several threads."""

    def __init__(self, most_bytes: int = _SHELF_BYTES) -> None:
        self._most = most_bytes
        self._lock = threading.Lock()
        self._pictures: OrderedDict[tuple[str, str], Picture] = OrderedDict()
        self._bytes = 0

    def get(self, path: str, version: str) -> Picture | None:
        """Return a thumbnail, ``None`` where it is not here."""
        with self._lock:
            return self._pictures.get((path, version))

    def put(self, rows: Iterable[Row]) -> None:
        """Lay down the thumbnails of some rows; the oldest make room."""
        for row in rows:
            picture = picture_of(row)
            key = (row["path"], version_of(row))
            with self._lock:
                if picture is None or key in self._pictures:
                    continue
                self._pictures[key] = picture
                self._bytes += len(picture.content)
                while self._bytes > self._most:
                    _, gone = self._pictures.popitem(last=False)
                    self._bytes -= len(gone.content)


def version_of(row: Row) -> str:
    """Return what names the version of a file's row, short: its source file, and when the row was made."""
    told = f"{row.get('fingerprint')} {row.get('made_at')}"
    return hashlib.sha256(told.encode(errors="replace")).hexdigest()[:16]


def picture_of(row: Row) -> Picture | None:
    """Return the thumbnail of a row, ``None`` where it has none that a browser shows."""
    content, media_type = row.get("thumbnail"), row.get("thumbnail_media_type")
    if not isinstance(content, bytes) or media_type not in _MEDIA_TYPES:
        return None
    return Picture(content, str(media_type))


def is_covered(row: Row) -> bool:
    """Return whether an image is shown only to who asks for it: it says that text is burned in, or may hold such."""
    return not may_be_shown(row.get("BurnedInAnnotation"), row.get("header_status"))


def link_of(row: Row) -> str:
    """Return the address of a row's thumbnail."""
    pairs = {"prefix": row.get("prefix") or "", "path": row["path"], "v": version_of(row)}
    return f"/image?{urlencode(pairs, errors='replace')}"


def answer(request: Request, catalog: FixedCatalog, shelf: Shelf) -> Response:
    """Return the thumbnail that a request names.

    Raises
    ------
    NotFoundError
        There is no such file, or it has no thumbnail.

    """
    asked = request.query_params
    path, prefix, version = asked.get("path", ""), asked.get("prefix", ""), asked.get("v", "")
    tag = f'"{version}"'
    picture = shelf.get(path, version)
    if picture is None:
        rows = files_at(catalog, [path], [prefix] if prefix else (), _COLUMNS)
        picture = picture_of(rows[0]) if rows else None
        if picture is None:
            raise NotFoundError("there is no thumbnail of such a file")
        if version_of(rows[0]) != version:  # an old link, or one without a version
            tag = f'"{version_of(rows[0])}"'
    lasting = f"private, max-age={_KEPT_SECONDS}, immutable" if tag == f'"{version}"' else ASK_EACH_TIME
    shown = picture
    headers = {"Cache-Control": lasting}
    return conditional(request, tag, lambda: Response(shown.content, media_type=shown.media_type), headers)

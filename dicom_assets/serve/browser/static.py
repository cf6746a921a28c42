"""The style sheet and the script of the pages, from this package, named by their content."""

import hashlib
from functools import cache
from importlib.resources import files

from starlette.requests import Request
from starlette.responses import Response

from dicom_assets.serve.errors import NotFoundError

_TYPES = {"browser.css": "text/css", "browser.js": "text/javascript", "browser.svg": "image/svg+xml"}


@cache
def content(name: str) -> bytes:
    """Return a file of the folder ``static``; raises :class:`NotFoundError`."""
    if name not in _TYPES:
        raise NotFoundError("there is no such file")
    return (files("dicom_assets.serve.browser") / "static" / name).read_bytes()


@cache
def link(name: str) -> str:
    """Return the address of a file, which changes with its content."""
    return f"/static/{name}?v={hashlib.sha256(content(name)).hexdigest()[:12]}"


def answer(request: Request) -> Response:
    """Return the file that a request names."""
    name = request.path_params["name"]
    found = content(name)
    tag = f'"{hashlib.sha256(found).hexdigest()[:12]}"'
    headers = {"Cache-Control": "public, max-age=31536000, immutable", "ETag": tag}
    if request.query_params.get("v") != tag.strip('"'):
        headers["Cache-Control"] = "no-cache"
    return Response(found, media_type=_TYPES[name], headers=headers)

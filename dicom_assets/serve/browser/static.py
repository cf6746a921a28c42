"""The style sheet and the script of the pages, from this package, named by their content."""

import hashlib
from functools import cache
from importlib.resources import files

from starlette.requests import Request
from starlette.responses import Response

from dicom_assets.serve.entity import conditional
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
    return f"/static/{name}?v={_version(name)}"


def answer(request: Request) -> Response:
    """Return the file that a request names."""
    name = request.path_params["name"]
    found, version = content(name), _version(name)
    is_present = request.query_params.get("v") == version
    headers = {"Cache-Control": "public, max-age=31536000, immutable" if is_present else "no-cache"}
    return conditional(request, f'"{version}"', lambda: Response(found, media_type=_TYPES[name]), headers)


def _version(name: str) -> str:
    return hashlib.sha256(content(name)).hexdigest()[:12]

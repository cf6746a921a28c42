"""Entity tags (RFC 9110, 8.8.3 and 13.1.2): who has an answer already gets none, and nothing is read for it."""

import hashlib
from collections.abc import Callable, Mapping
from importlib.metadata import version

from starlette.requests import Request
from starlette.responses import Response

_RELEASE = version("dicom-assets")
ASK_EACH_TIME = "private, no-cache"
"""Cache-Control of what a client may keep, and asks about before it uses that again."""


def tag_of(*parts: object, weak: bool = False) -> str:
    """Return the tag of an answer, another one for each release of this package.

    Parameters
    ----------
    parts
        What the answer depends on: other ones make another tag.
    weak
        Two answers with this tag mean the same, and need not have the same bytes.

    """
    told = "\0".join(f"{len(text)} {text}" for text in map(str, (_RELEASE, *parts)))
    digest = hashlib.sha256(told.encode(errors="replace")).hexdigest()[:24]
    return f'W/"{digest}"' if weak else f'"{digest}"'


def is_known(request: Request, tag: str) -> bool:
    """Return whether a client says that it has the answer of a tag; weak or not is one to it."""
    stated = [one.strip() for one in ",".join(request.headers.getlist("if-none-match")).split(",")]
    return "*" in stated or _strong(tag) in map(_strong, stated)


def conditional(
    request: Request,
    tag: str,
    make: Callable[[], Response],
    headers: Mapping[str, str] | None = None,
) -> Response:
    """Return an answer with its tag, or that it has not changed.

    Parameters
    ----------
    request
        Tells what the client has.
    tag
        Of the answer.
    make
        Makes it, where the client does not have it.
    headers
        Of either answer; by default, a client asks each time before it uses what it keeps.

    """
    stated = {"Cache-Control": ASK_EACH_TIME, **(headers or {}), "ETag": tag}
    if is_known(request, tag):
        return Response(status_code=304, headers=stated)
    answer = make()
    if answer.status_code == 200:
        answer.headers.update(stated)
    return answer


def _strong(tag: str) -> str:
    return tag.removeprefix("W/")

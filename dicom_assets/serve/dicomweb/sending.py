"""Answers of pieces: in parts (RFC 2387) or not, sent as they are made, with no more in memory than is under way.

The first pieces are made before the answer begins, so that what is wrong with a request, or with a small file, has a
status of its own. What fails later ends the connection before the last boundary: the client sees that it has not all.
"""

import secrets
from collections.abc import Iterable, Iterator
from contextlib import ExitStack
from itertools import chain
from typing import TypeVar

from starlette.responses import Response, StreamingResponse

_AT_ONCE = 4 << 20
"""Bytes that are made before an answer begins; an answer of no more is sent with its length."""

_BLOCK = 256 << 10
"""Bytes that are sent at a time."""

Part = tuple[str, Iterable[bytes]]
"""A media type, and the pieces of the content."""

_T = TypeVar("_T")


def until_checked(pieces: Iterable[_T], opened: ExitStack) -> Iterator[_T]:
    """Yield pieces of a file that is open, and close it, which holds it against the catalog, before the answer ends."""
    with opened:
        yield from pieces


def send(pieces: Iterator[bytes], content_type: str, headers: dict[str, str] | None = None) -> Response:
    """Return an answer made of pieces; raises what making the first of them does."""
    held, size = list[bytes](), 0
    for piece in pieces:
        held.append(piece)
        size += len(piece)
        if size > _AT_ONCE:
            return StreamingResponse(_blocks(chain(held, pieces)), 200, headers, content_type)
    return _whole(b"".join(held), content_type, headers)


def _blocks(pieces: Iterable[bytes]) -> Iterator[bytes]:
    """Yield pieces together: to send one takes two changes of thread, which may take longer than to make it."""
    held, size = list[bytes](), 0
    for piece in pieces:
        held.append(piece)
        size += len(piece)
        if size >= _BLOCK:
            yield b"".join(held)
            held, size = [], 0
    if held:
        yield b"".join(held)


def _whole(content: bytes, content_type: str, headers: dict[str, str] | None) -> Response:
    answer = Response(content, 200, headers)
    answer.headers["Content-Type"] = content_type  # as it is: Starlette would add a charset to text
    return answer


def send_parts(parts: Iterator[Part], kind: str) -> Response:
    """Return an answer in parts.

    Parameters
    ----------
    parts
        In order.
    kind
        Media type of the parts, without parameters.

    """
    boundary = secrets.token_hex(16)
    return send(_framed(parts, boundary), f'multipart/related; type="{kind}"; boundary={boundary}')


def _framed(parts: Iterator[Part], boundary: str) -> Iterator[bytes]:
    for content_type, pieces in parts:
        yield f"--{boundary}\r\nContent-Type: {content_type}\r\n\r\n".encode("latin-1", "replace")
        yield from pieces
        yield b"\r\n"
    yield f"--{boundary}--\r\n".encode()

"""What an emulator of Google Cloud Storage lacks of its XML interface, added by a proxy.

The emulator takes an upload only when its address is signed, tells no entity tag in the answer, knows no upload in
parts, and takes no notice of two things by which Delta Lake finds and makes versions: that a listing begins behind a
key, and that an object must not exist yet.
"""

import asyncio
import base64
import contextlib
import hashlib
import re
import uuid
from collections import defaultdict
from html import unescape
from typing import Any
from urllib.parse import parse_qs, urlsplit

from dicom_assets_tests.support.slow_proxy import Request, SlowProxy, answered, main

_MUST_BE_NEW = "x-goog-if-generation-match"
_REFUSED = b"HTTP/1.1 412 Precondition Failed\r\nContent-Length: 0\r\n\r\n"

Answer = tuple[bytes, bytes]
"""The head of an answer, and what follows it."""


class GoogleProxy(SlowProxy):
    """A proxy that makes an emulator take uploads as the service does."""

    def __init__(self, *arguments: Any) -> None:
        super().__init__(*arguments)
        self._one_by_one = asyncio.Lock()
        self._parts: defaultdict[str, dict[int, bytes]] = defaultdict(dict)

    async def forward(self, request: Request, upstream: asyncio.StreamReader, down: asyncio.StreamWriter) -> Answer:
        """Ask the server, and return its answer."""
        query = parse_qs(urlsplit(request.path).query, keep_blank_values=True)
        upload = query.get("uploadId", [""])[0]
        match request.method:
            case "POST" if "uploads" in query:
                return _told(f"<InitiateMultipartUploadResult><UploadId>{uuid.uuid4()}</UploadId>", "InitiateMultipart")
            case "PUT" if upload:
                self._parts[upload][int(query["partNumber"][0])] = request.body
                return _told("", tag=_tag(request.body))
            case "POST" if upload:
                parts = self._parts.pop(upload)
                body = b"".join(parts[number] for number in sorted(parts))
                path = urlsplit(request.path).path
                head = f"PUT {path} HTTP/1.1\r\nHost: {self.host}\r\nContent-Length: {len(body)}\r\n\r\n".encode()
                await self._put(Request("PUT", path, {}, head, body), upstream, down)
                return _told(f"<CompleteMultipartUploadResult><ETag>{_tag(body)}</ETag>", "CompleteMultipart")
            case "PUT":
                return await self._put(request, upstream, down)
            case "GET" if "start-after" in query:
                answer, content = await super().forward(request, upstream, down)
                return _behind(query["start-after"][0], answer, content)
        return await super().forward(request, upstream, down)

    async def _put(self, request: Request, upstream: asyncio.StreamReader, down: asyncio.StreamWriter) -> Answer:
        new = request.headers.get(_MUST_BE_NEW) == "0"
        async with self._one_by_one if new else contextlib.nullcontext():
            if new and await self._exists(request.path, upstream, down):
                return _REFUSED, b""
            first, rest = request.head.split(b" HTTP/1.1", 1)
            signed = first + (b"&" if b"?" in first else b"?") + b"X-Goog-Algorithm=any HTTP/1.1" + rest
            answer, content = await super().forward(request._replace(head=signed), upstream, down)
        return answer[:-2] + f"ETag: {_tag(request.body)}\r\n\r\n".encode(), content

    async def _exists(self, path: str, upstream: asyncio.StreamReader, down: asyncio.StreamWriter) -> bool:
        down.write(f"HEAD {path} HTTP/1.1\r\nHost: {self.host}:{self.port}\r\n\r\n".encode())
        answer, _ = await answered(upstream, "HEAD")
        return answer.split(b" ", 2)[1] == b"200"


def _behind(key: str, answer: bytes, content: bytes) -> Answer:
    """Return a listing without what stands before a key."""
    if b"chunked" in answer.lower():
        content = b"".join(re.findall(rb"[0-9a-f]+\r\n(.*?)\r\n(?=[0-9a-f]+\r\n)", content, re.DOTALL))

    def kept(entry: re.Match[bytes]) -> bytes:
        return entry[0] if unescape(entry[1].decode()) > key else b""

    left = re.sub(rb"<Contents>.*?<Key>(.*?)</Key>.*?</Contents>", kept, content, flags=re.DOTALL)
    head = f"HTTP/1.1 200 OK\r\nContent-Type: application/xml\r\nContent-Length: {len(left)}\r\n\r\n"
    return head.encode(), left


def _tag(content: bytes) -> str:
    """Return the entity tag that the emulator gives to some content."""
    return f'"{base64.b64encode(hashlib.md5(content).digest()).decode()}"'


def _told(xml: str, name: str = "", tag: str = '""') -> Answer:
    content = f"{xml}</{name}UploadResult>".encode() if name else b""
    return f"HTTP/1.1 200 OK\r\nETag: {tag}\r\nContent-Length: {len(content)}\r\n\r\n".encode(), content


if __name__ == "__main__":
    main(GoogleProxy)

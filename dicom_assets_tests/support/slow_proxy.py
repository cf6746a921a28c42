"""A proxy before an object store that answers late, counts what it is asked for, and fails as it is told.

:class:`ProxyProcess` runs it in a process of its own: for benchmarks, in whose work it must not take part, and for
tables, since no other thread of a process runs while delta-rs waits for a store.
"""

import asyncio
import contextlib
import json
import subprocess
import sys
import threading
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum
from pathlib import Path
from typing import NamedTuple, Self
from urllib.parse import urlsplit

_NO_BODY = frozenset((204, 304))


class Fate(Enum):
    """What becomes of a request."""

    ANSWERED = "answered"
    CUT = "cut"
    """Half of the answer arrives."""
    HUNG = "hung"
    """Nothing does, and the connection stays."""


@dataclass(frozen=True)
class Asked:
    """A request."""

    method: str
    path: str
    range: str = ""

    @property
    def kind(self) -> str:
        """``list``, ``range``, ``whole`` or the method."""
        if self.method != "GET":
            return self.method
        query = urlsplit(self.path).query
        if any(name in query for name in ("list-type=", "prefix=", "comp=list")):
            return "list"
        return "range" if self.range else "whole"


class Request(NamedTuple):
    """A request as it came; names of headers are in lower case."""

    method: str
    path: str
    headers: dict[str, str]
    head: bytes
    body: bytes


class SlowProxy:
    """Passes requests on to a server, each some time after it came.

    Parameters
    ----------
    endpoint
        ``http://`` address of the server.
    delay
        Seconds that each request waits.
    fate
        What becomes of a request.

    """

    def __init__(
        self,
        endpoint: str,
        delay: float = 0.0,
        fate: Callable[[Asked], Fate] = lambda _: Fate.ANSWERED,
    ) -> None:
        target = urlsplit(endpoint)
        self.host, self.port = target.hostname, target.port
        self._delay, self._fate = delay, fate
        self.asked: list[Asked] = []
        self.bytes: Counter[str] = Counter()
        self.open = self.most_open = 0
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True, name="slow-proxy")
        self._thread.start()
        start = asyncio.start_server(self._serve, "127.0.0.1", 0, limit=1 << 20)
        self._server = asyncio.run_coroutine_threadsafe(start, self._loop).result()
        self.endpoint = f"http://127.0.0.1:{self._server.sockets[0].getsockname()[1]}"

    def kinds(self) -> Counter[str]:
        """Return how many requests there were of each kind."""
        return Counter(asked.kind for asked in self.asked)

    def paths(self, kind: str) -> list[str]:
        """Return the paths of the requests of a kind, in their order."""
        return [asked.path for asked in self.asked if asked.kind == kind]

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        asyncio.run_coroutine_threadsafe(self._stop(), self._loop).result(10)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(10)
        self._loop.close()

    async def _stop(self) -> None:
        self._server.close()
        others = [task for task in asyncio.all_tasks() if task is not asyncio.current_task()]
        for task in others:
            task.cancel()
        await asyncio.gather(*others, return_exceptions=True)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Serve one connection, by one to the server."""
        with contextlib.suppress(OSError, asyncio.IncompleteReadError, asyncio.CancelledError):
            upstream, down = await asyncio.open_connection(self.host, self.port, limit=1 << 20)
            try:
                while await self._exchange(reader, writer, upstream, down):
                    pass
            finally:
                down.close()
                writer.close()

    async def _exchange(
        self,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
        upstream: asyncio.StreamReader,
        down: asyncio.StreamWriter,
    ) -> bool:
        head = await reader.readuntil(b"\r\n\r\n")
        line, headers = _parsed(head)
        method, path, _ = line.split(" ", 2)
        asked = Asked(method, path, headers.get("range", headers.get("x-ms-range", "")))
        self.asked.append(asked)
        self.open += 1
        self.most_open = max(self.most_open, self.open)
        try:
            body = await reader.readexactly(int(headers.get("content-length", 0)))
            fate = self._fate(asked)
            if fate is Fate.HUNG:
                await asyncio.Event().wait()
            await asyncio.sleep(self._delay)
            answer, content = await self.forward(Request(method, path, headers, head, body), upstream, down)
            self.bytes[asked.kind] += len(content)
        finally:
            self.open -= 1
        writer.write(answer + (content[: len(content) // 2] if fate is Fate.CUT else content))
        await writer.drain()
        return fate is Fate.ANSWERED

    async def forward(
        self, request: Request, upstream: asyncio.StreamReader, down: asyncio.StreamWriter
    ) -> tuple[bytes, bytes]:
        """Ask the server, and return the head of its answer and what follows it."""
        down.write(request.head + request.body)
        return await answered(upstream, request.method)


def _parsed(head: bytes) -> tuple[str, dict[str, str]]:
    first, *lines = head.decode("latin-1").rstrip("\r\n").split("\r\n")
    pairs = (line.partition(":") for line in lines)
    return first, {name.strip().lower(): value.strip() for name, _, value in pairs}


async def answered(upstream: asyncio.StreamReader, method: str) -> tuple[bytes, bytes]:
    """Return the head of an answer, and what follows it."""
    head = await upstream.readuntil(b"\r\n\r\n")
    line, headers = _parsed(head)
    if method == "HEAD" or int(line.split(" ")[1]) in _NO_BODY:
        return head, b""
    if headers.get("transfer-encoding", "").lower() != "chunked":
        return head, await upstream.readexactly(int(headers.get("content-length", 0)))
    parts = []
    while True:
        size = await upstream.readuntil(b"\r\n")
        part = await upstream.readexactly(int(size.split(b";")[0], 16) + 2)
        parts += [size, part]
        if len(part) == 2:
            return head, b"".join(parts)


class ProxyProcess:
    """A proxy in a process of its own.

    Parameters
    ----------
    endpoint, delay
        As for :class:`SlowProxy`.
    module
        Whose ``main`` it runs: this one's, by default.

    """

    def __init__(self, endpoint: str, delay: float = 0.0, module: str = __name__) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", module, endpoint, str(delay)],
            cwd=Path(__file__).parents[2],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        self.endpoint = self._process.stdout.readline().strip()

    def asked(self) -> dict:
        """Return what it was asked for since this was last called: ``kinds``, ``bytes``, ``most`` at once."""
        self._process.stdin.write("\n")
        self._process.stdin.flush()
        return json.loads(self._process.stdout.readline())

    def stop(self) -> None:
        """End it."""
        self._process.kill()
        self._process.wait()
        self._process.stdin.close()
        self._process.stdout.close()


def main(kind: type[SlowProxy] = SlowProxy) -> None:
    """Serve until standard input ends, and print at each line of it what came since the last one."""
    with kind(sys.argv[1], float(sys.argv[2])) as proxy:
        print(proxy.endpoint, flush=True)
        for _ in sys.stdin:
            print(json.dumps({"kinds": proxy.kinds(), "bytes": proxy.bytes, "most": proxy.most_open}), flush=True)
            proxy.asked.clear()
            proxy.bytes.clear()
            proxy.most_open = 0


if __name__ == "__main__":
    main()

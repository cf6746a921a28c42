"""A headless Chromium (Debian's) on pages of this machine, driven over its DevTools protocol; it can reach no other.

Everything that it asks for is written down, by pages and by workers, and so is what it says on its console.
"""

import base64
import json
import re
import shutil
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self

from websockets.sync.client import ClientConnection, connect

_OPTIONS = (
    "--headless",
    "--no-sandbox",  # tests may run as root
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-dev-shm-usage",
    "--remote-debugging-port=0",
    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1",
)
_PATIENCE = 120
_WITHIN = ("blob:", "data:", "chrome:", "chrome-extension:")
"""Beginnings of addresses within the browser: what a page made for itself, and how documents are shown."""
_DOMAINS = ("Network.enable", "Runtime.enable", "Log.enable")


def chromium_program() -> str | None:
    """Return the browser; ``None`` where it is not installed."""
    whole = Path("/usr/lib/chromium/chromium")  # the wrapper before it adds keys and extensions
    return str(whole) if whole.exists() else shutil.which("chromium")


@dataclass
class Chromium:
    """A browser with one page.

    Attributes
    ----------
    requests
        Addresses that were asked for, in their order, without those within the browser.
    answers
        Status of each address that was answered, the last one.
    console
        What was said on the console, errors of scripts included.

    """

    folder: Path
    size: tuple[int, int] = (1280, 800)
    requests: list[str] = field(default_factory=list)
    answers: dict[str, int] = field(default_factory=dict)
    console: list[str] = field(default_factory=list)

    def __enter__(self) -> Self:
        program = chromium_program()
        assert program is not None
        self.folder.mkdir(parents=True, exist_ok=True)
        size = "--window-size={},{}".format(*self.size)
        self._log = (self.folder / "log").open("w+")
        self._process = subprocess.Popen(
            [program, *_OPTIONS, size, f"--user-data-dir={self.folder / 'profile'}", "about:blank"], stderr=self._log
        )
        try:
            # A browser that is busy answers late, which is no reason to give it up.
            self._connection = connect(self._devtools(), max_size=None, compression=None, ping_interval=None)
            self._socket: ClientConnection = self._connection.__enter__()
        except BaseException:
            self._process.kill()
            raise
        self._number = 0
        target = self._ask("Target.createTarget", {"url": "about:blank"})["targetId"]
        self._page = self._ask("Target.attachToTarget", {"targetId": target, "flatten": True})["sessionId"]
        for method in (*_DOMAINS, "Page.enable"):
            self.ask(method)
        self.ask("Target.setAutoAttach", autoAttach=True, waitForDebuggerOnStart=True, flatten=True)
        width, height = self.size
        self.ask("Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1, mobile=False)
        return self

    def __exit__(self, *_: object) -> None:
        self._connection.__exit__(None, None, None)
        self._process.terminate()
        try:
            self._process.wait(20)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._log.close()

    @contextmanager
    def watched(self, address: str) -> Iterator[Self]:
        """Listen anew; at the end, no other host was asked, and nothing was refused."""
        self.requests.clear()
        self.answers.clear()
        self.console.clear()
        yield self
        assert self.requests
        assert [one for one in self.requests if not one.startswith(f"{address}/")] == []
        assert {url: status for url, status in self.answers.items() if status >= 400} == {}

    def open(self, url: str) -> None:
        """Go to an address."""
        self.ask("Page.navigate", url=url)

    def ask(self, method: str, **parameters: Any) -> dict[str, Any]:
        """Call a method of the protocol for the page."""
        return self._ask(method, parameters, self._page)

    def value(self, expression: str) -> Any:
        """Return the value of an expression of JavaScript in the page."""
        answer = self._evaluated(expression)
        assert "exceptionDetails" not in answer, answer["exceptionDetails"]
        return answer["result"].get("value")

    def wait(self, expression: str, seconds: float = _PATIENCE) -> Any:
        """Return the value of an expression as soon as it is true; fails with the console after some time."""
        deadline = time.monotonic() + seconds
        while not (found := self._evaluated(expression)["result"].get("value")):  # an error is not true, either
            assert time.monotonic() < deadline, f"{expression} is not true; console: {self.console[-10:]}"
            self.rest(0.3)
        return found

    def rest(self, seconds: float) -> None:
        """Let the page work, and hear what it does."""
        deadline = time.monotonic() + seconds
        while (left := deadline - time.monotonic()) > 0:
            try:
                self._hear(json.loads(self._socket.recv(timeout=left)))
            except TimeoutError:
                return

    def settle(self, seconds: float = 2, at_most: float = 60) -> None:
        """Wait until nothing was asked for in some seconds."""
        deadline = time.monotonic() + at_most
        while time.monotonic() < deadline:
            before = len(self.requests), len(self.answers)
            self.rest(seconds)
            if before == (len(self.requests), len(self.answers)):
                return

    def wheel(self, x: int, y: int, amount: int) -> None:
        """Turn the wheel of the mouse at a point."""
        self.ask("Input.dispatchMouseEvent", type="mouseMoved", x=x, y=y)
        self.ask("Input.dispatchMouseEvent", type="mouseWheel", x=x, y=y, deltaX=0, deltaY=amount)

    def click(self, x: float, y: float, count: int = 1) -> None:
        """Press and let go the left button at a point."""
        self.ask("Input.dispatchMouseEvent", type="mouseMoved", x=x, y=y)
        for clicked in range(1, count + 1):
            for kind in ("mousePressed", "mouseReleased"):
                self.ask("Input.dispatchMouseEvent", type=kind, x=x, y=y, button="left", clickCount=clicked)

    def picture(self, path: Path | None = None) -> bytes:
        """Return what the page looks like, a PNG, and keep it in a file where one is named."""
        content = base64.b64decode(self.ask("Page.captureScreenshot", format="png")["data"])
        if path is not None:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content)
        return content

    def _evaluated(self, expression: str) -> dict[str, Any]:
        return self.ask("Runtime.evaluate", expression=expression, returnByValue=True, awaitPromise=True)

    def _devtools(self) -> str:
        deadline = time.monotonic() + _PATIENCE
        while True:
            said = (self.folder / "log").read_text(errors="replace")
            if match := re.search(r"ws://127\.0\.0\.1:\S+", said):
                return match[0]
            assert self._process.poll() is None, f"the browser ended: {said[-500:]}"
            assert time.monotonic() < deadline, "the browser does not start"
            time.sleep(0.1)

    def _send(self, method: str, parameters: dict[str, Any], session: str | None) -> int:
        self._number += 1
        message = {"id": self._number, "method": method, "params": parameters}
        self._socket.send(json.dumps(message | ({"sessionId": session} if session else {})))
        return self._number

    def _ask(self, method: str, parameters: dict[str, Any], session: str | None = None) -> dict[str, Any]:
        number = self._send(method, parameters, session)
        while True:
            message = json.loads(self._socket.recv(timeout=_PATIENCE))
            if message.get("id") == number:
                assert "error" not in message, f"{method}: {message['error']}"
                return message["result"]
            self._hear(message)

    def _hear(self, message: dict[str, Any]) -> None:
        """Write down what a page or a worker did."""
        method, said = message.get("method"), message.get("params", {})
        if method == "Target.attachedToTarget":
            self._attach(said["sessionId"])
        elif method == "Network.requestWillBeSent" and not said["request"]["url"].startswith(_WITHIN):
            self.requests.append(said["request"]["url"])
        elif method == "Network.responseReceived":
            self.answers[said["response"]["url"]] = said["response"]["status"]
        elif method == "Runtime.consoleAPICalled":
            self.console.append(f"{said['type']}: " + " ".join(_shown(one) for one in said["args"]))
        elif method == "Runtime.exceptionThrown":
            details = said["exceptionDetails"]
            self.console.append(f"exception: {details.get('exception', {}).get('description', details['text'])}")
        elif method == "Log.entryAdded":
            entry = said["entry"]
            self.console.append(f"{entry['source']} {entry['level']}: {entry['text']} {entry.get('url', '')}")

    def _attach(self, session: str) -> None:
        """Listen to a worker, too, and let it begin; answers are not waited for."""
        for method in _DOMAINS:
            self._send(method, {}, session)
        parameters = {"autoAttach": True, "waitForDebuggerOnStart": True, "flatten": True}
        self._send("Target.setAutoAttach", parameters, session)
        self._send("Runtime.runIfWaitingForDebugger", {}, session)


def _shown(argument: dict[str, Any]) -> str:
    return str(argument.get("value", argument.get("description", "")))

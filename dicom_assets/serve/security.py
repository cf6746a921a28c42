"""What stands before every answer: who asks, by what name, how much; and what a browser may do with the answer."""

import ipaddress
from urllib.parse import urlsplit

from starlette.datastructures import MutableHeaders
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from dicom_assets.serve.access import LOGIN, Access
from dicom_assets.serve.errors import answer_to, problem
from dicom_assets.serve.outbox import CutOffError, Outbox
from dicom_assets.serve.site import Site

PAGES = (
    "default-src 'none'; img-src 'self'; style-src 'self'; script-src 'self'; connect-src 'self'; form-action 'self'; "
    "frame-ancestors 'none'; base-uri 'none'"
)
"""Content-Security-Policy of all answers that have none of their own: nothing inline, and nothing from elsewhere."""

_METHODS = ("GET", "HEAD", "POST")
_HEADERS = {
    "Content-Security-Policy": PAGES,
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cache-Control": "private, no-cache",
}
"""Of every answer, where it does not say otherwise."""


class Guard:
    """The outermost part of the server: nothing behind it is reached by a request that it refuses.

    Parameters
    ----------
    app
        What is behind it.
    site
        What is served, and to whom.

    """

    def __init__(self, app: ASGIApp, site: Site) -> None:
        self._app, self._site = app, site
        self._hosts = frozenset(name.lower() for name in site.hosts)
        self._outbox = Outbox(site.limits.waiting_bytes)
        self._access = None if site.token is None else Access(site.token)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request, or let it through."""
        if scope["type"] == "lifespan":
            await self._app(scope, receive, send)
            return
        if scope["type"] != "http":
            await send({"type": "websocket.close", "code": 1008})
            return
        guarded = _Guarded(send, self._outbox)
        try:
            refusal = await self._refusal(scope, receive)
            await (refusal or self._app)(scope, receive, guarded)
        except Exception as error:  # noqa: BLE001 - the last place where an error can become an answer
            if guarded.started:
                raise CutOffError from None  # the client sees that the answer is not whole
            await answer_to(error)(scope, receive, guarded)

    async def _refusal(self, scope: Scope, receive: Receive) -> Response | None:
        """Return the answer to a request that is not let through."""
        request = Request(scope, receive)
        refusal = self._bounded(scope) or self._well_formed(request)
        if refusal is not None or self._access is None:
            return refusal
        if scope["path"] == LOGIN:
            return await self._access.login(request)
        return None if self._access.admits(request) else self._access.answer(request)

    def _bounded(self, scope: Scope) -> Response | None:
        limits = self._site.limits
        if len(scope.get("raw_path") or b"") + len(scope["query_string"]) > limits.url_bytes:
            return problem(414, f"a URL of more than {limits.url_bytes} bytes is not taken")
        if sum(len(name) + len(value) for name, value in scope["headers"]) > limits.header_bytes:
            return problem(431, f"headers of more than {limits.header_bytes} bytes are not taken")
        return None

    def _well_formed(self, request: Request) -> Response | None:
        if not self._is_own_name(request.headers.get("host", "")):
            return problem(421, "this server is not called by that name; name it with --host-name")
        if request.method not in _METHODS:
            return problem(405, "this server is read-only", {"Allow": ", ".join(_METHODS)})
        if request.method == "POST" and not _is_own_page(request):
            return problem(403, "a form is taken from pages of this server only")
        return None

    def _is_own_name(self, host: str) -> bool:
        """Return whether a Host header names this server: a number, which no other page can be found by, or a name."""
        try:
            name = (urlsplit(f"//{host}").hostname or "").rstrip(".")
        except ValueError:
            return False
        if name in self._hosts:
            return True
        try:
            ipaddress.ip_address(name)
        except ValueError:
            return False
        return True


def _is_own_page(request: Request) -> bool:
    """Return whether a form comes from a page of this server, as browsers say; other clients say nothing."""
    site, origin = request.headers.get("sec-fetch-site"), request.headers.get("origin")
    if site is not None:
        return site in {"same-origin", "none"}
    return origin is None or origin.partition("://")[2] == request.headers.get("host")


class _Guarded:
    """Sends an answer with the headers that each has."""

    def __init__(self, send: Send, outbox: Outbox) -> None:
        self._send, self._outbox = send, outbox
        self.started = False

    async def __call__(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.started = True
            headers = MutableHeaders(scope=message)
            for name, value in _HEADERS.items():
                headers.setdefault(name, value)
        await self._outbox.send(self._send, message)

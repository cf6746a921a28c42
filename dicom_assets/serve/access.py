"""Who is let in: clients that show the token, as programs do, or the cookie that the login page gives for it."""

import hashlib
import hmac
from dataclasses import dataclass
from urllib.parse import urlencode

from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response

from dicom_assets.serve.errors import problem
from dicom_assets.serve.forms import read_form

LOGIN = "/login"
"""Path of the page that takes the token of people."""

_BEARER = "bearer "
_PARAMETER = "token"
_FORM_BYTES = 4096
"""Longest form that is looked at."""

_PAGE = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<meta name="color-scheme" content="light dark"><title>Log in</title></head>
<body><main><h1>DICOM catalog</h1>{said}
<form method="post" action="{action}"><p><label>Token <input name="token" type="password" autocomplete="off" required
autofocus></label> <button>Log in</button></p></form></main></body></html>
"""


def equal(one: str, other: str) -> bool:
    """Return whether two texts are equal, in a time that does not tell where they differ."""
    return hmac.compare_digest(one.encode(errors="replace"), other.encode(errors="replace"))


@dataclass(frozen=True, slots=True)
class Access:
    """What a token opens.

    Attributes
    ----------
    token
        That of the site.

    """

    token: str

    @property
    def cookie(self) -> str:
        """Name of the cookie: servers on other ports of one machine would share it."""
        return f"dicom-assets-{self._digest('name')[:8]}"

    @property
    def session(self) -> str:
        """Value of the cookie. It is no token: it opens nothing but this."""
        return self._digest("session")

    def admits(self, request: Request) -> bool:
        """Return whether a request shows the token or the cookie."""
        stated = request.headers.get("authorization", "")
        if stated[: len(_BEARER)].lower() == _BEARER and equal(stated[len(_BEARER) :].strip(), self.token):
            return True
        return equal(request.cookies.get(self.cookie, ""), self.session)

    def answer(self, request: Request) -> Response:
        """Return the answer to a request that is not let in: to a link with the token, the way in."""
        shown = request.query_params.get(_PARAMETER)
        if shown is not None and request.method == "GET" and equal(shown, self.token):
            return self._let_in(_without_token(request))
        if "text/html" in request.headers.get("accept", ""):
            return HTMLResponse(_PAGE.format(said="", action=LOGIN), 401, {"Cache-Control": "no-store"})
        return problem(401, "a token is needed: Authorization: Bearer ...", {"WWW-Authenticate": "Bearer"})

    async def login(self, request: Request) -> Response:
        """Return the login page, or the answer to its form; raises :class:`TooMuchError` where that is too long."""
        if request.method != "POST":
            return HTMLResponse(_PAGE.format(said="", action=LOGIN), 200, {"Cache-Control": "no-store"})
        shown = await read_form(request, _FORM_BYTES)
        if equal(shown.get(_PARAMETER, ""), self.token):
            return self._let_in("/")
        said = '<p role="alert">This is not the token.</p>'
        return HTMLResponse(_PAGE.format(said=said, action=LOGIN), 401, {"Cache-Control": "no-store"})

    def _let_in(self, target: str) -> Response:
        answer = RedirectResponse(target, 303, {"Cache-Control": "no-store"})
        answer.set_cookie(self.cookie, self.session, path="/", httponly=True, samesite="strict")
        return answer

    def _digest(self, purpose: str) -> str:
        return hmac.new(self.token.encode(), f"dicom-assets {purpose}".encode(), hashlib.sha256).hexdigest()


def _without_token(request: Request) -> str:
    """Return the target of a request without the token, always on this server."""
    kept = [(name, value) for name, value in request.query_params.multi_items() if name != _PARAMETER]
    path = "/" + request.url.path.lstrip("/")  # `//elsewhere` would be another server's
    return f"{path}?{urlencode(kept)}" if kept else path

"""The viewer below ``/viewer``: the files of a build, its configuration, and its page for every view that it has."""

from collections.abc import Iterable
from pathlib import PurePosixPath

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import BaseRoute, Route

from dicom_assets.serve.entity import ASK_EACH_TIME, conditional
from dicom_assets.serve.errors import problem
from dicom_assets.serve.service import Service
from dicom_assets.serve.viewer import configuration
from dicom_assets.serve.viewer.content import Build, Content, content, is_file_name

_HOW = "no viewer is served here: `dicom-assets serve --viewer` does, and fetches it at the first time"
_LASTING = "private, max-age=2592000, immutable"
"""For a month: long enough to be fetched once, and not for ever, should a build be served otherwise some day."""


def routes(service: Service) -> Iterable[BaseRoute]:
    """Return the routes below ``/viewer``; where the site has no viewer, one that says how to get it.

    Raises
    ------
    ViewerError
        There is no viewer in the folder of the site.

    """
    if service.site.viewer is None:
        return [Route("/{path:path}", _nothing)]
    return [Route("/{path:path}", _Viewer(Build(service.site.viewer)).answer)]


def to_folder(request: Request) -> Response:
    """Send who asks for ``/viewer`` to ``/viewer/``, with the query."""
    query = request.url.query
    return RedirectResponse("/viewer/" + (f"?{query}" if query else ""), 307)


def _nothing(request: Request) -> Response:  # noqa: ARG001 - as Starlette calls it
    return problem(404, _HOW)


class _Viewer:
    """Answers from a build. It reads no table, so it needs no catalog; Starlette runs it on a thread."""

    def __init__(self, build: Build) -> None:
        self._build = build
        self._configuration = content(PurePosixPath(configuration.NAME), configuration.configuration())

    def answer(self, request: Request) -> Response:
        """Return the file that a path names; the page, where it names a view."""
        path = request.path_params["path"]
        found = self._found(path)
        if found is None:
            return problem(404, "the viewer has no such file")
        return _send(found, request, self._build.policy())

    def _found(self, path: str) -> Content | None:
        if path == configuration.NAME:
            return self._configuration
        found = self._build.file(path)
        return self._build.page if found is None and not is_file_name(path) else found


def _send(found: Content, request: Request, policy: str) -> Response:
    """Return a file, compressed for who takes that; nothing but its tag for who has it."""
    headers = {
        "Content-Security-Policy": policy,
        "Cache-Control": _LASTING if found.lasting else ASK_EACH_TIME,
    }
    if found.compressed:
        headers["Vary"] = "Accept-Encoding"
    return conditional(request, found.tag, lambda: _whole(found, request), headers)


def _whole(found: Content, request: Request) -> Response:
    headers = {"Content-Type": found.media_type}
    if found.compressed and "gzip" in request.headers.get("accept-encoding", ""):
        return Response(found.body, headers=headers | {"Content-Encoding": "gzip"})
    return Response(found.plain, headers=headers)

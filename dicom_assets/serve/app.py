"""The server as one ASGI application, put together of its parts."""

from collections.abc import Callable, Iterable

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Mount, Route

from dicom_assets.serve.browser.routes import routes as browser_routes
from dicom_assets.serve.dicomweb.routes import routes as dicomweb_routes
from dicom_assets.serve.errors import problem
from dicom_assets.serve.security import Guard
from dicom_assets.serve.service import Service
from dicom_assets.serve.site import Site
from dicom_assets.serve.viewer.routes import routes as viewer_routes
from dicom_assets.serve.viewer.routes import to_folder

Routes = Callable[[Service], Iterable[BaseRoute]]

_PARTS: tuple[tuple[str, Routes], ...] = (
    ("/dicom-web", dicomweb_routes),
    ("/viewer", viewer_routes),
    ("/", browser_routes),
)
"""Where each part is mounted; the first that fits a path answers."""


def create_app(site: Site) -> Starlette:
    """Return the server of a site. Nothing of the lake is read before the first request.

    Parameters
    ----------
    site
        What is served, to whom, and what a request may cost.

    Raises
    ------
    ViewerError
        There is no viewer in the folder of the site.

    """
    service = Service(site)
    mounts = [Mount(path.rstrip("/"), routes=list(routes(service))) for path, routes in _PARTS]
    app = Starlette(
        routes=[Route("/viewer", to_folder), *mounts],
        middleware=[Middleware(Guard, site=site)],
        exception_handlers={HTTPException: _http_error},
    )
    app.state.service = service
    return app


async def _http_error(request: Request, error: Exception) -> Response:  # noqa: ARG001 - as Starlette calls it
    """Return the answer of routing itself: no such page, or not with this method."""
    assert isinstance(error, HTTPException)
    reasons = {404: "there is nothing at this address", 405: "this takes another method"}
    return problem(error.status_code, reasons.get(error.status_code, "refused"), dict(error.headers or {}))

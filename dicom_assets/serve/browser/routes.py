"""The pages at the root of the server."""

from collections.abc import Iterable

from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import BaseRoute, Route

from dicom_assets.serve.service import Service, catalog_of


def routes(service: Service) -> Iterable[BaseRoute]:
    """Return the routes below ``/``."""
    return [Route("/", service.endpoint(_start))]


def _start(request: Request) -> Response:
    """Answer with what is served, and which versions of the tables."""
    versions = catalog_of(request).versions
    lines = [f"{name}, version {version}" for name, version in versions.items()]
    return PlainTextResponse("\n".join(["DICOMweb: /dicom-web", "", *lines, ""]))

"""The viewer: the files of a folder, where the site has one."""

from collections.abc import Iterable

from starlette.routing import BaseRoute, Mount
from starlette.staticfiles import StaticFiles

from dicom_assets.serve.service import Service


def routes(service: Service) -> Iterable[BaseRoute]:
    """Return the routes below ``/viewer``; none where the site has no viewer."""
    folder = service.site.viewer
    return [] if folder is None else [Mount("/", StaticFiles(directory=folder, html=True))]

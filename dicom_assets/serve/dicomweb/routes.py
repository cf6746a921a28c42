"""The addresses of DICOMweb (PS3.18 10.1.1)."""

from collections.abc import Iterable

from starlette.routing import BaseRoute

from dicom_assets.serve.service import Service


def routes(service: Service) -> Iterable[BaseRoute]:  # noqa: ARG001 - each part is made for a service
    """Return the routes below ``/dicom-web``."""
    return []

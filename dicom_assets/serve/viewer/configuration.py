"""What the viewer is told: where DICOMweb is, and nothing that needs another server."""

import json
from typing import Any, Final

from dicom_assets.serve.viewer.rewriting import PREFIX

NAME = "app-config.js"
"""The file that a build reads its configuration from."""

_SERVICE = "/dicom-web"

_SOURCE: Final[dict[str, Any]] = {
    "friendlyName": "Catalog",
    "name": "catalog",
    "qidoRoot": _SERVICE,
    "wadoRoot": _SERVICE,
    "wadoUriRoot": _SERVICE,
    "qidoSupportsIncludeField": True,
    "supportsFuzzyMatching": True,
    "supportsWildcard": True,
    "supportsReject": False,
    "supportsStow": False,
    "dicomUploadEnabled": False,
    # Thumbnails are drawn from the frames themselves, as pictures are: no request for another rendering of them.
    "imageRendering": "wadors",
    "thumbnailRendering": "wadors",
    "enableStudyLazyLoad": True,
    "omitQuotationForMultipartRequest": True,
    "bulkDataURI": {"enabled": True},
    # Documents are not in it: the viewer fetches them as bulk data and shows what it got. Named here, it would put the
    # address of the bulk data into a frame, and nothing of this server may be framed.
    "singlepart": "bulkdata,video",
}
_CONFIGURATION: Final[dict[str, Any]] = {
    "routerBasename": PREFIX.rstrip("/"),
    "extensions": [],
    "modes": [],
    # A tour of the viewer would cover the first study that somebody opens.
    "customizationService": {"ohif.tours": {"$set": []}},
    "investigationalUseDialog": {"option": "never"},
    "showStudyList": True,
    "showLoadingIndicator": True,
    "showWarningMessageForCrossOrigin": False,
    "showCPUFallbackMessage": True,
    "strictZSpacingForVolumeViewport": True,
    "maxNumberOfWebWorkers": 3,
    # Browsers open six connections to one server; more requests than a few times that only wait.
    "maxNumRequests": {"interaction": 100, "thumbnail": 5, "prefetch": 25},
    "defaultDataSourceName": "catalog",
    "dataSources": [
        {
            "namespace": "@ohif/extension-default.dataSourcesModule.dicomweb",
            "sourceName": "catalog",
            "configuration": _SOURCE,
        }
    ],
}


def configuration() -> bytes:
    """Return the script that a build reads its configuration from; the same for every site."""
    return f"window.config = {json.dumps(_CONFIGURATION, indent=1)};\n".encode()

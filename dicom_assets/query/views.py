"""The views of a catalog.

A module with views imports :class:`~dicom_assets.query.view.View` from ``view``, and is gathered here.
"""

from dicom_assets.query.file_views import FILE_VIEWS
from dicom_assets.query.rollup_views import ROLLUP_VIEWS
from dicom_assets.query.view import View

__all__ = ["VIEWS", "View"]

VIEWS: tuple[View, ...] = (*FILE_VIEWS, *ROLLUP_VIEWS)

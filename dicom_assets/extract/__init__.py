"""Extractors, the model of a catalog that is made of them, and the way from a file to its rows.

To write one, everything is here: :class:`Extractor`, the :class:`ExtractedTable` that it fills, its :class:`Column` and
:class:`Status`, and the :class:`SourceFile` that it is given. What belongs in this package knows one file at a time;
which files are due, and where rows are written, is in :mod:`dicom_assets.pipeline`.
"""

from dicom_assets.extract.extractor import ExtractedTable, Extractor
from dicom_assets.extract.model import DEFAULT_EXTRACTORS, CatalogModel
from dicom_assets.extract.source_file import SourceFile
from dicom_assets.extract.status import CatalogStatus, Status
from dicom_assets.isolation import ChildLimits
from dicom_assets.tables import Column

__all__ = [
    "DEFAULT_EXTRACTORS",
    "CatalogModel",
    "CatalogStatus",
    "ChildLimits",
    "Column",
    "ExtractedTable",
    "Extractor",
    "SourceFile",
    "Status",
]

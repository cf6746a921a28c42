"""Reading a header: all of a DICOM file but its pixel data, as the DICOM JSON Model (PS3.18 Annex F).

What belongs here: from bytes to elements, their values and issues, whatever state the file is in; where pixel data
begins and ends. What does not: reading frames and decoding them (:mod:`dicom_assets.dicom.pixels`), and what a picture
of them looks like (:mod:`dicom_assets.dicom.render`). Other parts import what this module exports; modules in this
package import one another.
"""

from dicom_assets.dicom.header.json_text import header_json
from dicom_assets.dicom.header.model import (
    Element,
    Header,
    Issue,
    JsonDataset,
    PixelElement,
    first_value,
    values,
)
from dicom_assets.dicom.header.read import read_header

__all__ = [
    "Element",
    "Header",
    "Issue",
    "JsonDataset",
    "PixelElement",
    "first_value",
    "header_json",
    "read_header",
    "values",
]

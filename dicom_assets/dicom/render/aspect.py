"""The shape of a pixel: Pixel Aspect Ratio or a spacing (PS3.3 C.7.6.3.1.7, C.7.6.16.2.1, 10.7)."""

from dicom_assets.dicom.header import Header
from dicom_assets.dicom.pixels.attributes import functional_group, numbers

_PIXEL_MEASURES = "00289110"
_PIXEL_SPACING = "00280030"
_SPACINGS = (_PIXEL_SPACING, "00181164", "00182010")
"""Pixel Spacing, Imager Pixel Spacing, Nominal Scanned Pixel Spacing: between rows, then between columns."""
_PIXEL_ASPECT_RATIO = "00280034"


def pixel_ratio(header: Header, frame: int) -> float:
    """Return the height of a pixel divided by its width, 1 when the header does not tell."""
    measures = functional_group(header, frame, _PIXEL_MEASURES)
    found = [numbers(measures, _PIXEL_SPACING), *(numbers(header.dataset, tag) for tag in _SPACINGS)]
    for vertical_and_horizontal in (*found, numbers(header.dataset, _PIXEL_ASPECT_RATIO)):
        if len(vertical_and_horizontal) >= 2 and min(vertical_and_horizontal[:2]) > 0:
            return vertical_and_horizontal[0] / vertical_and_horizontal[1]
    return 1.0

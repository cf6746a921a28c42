"""What an object says of others: the instances that it refers to, the segments and regions that it defines in them.

What belongs here: from a header to references, segments and regions of interest, pure and bounded. What does not:
columns and rows (:mod:`dicom_assets.extract`), and whether what is referred to exists, which only a catalog knows
(:mod:`dicom_assets.query`).
"""

from dicom_assets.dicom.references.bounds import DEFAULT_BOUNDS, ReferenceBounds
from dicom_assets.dicom.references.model import Code, Level, Reference, RegionOfInterest, Related, Segment
from dicom_assets.dicom.references.read import read_related

__all__ = [
    "DEFAULT_BOUNDS",
    "Code",
    "Level",
    "Reference",
    "ReferenceBounds",
    "RegionOfInterest",
    "Related",
    "Segment",
    "read_related",
]

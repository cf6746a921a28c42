"""Which SOP Classes are images: those whose instances have pixel data."""

from pydicom.uid import UID_dictionary

from dicom_assets.dicom.uids import (
    EnhancedUSVolumeStorage,
    LabelMapSegmentationStorage,
    ParametricMapStorage,
    SegmentationStorage,
)

_IMAGES_BY_OTHER_NAMES = frozenset(
    {SegmentationStorage, LabelMapSegmentationStorage, ParametricMapStorage, EnhancedUSVolumeStorage}
)
# RT Dose is not among them: a dose that is a histogram only has no pixels (PS3.3 A.18.3).


def _image_classes() -> frozenset[str]:
    named = {uid for uid, (name, kind, *_) in UID_dictionary.items() if kind == "SOP Class" and "Image Storage" in name}
    return frozenset(named | _IMAGES_BY_OTHER_NAMES)


IMAGE_SOP_CLASSES = _image_classes()
"""UIDs of the SOP Classes that are images."""

"""Which SOP Classes are images: those whose instances have pixel data."""

from pydicom.uid import UID_dictionary

MEDIA_STORAGE_DIRECTORY = "1.2.840.10008.1.3.10"

_IMAGES_BY_OTHER_NAMES = frozenset(
    {
        "1.2.840.10008.5.1.4.1.1.66.4",  # Segmentation
        "1.2.840.10008.5.1.4.1.1.66.7",  # Label Map Segmentation
        "1.2.840.10008.5.1.4.1.1.30",  # Parametric Map
        "1.2.840.10008.5.1.4.1.1.6.2",  # Enhanced US Volume
    }
)
# RT Dose is not among them: a dose that is a histogram only has no pixels (PS3.3 A.18.3).


def _image_classes() -> frozenset[str]:
    named = {uid for uid, (name, kind, *_) in UID_dictionary.items() if kind == "SOP Class" and "Image Storage" in name}
    return frozenset(named | _IMAGES_BY_OTHER_NAMES)


IMAGE_SOP_CLASSES = _image_classes()
"""UIDs of the SOP Classes that are images."""

"""What the dictionaries know of an element of a data set, private ones by their creator (PS3.5 7.8, PS3.6)."""

from dicom_assets.dicom.header.model import JsonDataset, first_value
from dicom_assets.dicom.header.vr import private_vr, public_vr


def is_private(tag: str) -> bool:
    """Say whether an element is private: its group number is odd (PS3.5 7.8)."""
    return int(tag[3], 16) & 1 == 1


def dictionary_vr(dataset: JsonDataset, tag: str) -> str | None:
    """Return the VR of an element as the dictionaries know it, private ones by their creator (PS3.5 7.8)."""
    if not is_private(tag):
        return public_vr(int(tag, 16))
    block = tag[4:6]
    if block == "00":
        return "LO" if int(tag[6:], 16) >= 0x10 else None
    creator = _creator(dataset, tag)
    return private_vr(int(tag, 16), creator) if isinstance(creator, str) else None


def is_known(dataset: JsonDataset, tag: str) -> bool:
    """Say whether there is such an element: one of the dictionaries, or a private one whose block has a creator."""
    return dictionary_vr(dataset, tag) is not None or (is_private(tag) and _creator(dataset, tag) is not None)


def _creator(dataset: JsonDataset, tag: str) -> object:
    return first_value(dataset, f"{tag[:4]}00{tag[4:6]}")

"""Which objects are about others, and which SOP Classes are no files."""

from functools import lru_cache

from pydicom.uid import UID_dictionary

DETACHED_STUDY_MANAGEMENT = "1.2.840.10008.3.1.2.3.1"

_STORAGE = "1.2.840.10008.5.1.4.1.1."
_FAMILIES = (
    f"{_STORAGE}11",  # presentation states
    f"{_STORAGE}30",  # parametric maps
    f"{_STORAGE}66",  # registrations, fiducials, segmentations, tractography, raw data
    f"{_STORAGE}67",  # real world value mappings
    f"{_STORAGE}77.1.5.3",  # stereometric relationships
    f"{_STORAGE}88",  # structured reports, key object selections
    f"{_STORAGE}90",  # content assessments
    f"{_STORAGE}91",  # annotations of slide microscopy
    f"{_STORAGE}104",  # encapsulated documents
    f"{_STORAGE}131",  # structured displays
    f"{_STORAGE}481",  # radiotherapy: structure sets, plans, doses, images, records
    "1.2.840.10008.5.1.4.34",  # radiotherapy: delivery instructions
)


@lru_cache(maxsize=1024)
def is_about_others(sop_class: str) -> bool:
    """Return whether objects of a class are made about other objects: all of their references are listed."""
    return any(sop_class == family or sop_class.startswith(f"{family}.") for family in _FAMILIES)


def _services() -> frozenset[str]:
    """Return the classes of the standard that are not stored; those that are say so by their name."""
    kinds = {"SOP Class", "Meta SOP Class", "Well-known SOP Instance", "Service Class"}
    return frozenset(uid for uid, (name, kind, *_) in UID_dictionary.items() if kind in kinds and "Storage" not in name)


SERVICE_CLASSES = _services()
"""Classes of objects that no archive has as files: procedure steps, worklists, films."""

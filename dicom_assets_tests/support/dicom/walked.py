"""References as pydicom's own walk over a data set finds them: what ours are compared with."""

from collections import Counter
from collections.abc import Iterator

from pydicom.dataelem import DataElement
from pydicom.dataset import Dataset

from dicom_assets.dicom.references import Related

Found = Counter[tuple[str, str | None, str]]
"""How often an instance is referred to: by the names of sequences around, SOP Class UID, SOP Instance UID."""


def items_below(dataset: Dataset, path: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], Dataset]]:
    """Yield every item at every depth, with the keywords of the sequences that it stands in."""
    for element in dataset:
        if element.VR == "SQ":
            inner = (*path, _name(element))
            for item in element.value or ():
                yield inner, item
                yield from items_below(item, inner)


def _name(element: DataElement) -> str:
    return element.keyword or f"{int(element.tag):08X}"


def walked(dataset: Dataset) -> Found:
    """Return what pydicom finds."""
    found: Found = Counter()
    for path, item in items_below(dataset):
        instance = _text(item, "ReferencedSOPInstanceUID")
        if instance is not None:
            found[".".join(path), _text(item, "ReferencedSOPClassUID"), instance] += 1
    return found


def listed(related: Related) -> Found:
    """Return what was found by the package, in the same form."""
    found: Found = Counter()
    for reference in related.references or ():
        found[reference.sequence, reference.sop_class_uid, reference.instance_uid] += reference.mentions
    return found


def _text(item: Dataset, keyword: str) -> str | None:
    if keyword not in item:
        return None
    value = item[keyword].value
    first = value if isinstance(value, str) else next(iter(value or ()), None)
    return str(first).strip() or None if first is not None else None

"""The header of one file as data: what reading it yields, whoever reads it.

Elements follow the DICOM JSON Model (PS3.18 Annex F): a data set is a ``dict`` from eight hexadecimal digits to
``{"vr": ..., "Value": [...]}``, ``{"vr": ..., "InlineBinary": base64}`` or, for values that are not inlined,
``{"vr": ..., "BulkData": {"offset": ..., "length": ...}}`` with the position in :attr:`Header.body`. A sequence that
is too long has both: the first of its items, and where all of them are.

Headers of files that have values in common share the elements that hold them, so elements are never changed.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from dicom_assets.dicom.source import ByteSource
from dicom_assets.dicom.status import HeaderStatus

Element = dict[str, Any]
JsonDataset = dict[str, Element]


@dataclass(frozen=True, slots=True)
class Issue:
    """One value that breaks a rule.

    Attributes
    ----------
    path
        Where it is: tags and zero-based item numbers, ``00081140[0].00081150``.
    vr
        Its Value Representation.
    code
        One of the documented codes of :mod:`dicom_assets.dicom.header.issues`.
    raw
        The value as in the file, capped; bytes that are no text are escaped.

    """

    path: str
    vr: str
    code: str
    raw: str


@dataclass(frozen=True, slots=True)
class PixelElement:
    """Where Pixel Data, Float Pixel Data or Double Float Pixel Data stands (PS3.5 A.4, 8).

    Attributes
    ----------
    tag
        ``7FE00010``, ``7FE00008`` or ``7FE00009``.
    vr
        ``OB``, ``OW``, ``OF`` or ``OD``.
    offset
        Of the first byte of the value in :attr:`Header.body`; for encapsulated data that is the Basic Offset
        Table item.
    length
        In bytes; ``None`` when it is undefined, which means that the data is encapsulated.
    cut
        Whether the file ends before it does.

    """

    tag: str
    vr: str
    offset: int
    length: int | None
    cut: bool = False


@dataclass(frozen=True, slots=True)
class Header:
    """All of a file but its pixel data.

    Attributes
    ----------
    status, error
        How the reading went, and one sentence without patient data when it did not go well.
    file_meta
        The elements of group 0002 (PS3.10 7.1).
    dataset
        All other elements, those after the pixel data too, and without the pixel data.
    issues
        Values that break a rule.
    transfer_syntax
        The UID that the data set was read with: stated by the file, or sniffed where it states none.
    little_endian
        Byte order of the data set and of native pixel data.
    implicit_vr
        Whether the elements of the data set were encoded without their VR.
    pixel
        Where the pixel data is, ``None`` when there is none.
    body
        The source that offsets count in: the file, or for a deflated data set its inflated content.
    reader
        ``walker`` or ``pydicom``.
    sequences
        Tags of the elements of the data set that are sequences, ``None`` where nobody noted them.

    """

    status: HeaderStatus
    error: str | None = None
    file_meta: JsonDataset = field(default_factory=dict)
    dataset: JsonDataset = field(default_factory=dict)
    issues: Sequence[Issue] = ()
    transfer_syntax: str | None = None
    little_endian: bool = True
    pixel: PixelElement | None = None
    body: ByteSource | None = None
    reader: str = "walker"
    implicit_vr: bool = False
    sequences: Sequence[str] | None = None

    def first(self, tag: str) -> Any:
        """Return the first value of a top-level element of the data set, ``None`` when it has none."""
        return first_value(self.dataset, tag)


def values(dataset: Mapping[str, Element], tag: str) -> list[Any]:
    """Return the values of an element, an empty list when it is absent, empty or not inlined."""
    element = dataset.get(tag)
    if element is None:
        return []
    found: list[Any] = element.get("Value", [])
    return found


def first_value(dataset: Mapping[str, Element], tag: str) -> Any:
    """Return the first value of an element, ``None`` when it has none."""
    found = values(dataset, tag)
    return found[0] if found else None

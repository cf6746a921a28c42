"""Which images may be shown to somebody who did not ask for that very image: in a gallery, on a contact sheet."""

from dicom_assets.dicom.status import HeaderStatus

_BURNED_IN = "YES"
_READ = frozenset({HeaderStatus.OK, HeaderStatus.ISSUES, HeaderStatus.TRUNCATED})
"""Of headers that were read at least to the pixel data, which Burned In Annotation comes before."""


def may_be_shown(burned_in_annotation: str | None, header_status: str | None) -> bool:
    """Return whether an image may be shown unasked.

    Not when its header says that identifying text is part of the pixels (PS3.3 C.7.6.1.1.4), nor when the header was
    not read far enough to know. An image whose header says nothing about it may be shown.

    Parameters
    ----------
    burned_in_annotation
        Burned In Annotation (0028,0301) as it stands in the header: ``YES``, ``NO`` or ``None``.
    header_status
        How the header was read, a :class:`HeaderStatus`; ``None`` when it was not.

    """
    return header_status in _READ and (burned_in_annotation or "").strip().upper() != _BURNED_IN

"""What a container says of a member."""

from datetime import datetime
from typing import NamedTuple

from dicom_assets.archive.containers.places import Step


class Member(NamedTuple):
    """One file in a container, as the container tells of it.

    Attributes
    ----------
    name
        As :func:`~dicom_assets.archive.containers.kinds.safe_name` gives it; not empty.
    modified_at
        Last modification.
    fingerprint
        What tells its content from another. That of a member of a compressed TAR lacks the version of the container.
    step
        Where it is.

    """

    name: str
    modified_at: datetime | None
    fingerprint: str
    step: Step

"""Why a container, or a member of one, cannot be read: codes that versions carry, and the sentences they stand for."""

from enum import StrEnum

from dicom_assets.archive.containers.limits import MOST_MEMBERS
from dicom_assets.dicom.inflate import MOST_RATIO
from dicom_assets.errors import DataError


class Fault(StrEnum):
    """Why a container cannot be listed whole. The values are part of versions in tables: they stay as they are."""

    DAMAGED = "damaged"
    """It is damaged or cut short."""
    SPLIT = "split"
    """It is one part of several."""
    COUNT = "count"
    """It has too many members."""
    RATIO = "ratio"
    """Its members would come to too many times its size."""
    OVERLAP = "overlap"
    """Members share their bytes, as only those of bombs do."""
    OTHER = "other"
    """It is none: told only of a file that was one before. Any other is a file whose name says too much."""

    @property
    def sentence(self) -> str:
        """What is wrong, for people."""
        return _SENTENCES[self]


_SENTENCES = {
    Fault.DAMAGED: "the container is damaged or cut short; members that could not be listed are not in the catalog",
    Fault.SPLIT: "the container is one part of several: join them to one file",
    Fault.COUNT: f"the container has more than {MOST_MEMBERS:,} members: split it",
    Fault.RATIO: f"the members of the container would unpack to more than {MOST_RATIO} times its size",
    Fault.OVERLAP: "members of the container overlap, which no packer writes",
    Fault.OTHER: "the container was one when it was cataloged, and is none now; its members are kept until it is gone",
}


class ContainerError(DataError):
    """A container cannot be listed whole.

    Attributes
    ----------
    fault
        Why.

    """

    def __init__(self, fault: Fault) -> None:
        super().__init__(fault.sentence)
        self.fault = fault


class MemberError(DataError, OSError):
    """What a container holds at a path cannot be read, and no second attempt would do better."""

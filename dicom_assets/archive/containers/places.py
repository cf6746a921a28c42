"""Where a member is: what its version says, so that it is opened without looking for it.

The version of a member names the version of its container and the place in it:
``zip:1234:5678:d:9012@121000000@"etag"`` is a member of 9,012 bytes, deflated to 5,678, whose local header begins at
1,234 of an object of 121 MB and that entity tag. A member of a nested container has two such steps, ``/`` between them.
"""

import re
from dataclasses import dataclass
from enum import StrEnum
from typing import NamedTuple

from dicom_assets.archive.containers.faults import Fault
from dicom_assets.archive.containers.kinds import Kind
from dicom_assets.archive.versions import Listed

STEP = r"(?:zip|tar|tgz|tzst):\d+:\d+:\w+:\d+(?:!\w+)?"
PLACE = rf"^{STEP}(?:/{STEP})*@\d+@"
"""What the version of a member begins with, and no other version does; for Python and Arrow alike."""
NESTED = rf"^{STEP}/"

_STEP = re.compile(r"(\w+):(\d+):(\d+):(\w+):(\d+)(?:!(\w+))?")
_PLACE = re.compile(rf"({STEP}(?:/{STEP})*)@(\d+)@(.*)", re.DOTALL)
_LISTED = re.compile(r"(.*) members=(\d+|\?)(?: fault=(\w+))?", re.DOTALL)


class How(StrEnum):
    """How the bytes of a member are kept; other values name a method by its number in a ZIP: ``m14``."""

    STORED = "s"
    """As they are."""
    DEFLATED = "d"
    """Deflated (RFC 1951)."""
    ENCRYPTED = "e"
    """Encrypted, by whatever method."""
    SPARSE = "x"
    """Without their holes (GNU sparse files in a TAR)."""


class Step(NamedTuple):
    """One step from a container to a member.

    Attributes
    ----------
    kind
        Of the container.
    offset
        Where the member begins: its local header in a ZIP, its first byte in a TAR, of a compressed one in what that
        unpacks to.
    packed, size
        Its length in bytes, in the container and by itself.
    how
        How its bytes are kept, a value of :class:`How` or a method.
    fault
        Of a member that is a container itself: why it cannot be listed whole.

    """

    kind: Kind
    offset: int
    packed: int
    how: str
    size: int
    fault: Fault | None = None

    def __str__(self) -> str:
        """Return the step as versions have it."""
        text = f"{self.kind}:{self.offset}:{self.packed}:{self.how}:{self.size}"
        return f"{text}!{self.fault}" if self.fault else text

    @classmethod
    def parse(cls, text: str) -> "Step":
        """Return the step of :meth:`__str__`; raises :class:`ValueError`."""
        found = _STEP.fullmatch(text)
        if found is None:
            raise ValueError(f"{text!a} is no place in a container")
        kind, offset, packed, how, size, fault = found.groups()
        return cls(Kind(kind), int(offset), int(packed), how, int(size), Fault(fault) if fault else None)


@dataclass(frozen=True, slots=True)
class Place:
    """Where a member is.

    Attributes
    ----------
    steps
        From the container to the member.
    container
        The version of the file that the container is.

    """

    steps: tuple[Step, ...]
    container: Listed

    def __str__(self) -> str:
        """Return the version of the member."""
        return "/".join(map(str, self.steps)) + suffix_of(self.container)

    @classmethod
    def parse(cls, version: str) -> "Place | None":
        """Return the place that a version names, ``None`` where it is the version of something else."""
        found = _PLACE.fullmatch(version)
        if found is None:
            return None
        steps, size, container = found.groups()
        return cls(tuple(map(Step.parse, steps.split("/"))), Listed(int(size), container))


def suffix_of(container: Listed) -> str:
    """Return what the versions of all members of a container end in."""
    return f"@{container.size}@{container.version}"


@dataclass(frozen=True, slots=True)
class Marked:
    """The version of a container whose members were listed.

    Attributes
    ----------
    version
        Of the file.
    members
        How many files it holds; ``None`` where it was not looked into.
    fault
        Why it could not be listed whole.

    """

    version: str
    members: int | None = 0
    fault: Fault | None = None

    def __str__(self) -> str:
        """Return the version as the index has it."""
        members = "?" if self.members is None else self.members
        return f"{self.version} members={members}" + (f" fault={self.fault}" if self.fault else "")

    @classmethod
    def parse(cls, version: str) -> "Marked | None":
        """Return what a version says, ``None`` where it is that of a file whose members were not listed."""
        found = _LISTED.fullmatch(version)
        if found is None:
            return None
        bare, members, fault = found.groups()
        return cls(bare, None if members == "?" else int(members), Fault(fault) if fault else None)


def with_fault(fingerprint: str, fault: Fault | None) -> str:
    """Return the fingerprint of a container: its rows tell of a fault, so one that has it is another version."""
    return f"{fingerprint}!{fault}" if fault else fingerprint

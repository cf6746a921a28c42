"""References, segments and regions of interest as data."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum


class Level(StrEnum):
    """What a reference is to."""

    INSTANCE = "instance"
    """A composite instance: an image, a segmentation, a plan. It is a file somewhere."""
    STUDY = "study"
    """A study as a whole, by the retired Detached Study Management class or in RT Referenced Study Sequence."""
    SERVICE = "service"
    """An object that systems keep for one another and do not store, such as a performed procedure step."""


@dataclass(frozen=True, slots=True)
class Code:
    """A coded concept (PS3.3 8.8).

    Attributes
    ----------
    value
        Code Value, Long Code Value or URN Code Value, whichever is there.
    scheme
        Coding Scheme Designator, such as ``SCT`` or ``DCM``.
    meaning
        Code Meaning, for people.

    """

    value: str | None
    scheme: str | None
    meaning: str | None


@dataclass(frozen=True, slots=True)
class Reference:
    """One thing that an object refers to, from one place in it. Repeated mentions from the same place are one.

    Attributes
    ----------
    level
        What it is.
    sequence
        Keywords of the sequences that lead to it, outermost first, with a dot between them; a tag in eight digits where
        there is no keyword.
    purpose
        Purpose of Reference, or in a content item of a report its concept name.
    study_uid, series_uid
        Study Instance and Series Instance UID of what is referred to, where the object tells them anywhere.
    sop_class_uid, instance_uid
        Referenced SOP Class and Referenced SOP Instance UID (PS3.3 table 10-11).
    frames, segments
        Frame numbers, from 1, and segment numbers; ``None`` when it is referred to as a whole.
    mentions
        How many items refer to it from this place.

    """

    level: Level
    sequence: str
    purpose: Code | None
    study_uid: str | None
    series_uid: str | None
    sop_class_uid: str | None
    instance_uid: str
    frames: Sequence[int] | None
    segments: Sequence[int] | None
    mentions: int


@dataclass(frozen=True, slots=True)
class Segment:
    """One segment of a segmentation (PS3.3 C.8.20.2, C.8.23.1).

    Attributes
    ----------
    number, label, description
        Segment Number, Label and Description.
    category, type
        Segmented Property Category and Segmented Property Type.
    algorithm_type, algorithm_name
        ``AUTOMATIC``, ``SEMIAUTOMATIC`` or ``MANUAL``, and by what.
    tracking_id, tracking_uid
        What makes it the same finding in several objects.
    frames
        Frames that are of this segment; ``None`` where frames are not of one segment (label maps, surfaces) or not all
        could be read.

    """

    number: int | None
    label: str | None
    description: str | None
    category: Code | None
    type: Code | None
    algorithm_type: str | None
    algorithm_name: str | None
    tracking_id: str | None
    tracking_uid: str | None
    frames: int | None


@dataclass(frozen=True, slots=True)
class RegionOfInterest:
    """One region of interest of a structure set (PS3.3 C.8.8.5, C.8.8.6, C.8.8.8).

    Attributes
    ----------
    number, name
        ROI Number and ROI Name.
    interpreted_type
        RT ROI Interpreted Type, such as ``PTV`` or ``ORGAN``, of its first observation that states one.
    generation_algorithm
        ``AUTOMATIC``, ``SEMIAUTOMATIC`` or ``MANUAL``.
    color
        ROI Display Color: red, green and blue from 0 to 255.
    contours
        Number of its contours, 0 for a region without any; ``None`` when not all could be read.
    geometric_types
        Contour Geometric Types that occur, in alphabetical order.
    frame_of_reference_uid
        Frame of reference of its coordinates.

    """

    number: int | None
    name: str | None
    interpreted_type: str | None
    generation_algorithm: str | None
    color: Sequence[int] | None
    contours: int | None
    geometric_types: Sequence[str]
    frame_of_reference_uid: str | None


@dataclass(frozen=True, slots=True)
class Related:
    """All that one object says of others.

    Attributes
    ----------
    references
        In the order of their first mention; ``None`` when there are none.
    segments
        ``None`` when the object is no segmentation.
    regions
        ``None`` when the object is no structure set.
    incomplete
        Tags of the sequences of the data set of which not everything is listed here: a bound was reached, or they could
        not be read to their end.

    """

    references: Sequence[Reference] | None = None
    segments: Sequence[Segment] | None = None
    regions: Sequence[RegionOfInterest] | None = None
    incomplete: Sequence[str] = ()

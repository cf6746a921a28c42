"""What can be said of a file's header and of its thumbnail: the closed sets that the ``status`` columns hold."""

from enum import StrEnum


class HeaderStatus(StrEnum):
    """How a header was read."""

    OK = "ok"
    """Every element was read and keeps the rules of its Value Representation."""
    ISSUES = "issues"
    """The header was read to its end; the values listed in ``issues`` break a rule and are kept as they stand, or were
    damaged: then ``issues`` says what was skipped."""
    TRUNCATED = "truncated"
    """The file ends inside the header, or in an element after the pixel data; what comes before the end is kept."""
    NOT_DICOM = "not_dicom"
    """The content is something else."""
    EMPTY = "empty"
    """The file has no bytes."""
    DICOMDIR = "dicomdir"
    """A Media Storage Directory (PS3.3 F.3): read as any header, and no image."""
    UNSUPPORTED = "unsupported"
    """A limit on depth, element count or length stopped the reading; ``error`` names it."""
    ERROR = "error"
    """The structure of the header cannot be followed; ``error`` says where, and what comes before is kept. Also a
    file that could not be read, or a fault of ours."""


class ThumbnailStatus(StrEnum):
    """How a thumbnail was made."""

    OK = "ok"
    """There is a thumbnail."""
    PARTIAL = "partial"
    """There is a thumbnail, but the pixel data is cut short: part of the frame is black, or other frames are missing;
    ``error`` says how much is there."""
    NO_PIXEL_DATA = "no_pixel_data"
    """A DICOM object without an image: report, structure set, waveform, presentation state."""
    NOT_DICOM = "not_dicom"
    """The content is something else."""
    UNSUPPORTED = "unsupported"
    """No decoder for this transfer syntax or pixel layout is installed; ``error`` names it."""
    TOO_LARGE = "too_large"
    """A limit on pixels, bytes or memory stopped the decoding; ``error`` names it."""
    ERROR = "error"
    """The pixel data could not be decoded; ``error`` says why."""

"""What reading one header may cost, and from which size on a value is not inlined."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache

from dicom_assets.dicom.header.vr import ALL_VRS, BYTES_UNITS, NUMBER_VRS


@dataclass(frozen=True, slots=True)
class HeaderLimits:
    """Bounds on the reading of one header.

    The first group decides what the JSON inlines: beyond it a value is kept as its place in the file. The second
    stops the reading with status ``unsupported``: no sane header comes near it.

    Attributes
    ----------
    head_bytes
        Size of the first read. Most headers end within it.
    bulk_bytes
        Longest binary value (OB, OD, OF, OL, OV, OW, UN) that is inlined.
    number_bytes
        Longest array of numbers (AT, DS, FD, FL, IS, SL, SS, SV, UL, US, UV) that is inlined, as encoded.
    text_bytes
        Longest text that is inlined: what the 16-bit length of an explicit VR can state.
    sequence_bytes
        How much of the content of one sequence of the data set is inlined, with all that is nested in it. Items
        that begin beyond it are not.
    inline_bytes
        How much is inlined in all of values that are longer than a few words; beyond it they are not.
    max_depth
        Sequences nested in sequences.
    max_elements
        Elements and items that are inlined, at all depths.
    max_skipped
        Elements and items passed over while looking for the end of something of undefined length.
    max_read_bytes
        Bytes read from the source, and bytes inflated of a deflated data set.
    max_searched_bytes
        Bytes in which the next element is looked for after damage.
    max_issues
        Issues that are listed; the last one says that there were more.

    """

    head_bytes: int = 64 * 1024
    bulk_bytes: int = 1024
    number_bytes: int = 4 * 1024
    text_bytes: int = 64 * 1024
    sequence_bytes: int = 512 * 1024
    inline_bytes: int = 8 * 1024 * 1024

    max_depth: int = 64
    max_elements: int = 200_000
    max_skipped: int = 5_000_000
    max_read_bytes: int = 1 << 30
    max_searched_bytes: int = 256 * 1024
    max_issues: int = 200


DEFAULT_LIMITS = HeaderLimits()


@lru_cache(maxsize=16)
def inline_caps(limits: HeaderLimits) -> Mapping[str, int]:
    """Return the longest value of each VR that is inlined, in bytes."""
    return {
        vr: limits.bulk_bytes if vr in BYTES_UNITS else limits.number_bytes if vr in NUMBER_VRS else limits.text_bytes
        for vr in ALL_VRS
    }

"""Labels for people in place of UIDs and byte counts."""

from functools import cache

from pydicom.config import IGNORE
from pydicom.uid import UID

_UNITS = ("B", "kB", "MB", "GB", "TB")


def transfer_syntax_name(uid: str | None) -> str | None:
    """Return the name of a transfer syntax (PS3.6 Table A-1), its UID when it has none there."""
    return uid_name(uid)


@cache
def uid_name(uid: str | None) -> str | None:
    """Return the name of a UID of the standard (PS3.6 Table A-1), such as a SOP Class; other UIDs as they are."""
    # Unchecked: pydicom would quote what is no UID in a warning, and that can be anything of the header.
    return None if uid is None else str(UID(uid, validation_mode=IGNORE).name)


def file_size(length: int) -> str:
    """Return a number of bytes in decimal units, such as ``38 kB``."""
    size, unit = float(length), 0
    while size >= 1000 and unit < len(_UNITS) - 1:
        size, unit = size / 1000, unit + 1
    return f"{size:.1f} {_UNITS[unit]}" if unit and size < 10 else f"{size:.0f} {_UNITS[unit]}"

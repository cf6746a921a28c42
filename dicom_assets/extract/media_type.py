"""Media types, told from the first bytes of a file."""

import filetype

DICOM = "application/dicom"
BINARY = "application/octet-stream"
TEXT = "text/plain"

_CONTROLS = bytes(set(range(32)) - set(b"\t\n\f\r\x1b"))


def media_type(head: bytes) -> str:
    """Return the media type of content that is not DICOM.

    Parameters
    ----------
    head
        First bytes of the file; an empty file is ``application/octet-stream``.

    """
    known: str | None = filetype.guess_mime(head) if head else None
    if known is not None:
        return known
    return TEXT if _is_text(head) else BINARY


def _is_text(head: bytes) -> bool:
    """Return whether bytes are UTF-8 text; a character cut off at the end does no harm."""
    if not head or head.translate(None, _CONTROLS) != head:
        return False
    try:
        head.decode()
    except UnicodeDecodeError as error:
        return error.reason == "unexpected end of data" and len(head) - error.start < 4
    return True

"""Media types, told from the first bytes of a file.

``filetype`` knows the signatures of most formats. What it does not know, or takes for something else, is told here:
formats of imaging, and kinds of text.
"""

import re
import struct

import filetype

from dicom_assets.dicom.inflate import GZIP_MAGIC

DICOM = "application/dicom"
DICOM_GZIP = "application/dicom+gzip"
"""A DICOM file in a gzip file; the suffix is that of RFC 8460."""
BINARY = "application/octet-stream"
TEXT = "text/plain"

_CONTROLS = bytes(set(range(32)) - set(b"\t\n\f\r\x1b"))

_SIGNATURES = (
    (b"II\x2b\x00\x08\x00\x00\x00", "image/tiff"),  # BigTIFF
    (b"MM\x00\x2b\x00\x08\x00\x00", "image/tiff"),
    (b"\x00\x00\x00\x0cjP  \r\n\x87\n", "image/jp2"),
    (b"\xff\x4f\xff\x51", "image/j2c"),
    (b"NRRD000", "application/x-nrrd"),
    (b"\x89HDF\r\n\x1a\n", "application/x-hdf5"),
)
_NIFTI = {348: (344, (b"n+1\0", b"ni1\0")), 540: (4, (b"n+2\0", b"ni2\0"))}
"""Size of the header, which is its first number, and where it has which words: NIfTI-1 and NIfTI-2."""
_NIFTI_TYPE = "application/x-nifti"

_TEXTS = (
    (re.compile(rb"<\?xml[\s\S]{0,2048}?<svg\b|<svg\b", re.IGNORECASE), "image/svg+xml"),
    (re.compile(rb"<!doctype html|<html\b", re.IGNORECASE), "text/html"),
    (re.compile(rb"<\?xml[\s\S]{0,2048}?<html\b", re.IGNORECASE), "application/xhtml+xml"),
    (re.compile(rb"<\?xml\s|<(\w[\w.:-]*)(\s[^<>]*)?>[\s\S]*</\1\s*>\s*$"), "application/xml"),
    (
        re.compile(rb'\{\s*("|\}\s*$)|\[\s*(["{\[]|\]\s*$|(-?\d[\d.eE+-]*|true|false|null)\s*(,|\]\s*$))'),
        "application/json",
    ),
)
"""What a text begins with, behind a byte order mark and white space."""


def media_type_of_dicom(head: bytes) -> str:
    """Return the media type of a DICOM file by how it is packed.

    Parameters
    ----------
    head
        First bytes of the file.

    """
    return DICOM_GZIP if head.startswith(GZIP_MAGIC) else DICOM


def media_type(head: bytes) -> str:
    """Return the media type of content that is not DICOM.

    Parameters
    ----------
    head
        First bytes of the file; an empty file is ``application/octet-stream``.

    """
    for signature, known in _SIGNATURES:
        if head.startswith(signature):
            return known
    if _is_nifti(head):
        return _NIFTI_TYPE
    guessed: str | None = filetype.guess_mime(head) if head else None
    text = _is_text(head)
    # Two letters are the signature of BMP, and a text may begin with them.
    if guessed is not None and not (guessed == "image/bmp" and text):
        return guessed
    return _kind_of_text(head) if text else BINARY


def _is_nifti(head: bytes) -> bool:
    for order in "<>":
        (size,) = struct.unpack_from(f"{order}i", head.ljust(4, b"\0"))
        offset, words = _NIFTI.get(size, (0, ()))
        if head[offset : offset + 4] in words:
            return True
    return False


def _kind_of_text(head: bytes) -> str:
    begin = head.removeprefix(b"\xef\xbb\xbf").lstrip()
    return next((kind for pattern, kind in _TEXTS if pattern.match(begin)), TEXT)


def _is_text(head: bytes) -> bool:
    """Return whether bytes are UTF-8 text; a character cut off at the end does no harm."""
    if not head or head.translate(None, _CONTROLS) != head:
        return False
    try:
        head.decode()
    except UnicodeDecodeError as error:
        return error.reason == "unexpected end of data" and len(head) - error.start < 4
    return True

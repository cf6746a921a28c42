"""DICOM files written byte by byte, for tests of what no writer of good files would write."""

import struct

EXPLICIT = "1.2.840.10008.1.2.1"
IMPLICIT = "1.2.840.10008.1.2"
BIG_ENDIAN = "1.2.840.10008.1.2.2"
DEFLATED = "1.2.840.10008.1.2.1.99"
CT_IMAGE = "1.2.840.10008.5.1.4.1.1.2"
ENHANCED_MR = "1.2.840.10008.5.1.4.1.1.4.1"
BASIC_TEXT_SR = "1.2.840.10008.5.1.4.1.1.88.11"

LONG_VRS = {"OB", "OD", "OF", "OL", "OV", "OW", "SQ", "SV", "UC", "UN", "UR", "UT", "UV"}
UNDEFINED = 0xFFFFFFFF

ITEM_END = b"\xfe\xff\x0d\xe0\0\0\0\0"
SEQUENCE_END = b"\xfe\xff\xdd\xe0\0\0\0\0"


def tag_bytes(tag, order="<"):
    return struct.pack(f"{order}HH", tag >> 16, tag & 0xFFFF)


def explicit(tag, vr, value=b"", *, length=None, order="<"):
    size = len(value) if length is None else length
    if vr in LONG_VRS:
        return tag_bytes(tag, order) + vr.encode() + b"\0\0" + struct.pack(f"{order}I", size) + value
    return tag_bytes(tag, order) + vr.encode() + struct.pack(f"{order}H", size) + value


def implicit(tag, value=b"", *, length=None, order="<"):
    return tag_bytes(tag, order) + struct.pack(f"{order}I", len(value) if length is None else length) + value


def item(content=b"", *, length=None, order="<"):
    return tag_bytes(0xFFFEE000, order) + struct.pack(f"{order}I", len(content) if length is None else length) + content


def open_item(content=b""):
    return item(content, length=UNDEFINED) + ITEM_END


def sequence(tag, *items):
    return explicit(tag, "SQ", b"".join(items))


def open_sequence(tag, *items):
    return explicit(tag, "SQ", b"".join(items) + SEQUENCE_END, length=UNDEFINED)


def text(value):
    raw = value.encode() if isinstance(value, str) else value
    return raw + b" " * (len(raw) % 2)


def uid(value):
    raw = value.encode()
    return raw + b"\0" * (len(raw) % 2)


def meta(syntax=EXPLICIT, sop_class=BASIC_TEXT_SR):
    content = (
        explicit(0x00020001, "OB", b"\0\1")
        + explicit(0x00020002, "UI", uid(sop_class))
        + explicit(0x00020003, "UI", uid("1.2.3"))
        + (explicit(0x00020010, "UI", uid(syntax)) if syntax else b"")
    )
    return bytes(128) + b"DICM" + explicit(0x00020000, "UL", struct.pack("<I", len(content))) + content


HEAD = explicit(0x00080016, "UI", uid(BASIC_TEXT_SR)) + explicit(0x00080018, "UI", uid("1.2.3"))
"""The first elements of a data set."""


def dicom_file(*elements, syntax=EXPLICIT, sop_class=BASIC_TEXT_SR, head=HEAD):
    return meta(syntax, sop_class) + head + b"".join(elements)

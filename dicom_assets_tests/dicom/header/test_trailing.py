"""Elements behind the pixel data belong to the header, and are read without the pixel data."""

import struct

import pytest

from dicom_assets.dicom.header import read_header
from dicom_assets.dicom.header.issues import IssueCode
from dicom_assets.dicom.header.limits import HeaderLimits
from dicom_assets.dicom.source import BytesSource, HeadCachedSource
from dicom_assets.dicom.status import HeaderStatus
from dicom_assets_tests.dicom.test_inflate import deflated
from dicom_assets_tests.support.dicom import encoding as e
from dicom_assets_tests.support.dicom.images import CountingSource

JPEG = "1.2.840.10008.1.2.4.50"
MEGABYTE = 1 << 20
PRIVATE = e.explicit(0x7FE10010, "LO", b"MAKER ") + e.explicit(0x7FE11001, "UT", b"what the scanner knows")
PADDING = e.explicit(0xFFFCFFFC, "OB", bytes(100))
KEPT = {"7FE10010": {"vr": "LO", "Value": ["MAKER"]}, "7FE11001": {"vr": "UT", "Value": ["what the scanner knows"]}}
CODE = e.explicit(0x00080100, "SH", b"CODE")


def native(length, vr="OW"):
    return e.explicit(0x7FE00010, vr, bytes(length))


def encapsulated(*fragments, table=b""):
    items = e.item(table) + b"".join(map(e.item, fragments)) + e.SEQUENCE_END
    return e.explicit(0x7FE00010, "OB", items, length=e.UNDEFINED)


def trailing(header):
    return {tag: element for tag, element in header.dataset.items() if tag > "7FE00010"}


def read(content, **limits):
    return read_header(BytesSource(content), HeaderLimits(**limits))


@pytest.mark.parametrize("size", [0, 2, 100, 70_000, MEGABYTE])
@pytest.mark.parametrize("syntax", [e.EXPLICIT, e.IMPLICIT, e.BIG_ENDIAN, e.DEFLATED])
def test_elements_behind_native_pixel_data(syntax, size):
    order = ">" if syntax == e.BIG_ENDIAN else "<"
    values = {0x00080016: ("UI", e.uid(e.BASIC_TEXT_SR)), 0x00080018: ("UI", e.uid("1.2.3"))}
    values |= {0x7FE00010: ("OW", bytes(size)), 0x7FE10010: ("LO", b"MAKER "), 0xFFFCFFFC: ("OB", bytes(10))}
    elements = b"".join(
        e.implicit(tag, value) if syntax == e.IMPLICIT else e.explicit(tag, vr, value, order=order)
        for tag, (vr, value) in values.items()
    )
    header = read(e.meta(syntax) + (deflated(elements) if syntax == e.DEFLATED else elements))
    assert header.status is HeaderStatus.OK
    assert header.pixel.length == size
    assert trailing(header) == {"7FE10010": KEPT["7FE10010"]}


@pytest.mark.parametrize("fragments", [[b"\xff\xd8" * 50], [b"\xff\xd8" * 50] * 20, [bytes(5000)] * 100, []])
def test_elements_behind_encapsulated_pixel_data(fragments):
    for behind, expected in ((b"", {}), (PADDING, {}), (PRIVATE, KEPT), (PRIVATE + PADDING, KEPT)):
        header = read(e.dicom_file(encapsulated(*fragments), behind, syntax=JPEG))
        assert header.status is HeaderStatus.OK
        assert trailing(header) == expected


@pytest.mark.parametrize("make", [e.sequence, e.open_sequence])
@pytest.mark.parametrize("make_item", [e.item, e.open_item])
@pytest.mark.parametrize("count", [1, 30, 3000])
def test_a_sequence_at_the_end_of_the_file(make, make_item, count):
    """Its delimiter looks like that of the pixel data."""
    behind = make(0xFFFAFFFA, *[make_item(CODE)] * count)
    header = read(e.dicom_file(encapsulated(*[b"\xff\xd8" * 3000] * 20), behind, syntax=JPEG))
    assert header.status is HeaderStatus.OK
    assert len(header.dataset["FFFAFFFA"]["Value"]) == count


def test_many_small_fragments_are_no_sequence():
    header = read(e.dicom_file(encapsulated(*[b"\3\0\0\0\x40\0\0\0"] * 2000), syntax="1.2.840.10008.1.2.5"))
    assert header.status is HeaderStatus.OK
    assert not trailing(header)


def test_elements_behind_the_pixel_data_may_be_damaged():
    behind = PRIVATE.replace(b"UT", b"ut") + e.explicit(0x7FE30010, "LO", b"OTHER ")
    header = read(e.dicom_file(native(100), behind))
    assert [(issue.path, issue.code) for issue in header.issues] == [("7FE11001", IssueCode.BAD_VR)]
    assert header.first("7FE30010") == "OTHER"


def test_a_tag_below_the_pixel_data_is_in_order_and_told():
    header = read(e.dicom_file(native(100), e.explicit(0x00400280, "ST", b"ok")))
    assert [(issue.path, issue.code) for issue in header.issues] == [("00400280", IssueCode.TAG_ORDER)]
    assert list(header.dataset) == sorted(header.dataset)
    assert header.first("00400280") == "ok"


def test_what_is_no_element_is_stray_bytes():
    for syntax, make in ((e.EXPLICIT, e.explicit), (e.IMPLICIT, lambda tag, _, value: e.implicit(tag, value))):
        head = make(0x00080016, "UI", e.uid(e.BASIC_TEXT_SR)) + make(0x00080018, "UI", e.uid("1.2.3"))
        pixels = make(0x7FE00010, "OW", bytes(100))
        for noise in (b"\x01", b"noise at the end of the file, as some write it", b"\xff" * 200):
            header = read(e.dicom_file(pixels, noise, syntax=syntax, head=head))
            assert header.status is HeaderStatus.ISSUES
            assert [issue.code for issue in header.issues] == [IssueCode.STRAY_BYTES]
        assert read(e.dicom_file(pixels, bytes(3000), syntax=syntax, head=head)).status is HeaderStatus.OK


def test_a_cut_behind_the_pixel_data():
    for pixels, syntax in ((native(100), e.EXPLICIT), (encapsulated(b"\xff\xd8" * 50), JPEG)):
        whole = e.dicom_file(pixels, PRIVATE, syntax=syntax)
        header = read(whole[:-5])
        assert header.status is HeaderStatus.TRUNCATED
        assert header.pixel is not None
        assert trailing(header) == {"7FE10010": KEPT["7FE10010"]}


def test_limits_hold_behind_the_pixel_data():
    many = b"".join(e.explicit(0x7FE11000 + number, "OB", b"x ") for number in range(300))
    header = read(e.dicom_file(native(10), PRIVATE[:14], many), max_elements=100, head_bytes=1024)
    assert header.status is HeaderStatus.ISSUES
    assert header.issues[-1].code == IssueCode.TRAILING_ELEMENTS
    assert len(header.dataset) < 300
    nested = b""
    for _ in range(70):
        nested = e.sequence(0x7FE11002, e.item(nested))
    header = read(e.dicom_file(native(10), PRIVATE, nested))
    assert header.issues[-1].code == IssueCode.TRAILING_ELEMENTS
    assert header.pixel.length == 10


# Reads


def reads(content, head=64 * 1024):
    """Return the header, and what of the file was read behind its first bytes, which an archive reads at once."""
    counting = CountingSource(content)
    header = read_header(HeadCachedSource(counting, content[:head]))
    return header, counting


def test_an_ordinary_native_file_costs_no_read():
    header, source = reads(e.dicom_file(native(MEGABYTE)))
    assert header.status is HeaderStatus.OK
    assert source.reads == []


def test_elements_behind_native_pixel_data_cost_one_read():
    header, source = reads(e.dicom_file(native(MEGABYTE), PRIVATE, PADDING))
    assert trailing(header) == KEPT
    assert len(source.reads) == 1
    assert source.bytes_read == len(PRIVATE + PADDING)


@pytest.mark.parametrize("behind", [b"", PRIVATE, PRIVATE + e.open_sequence(0xFFFAFFFA, e.open_item(CODE))])
@pytest.mark.parametrize("table", [True, False])
def test_a_thousand_fragments_cost_two_reads(behind, table):
    offsets = struct.pack("<1000I", *(8008 * number for number in range(1000))) if table else b""
    pixels = encapsulated(*[b"\xff\xd8" + bytes(7998)] * 1000, table=offsets)
    header, source = reads(e.dicom_file(pixels, behind, syntax=JPEG))
    assert header.status is HeaderStatus.OK
    assert ("7FE11001" in header.dataset) is bool(behind)
    assert len(source.reads) <= 2
    assert source.bytes_read < 16_000


def test_deflated_pixel_data_is_inflated_once():
    elements = e.HEAD + native(8 * MEGABYTE) + PRIVATE
    source = CountingSource(e.meta(e.DEFLATED) + deflated(elements))
    assert trailing(read_header(source)) == KEPT
    assert source.bytes_read < source.size + 200_000

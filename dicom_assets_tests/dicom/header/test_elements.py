"""How elements become JSON: numbers, UN, implicit VR, private elements, VRs that depend on other elements."""

import struct

import orjson
import pytest

from dicom_assets.dicom.header import header_json, read_header
from dicom_assets.dicom.header.encoding import EXPLICIT_LITTLE, IMPLICIT_LITTLE
from dicom_assets.dicom.header.vr import ALL_VRS, TEXT_VRS
from dicom_assets.dicom.source import BytesSource
from dicom_assets.dicom.status import HeaderStatus
from dicom_assets_tests.support.dicom import encoding as e

IMPLICIT_HEAD = e.implicit(0x00080016, e.uid(e.BASIC_TEXT_SR)) + e.implicit(0x00080018, e.uid("1.2.3"))
CREATOR = "SIEMENS CSA HEADER"


def read(*elements, **options):
    return read_header(BytesSource(e.dicom_file(*elements, **options)))


def read_implicit(*elements):
    return read(*elements, syntax=e.IMPLICIT, head=IMPLICIT_HEAD)


@pytest.mark.parametrize(
    ("vr", "raw", "expected"),
    [
        ("DS", b"1.50", [1.5]),
        ("DS", b" -1.5E+01 ", [-15.0]),
        ("DS", b"+.5\\1. ", [0.5, 1.0]),
        ("DS", b"0.1234567890123456", [0.1234567890123456]),
        ("DS", b"0.123456789012345678", ["0.123456789012345678"]),
        ("DS", b"1e400 ", ["1e400"]),
        ("DS", b"1e-400", ["1e-400"]),
        ("DS", b"1\\\\2", [1.0, None, 2.0]),
        ("IS", b"+007", [7]),
        ("IS", b"-2147483648 ", [-2147483648]),
        ("IS", b"1\\ 2 ", [1, 2]),
        ("SV", struct.pack("<2q", 1 << 53, (1 << 53) + 1), [1 << 53, "9007199254740993"]),
        ("SV", struct.pack("<q", -(1 << 63)), ["-9223372036854775808"]),
        ("UV", struct.pack("<Q", (1 << 64) - 1), ["18446744073709551615"]),
        ("FD", struct.pack("<3d", float("nan"), float("inf"), float("-inf")), ["NaN", "Infinity", "-Infinity"]),
        ("FL", struct.pack("<2f", 0.5, float("nan")), [0.5, "NaN"]),
        ("US", struct.pack("<2H", 0, 65535), [0, 65535]),
        ("SS", struct.pack("<h", -2), [-2]),
        ("UL", struct.pack("<I", 1 << 31), [1 << 31]),
        ("SL", struct.pack("<i", -1), [-1]),
        ("AT", struct.pack("<4H", 0x0018, 0x00FF, 0x7FE0, 0x0010), ["001800FF", "7FE00010"]),
        ("UI", b"1.2.3\x00", ["1.2.3"]),
        ("LO", b"a\\b ", ["a", "b"]),
        ("LO", b" a\\\\", [" a", None, None]),
        ("ST", b"a\\b ", ["a\\b"]),
        ("UC", b"a\\b ", ["a", "b"]),
        ("UR", b"urn:a?b ", ["urn:a?b"]),
        ("AE", b" AE ", ["AE"]),
        (
            "PN",
            b"Doe^Jane\\Roe^Richard==x ",
            [{"Alphabetic": "Doe^Jane"}, {"Alphabetic": "Roe^Richard", "Phonetic": "x"}],
        ),
    ],
)
def test_values(vr, raw, expected):
    padded = raw + b" " * (len(raw) % 2)
    header = read(e.explicit(0x00189990, vr, padded))
    assert header.dataset["00189990"] == {"vr": vr, "Value": expected}
    text = header_json(header)
    assert orjson.loads(text)["dataset"]["00189990"]["Value"] == expected


@pytest.mark.parametrize("vr", sorted(ALL_VRS))
def test_empty_elements_have_no_value(vr):
    header = read(e.explicit(0x00189990, vr))
    assert header.dataset["00189990"] == {"vr": vr}
    assert header.status is HeaderStatus.OK


@pytest.mark.parametrize("vr", sorted(TEXT_VRS))
@pytest.mark.parametrize("raw", [b"  ", b"\0\0"])
def test_padding_alone_is_no_value(vr, raw):
    assert read(e.explicit(0x00189990, vr, raw)).dataset["00189990"] == {"vr": vr}


def test_empty_items():
    header = read(e.sequence(0x00400275, e.item(), e.open_item()))
    assert header.dataset["00400275"] == {"vr": "SQ", "Value": [{}, {}]}


def test_group_lengths_are_left_out():
    header = read(e.explicit(0x00400000, "UL", struct.pack("<I", 10)), e.explicit(0x00400280, "ST", b"ok"))
    assert list(header.dataset) == ["00080016", "00080018", "00400280"]
    assert "00020000" not in header.file_meta


# UN


def test_public_un_is_read_as_what_it_is():
    header = read(
        e.explicit(0x00100010, "UN", b"Doe^Jane"),
        e.explicit(0x00280010, "UN", struct.pack("<H", 512)),
        e.explicit(0x00289999, "UN", b"?!"),
    )
    assert header.dataset["00100010"] == {"vr": "PN", "Value": [{"Alphabetic": "Doe^Jane"}]}
    assert header.dataset["00280010"] == {"vr": "US", "Value": [512]}
    assert header.dataset["00289999"] == {"vr": "UN", "InlineBinary": "PyE="}


def test_charset_as_un():
    header = read(e.explicit(0x00100020, "LO", b"\xe9 "), head=e.explicit(0x00080005, "UN", b"ISO_IR 144") + e.HEAD)
    assert header.dataset["00080005"] == {"vr": "CS", "Value": ["ISO_IR 144"]}
    assert header.first("00100020") == "щ"


@pytest.mark.parametrize("tag", [0x00400275, 0x00091010])
def test_un_of_undefined_length_is_an_implicit_sequence(tag):
    inner = e.implicit(0x00080100, b"CODE") + e.implicit(0x00400008, e.item(e.implicit(0x00080102, b"SCHEME")))
    content = e.explicit(tag, "UN", e.open_item(inner) + e.SEQUENCE_END, length=e.UNDEFINED)
    header = read(content, e.explicit(0x00400280, "ST", b"ok"))
    (item,) = header.dataset[f"{tag:08X}"]["Value"]
    assert item["00080100"] == {"vr": "SH", "Value": ["CODE"]}
    assert item["00400008"]["Value"][0]["00080102"] == {"vr": "SH", "Value": ["SCHEME"]}
    assert header.first("00400280") == "ok"
    assert header.status is HeaderStatus.OK


@pytest.mark.parametrize("undefined", [True, False])
def test_un_whose_content_was_left_explicit(undefined):
    inner = e.explicit(0x00080100, "SH", b"CODE")
    if undefined:
        content = e.explicit(0x00400275, "UN", e.open_item(inner) + e.SEQUENCE_END, length=e.UNDEFINED)
    else:
        content = e.explicit(0x00400275, "UN", e.item(inner))
    header = read(content, e.explicit(0x00400280, "ST", b"ok"))
    assert header.dataset["00400275"]["Value"] == [{"00080100": {"vr": "SH", "Value": ["CODE"]}}]
    assert header.first("00400280") == "ok"


def test_un_in_big_endian_is_little_endian():
    head = e.explicit(0x00080016, "UI", e.uid(e.BASIC_TEXT_SR), order=">")
    header = read(e.explicit(0x00280010, "UN", b"\0\2", order=">"), syntax=e.BIG_ENDIAN, head=head)
    assert header.dataset["00280010"] == {"vr": "US", "Value": [512]}


# Private elements


@pytest.mark.parametrize("block", [0x10, 0x7F, 0xFF])
def test_private_elements_by_their_creator(block):
    header = read_implicit(
        e.implicit(0x00290000 | block, e.text(CREATOR)),
        e.implicit(0x00290008 | block << 8, b"IMAGE NUM 4 "),
        e.implicit(0x00290009 | block << 8, b"20240101"),
        e.implicit(0x002900EE | block << 8, b"????"),
    )
    assert header.dataset[f"002900{block:02X}"] == {"vr": "LO", "Value": [CREATOR]}
    assert header.dataset[f"0029{block:02X}08"] == {"vr": "CS", "Value": ["IMAGE NUM 4"]}
    assert header.dataset[f"0029{block:02X}09"] == {"vr": "LO", "Value": ["20240101"]}
    assert header.dataset[f"0029{block:02X}EE"] == {"vr": "UN", "InlineBinary": "Pz8/Pw=="}
    assert header.status is HeaderStatus.OK


def test_private_elements_as_un_in_explicit():
    header = read(e.explicit(0x00290010, "UN", e.text(CREATOR)), e.explicit(0x00291008, "UN", b"IMAGE NUM 4 "))
    assert header.dataset["00291008"] == {"vr": "CS", "Value": ["IMAGE NUM 4"]}


def test_private_value_that_contradicts_the_dictionary_stays_un():
    header = read_implicit(e.implicit(0x00290010, e.text(CREATOR)), e.implicit(0x00291008, b"\x01\x02code"))
    assert header.dataset["00291008"]["vr"] == "UN"
    assert header.status is HeaderStatus.OK


def test_creators_of_items_are_their_own():
    item = e.implicit(0x00291008, b"CODE")
    header = read_implicit(e.implicit(0x00290010, e.text(CREATOR)), e.implicit(0x00400275, e.item(item)))
    assert header.dataset["00400275"]["Value"][0]["00291008"]["vr"] == "UN"


def test_private_elements_without_a_creator():
    header = read_implicit(e.implicit(0x00291008, b"CODE"))
    assert header.dataset["00291008"] == {"vr": "UN", "InlineBinary": "Q09ERQ=="}


# Implicit VR


def test_implicit_elements():
    header = read_implicit(
        e.implicit(0x00100010, b"Doe^Jane"),
        e.implicit(0x00189999, b"????"),
        e.implicit(0x00280010, struct.pack("<H", 512)),
        e.implicit(0x00400275, e.item(e.implicit(0x00080100, b"CODE"))),
        e.implicit(0x00400555, e.open_item(e.implicit(0x00080100, b"CODE")) + e.SEQUENCE_END, length=e.UNDEFINED),
        e.implicit(0x60003000, b"\1\2"),
        e.implicit(0x60020010, struct.pack("<H", 64)),
    )
    assert header.dataset["00100010"] == {"vr": "PN", "Value": [{"Alphabetic": "Doe^Jane"}]}
    assert header.dataset["00189999"] == {"vr": "UN", "InlineBinary": "Pz8/Pw=="}
    assert header.dataset["00280010"] == {"vr": "US", "Value": [512]}
    assert header.dataset["00400275"] == header.dataset["00400555"]
    assert header.dataset["60003000"]["vr"] == "OW"
    assert header.dataset["60020010"] == {"vr": "US", "Value": [64]}
    assert header.status is HeaderStatus.OK


@pytest.mark.parametrize(("signed", "vr", "expected"), [(0, "US", 65534), (1, "SS", -2), (None, "US", 65534)])
def test_us_or_ss_by_pixel_representation(signed, vr, expected):
    representation = b"" if signed is None else e.implicit(0x00280103, struct.pack("<H", signed))
    value = struct.pack("<H", 65534)
    header = read_implicit(
        e.implicit(0x00189810, value),
        representation,
        e.implicit(0x00280106, value),
        e.implicit(0x00409096, e.item(e.implicit(0x00409216, value))),
    )
    for element in (
        header.dataset["00189810"],
        header.dataset["00280106"],
        header.dataset["00409096"]["Value"][0]["00409216"],
    ):
        assert element == {"vr": vr, "Value": [expected]}


@pytest.mark.parametrize(("entries", "vr"), [(1, "US"), (256, "OW")])
def test_us_or_ow_by_lut_descriptor(entries, vr):
    item = e.implicit(0x00283002, struct.pack("<3H", entries, 0, 16)) + e.implicit(0x00283006, b"\1\2")
    header = read_implicit(e.implicit(0x00283000, e.item(item)))
    assert header.dataset["00283000"]["Value"][0]["00283006"]["vr"] == vr


def test_ambiguous_values_may_be_bulk():
    header = read_implicit(e.implicit(0x00283000, e.item(e.implicit(0x00283006, bytes(2000)))))
    assert header.dataset["00283000"]["Value"][0]["00283006"]["vr"] == "OW"
    assert header.dataset["00283000"]["Value"][0]["00283006"]["BulkData"]["length"] == 2000


def test_ambiguous_un():
    signed = e.explicit(0x00280103, "US", struct.pack("<H", 1))
    header = read(signed, e.explicit(0x00280106, "UN", struct.pack("<h", -2)))
    assert header.dataset["00280106"] == {"vr": "SS", "Value": [-2]}


def test_odd_private_value():
    header = read_implicit(e.implicit(0x00290010, e.text(CREATOR)), e.implicit(0x00291009, b"abc"))
    assert header.dataset["00291009"] == {"vr": "LO", "Value": ["abc"]}
    assert [(issue.path, issue.code) for issue in header.issues] == [("00291009", "odd_length")]


def test_un_of_undefined_length_that_is_no_sequence():
    content = e.explicit(0x00282000, "UN", e.item(b"\1\2") + e.SEQUENCE_END, length=e.UNDEFINED)
    header = read(content, e.explicit(0x00400280, "ST", b"ok"))
    place = header.dataset["00282000"]["BulkData"]
    assert header.dataset["00282000"]["vr"] == "OB"
    assert header.body.read(place["offset"], place["length"]) == e.item(b"\1\2")
    assert header.first("00400280") == "ok"


def test_ambiguous_value_of_wrong_length_is_an_issue():
    header = read_implicit(e.implicit(0x00280106, b"\1\2\3"))
    assert [(issue.path, issue.code) for issue in header.issues] == [("00280106", "bad_length")]


def test_icon_pixels_do_not_end_the_header():
    icon = e.item(e.explicit(0x7FE00010, "OB", b"\1\2"))
    header = read(e.sequence(0x00880200, icon), e.explicit(0x20300010, "IS", b"1 "))
    assert header.dataset["00880200"]["Value"] == [{"7FE00010": {"vr": "OB", "InlineBinary": "AQI="}}]
    assert header.first("20300010") == 1
    assert header.pixel is None


def test_encapsulated_icon_is_bulk():
    fragments = e.item(b"") + e.item(b"JPEG")
    pixels = e.explicit(0x7FE00010, "OB", fragments + e.SEQUENCE_END, length=e.UNDEFINED)
    header = read(e.sequence(0x00880200, e.item(pixels)), e.explicit(0x20300010, "IS", b"1 "))
    place = header.dataset["00880200"]["Value"][0]["7FE00010"]["BulkData"]
    assert header.body.read(place["offset"], place["length"]) == fragments
    assert header.first("20300010") == 1


@pytest.mark.parametrize(
    ("tag", "vr", "expected"),
    [
        (0x7FE00010, "OW", "OW"),
        (0x7FE00010, "OB", "OB"),
        (0x7FE00008, "OF", "OF"),
        (0x7FE00009, "OD", "OD"),
        (0x7FE00010, "UN", "OW"),
    ],
)
def test_pixel_elements(tag, vr, expected):
    content = e.dicom_file(e.explicit(tag, vr, bytes(16)), e.explicit(0xFFFAFFFA, "SQ"))
    header = read_header(BytesSource(content))
    assert (header.pixel.tag, header.pixel.vr, header.pixel.length) == (f"{tag:08X}", expected, 16)
    assert header.body.read(header.pixel.offset, 16) == bytes(16)
    assert f"{tag:08X}" not in header.dataset
    assert header.dataset["FFFAFFFA"] == {"vr": "SQ"}


def test_a_header_does_not_change_when_another_is_read():
    first = read(e.explicit(0x00100020, "LO", b"A "))
    before = header_json(first)
    read(e.explicit(0x00100020, "LO", b"A "), e.explicit(0x00100020, "LO", b"B "))
    assert header_json(first) == before


def test_what_is_remembered_is_bounded():
    rule = EXPLICIT_LITTLE.value_rule("LO")
    for number in range(20_000):
        read(e.explicit(0x00100020, "LO", e.text(f"ID {number}")), e.explicit(0x00110000 | number, "LO"))
    assert len(rule.values) <= 8192
    assert len(EXPLICIT_LITTLE.entries) <= 65536
    assert len(EXPLICIT_LITTLE.heads) <= 65536


def test_lengths_of_long_values_are_not_remembered():
    read_implicit(e.implicit(0x00081030, bytes(64)))
    before = len(IMPLICIT_LITTLE.heads)
    for length in range(66, 4_000, 2):
        read_implicit(e.implicit(0x00081030, b" " * length), e.implicit(0x00091010, bytes(length)))
    assert len(IMPLICIT_LITTLE.heads) - before < 10
